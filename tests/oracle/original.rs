//! One batch of the original JAX toolkit: activities, goodness, losses, gradients, energies.

use ff_backend::{Backend, Delta, Gradient, IndexSlice, LabelCode, TALLY_ROWS, Tally};
use forward_forward::config::{Config, ConfigBuilder};
use forward_forward::data::ImageShape;
use forward_forward::network::{Activities, ImageRows, Labelled, Network, forward, label_energies};
use forward_forward::spec::Spec;

use crate::comparison::Comparison;
use crate::files::{File, fetch, send};

/// Only files of this kind have it.
pub const MARK: &str = "label_goodness";

/// `original` shows images as they are; all other knobs that count here are `baseline`'s.
fn config(file: &File) -> Config {
    let threshold = file.metadata.get("threshold").map_or("2.0", String::as_str);
    ConfigBuilder::new()
        .set("recipe=baseline")
        .set("input_normalization=none")
        .set("label=overlay")
        .set(format!("threshold={threshold}"))
        .set(format!("layer_sizes={:?}", file.widths("")))
        .build()
        .unwrap()
}

fn network<B: Backend>(backend: &B, file: &File, config: &Config) -> Network<B> {
    let image = ImageShape::gray(1, file.shape("images")[1]);
    let spec = Spec::new(config, image, file.shape("label_goodness")[1]);
    let mut network = Network::new(backend, spec).unwrap();
    for (l, layer) in network.layers.iter_mut().enumerate() {
        let weights = &mut layer.tensors_mut().weights;
        file.load(backend, &format!("layers.{l}.weight"), &mut weights.weight.value);
        let bias = weights.bias.as_mut().unwrap();
        file.load(backend, &format!("layers.{l}.bias"), &mut bias.value);
    }
    network
}

/// The images without the pixels under the label; they are float32, so nothing is gathered.
fn images<B: Backend>(backend: &B, file: &File, network: &Network<B>) -> ImageRows<B> {
    let spec = &network.spec;
    let pairs = file.shape("images")[0];
    let all = file.values("images").chunks_exact(spec.image.pixels());
    let visible: Vec<&[f64]> = all.map(|image| &image[spec.covered_pixels..]).collect();
    let squares: Vec<f64> = visible.iter().map(|image| image.iter().map(|x| x * x).sum()).collect();
    let mut images = ImageRows::new(backend, spec, pairs).unwrap();
    send(backend, &mut images.features, &visible.concat());
    send(backend, &mut images.squares, &squares);
    images.multiply(backend, network).unwrap();
    images
}

/// Their overlay is ours: the label replaces the first pixels.
fn compare_overlay(file: &File, name: &str, labels: &[u32], result: &mut Comparison) {
    let classes = file.shape("label_goodness")[1];
    let rows = file.values("images").chunks_exact(file.shape("images")[1]).zip(labels);
    let overlaid = rows.flat_map(|(image, &label)| {
        let code = (0..classes).map(move |c| f64::from(u8::from(c == label as usize)));
        code.chain(image[classes..].iter().copied())
    });
    result.equal(name, overlaid.collect::<Vec<f64>>().as_slice(), file.values(name));
}

pub fn follow<B: Backend>(backend: &B, name: &str, file: &File) -> Comparison {
    let mut result = Comparison::new(format!("{} · {name}", file.path.display()), 1e-5);
    let (labels, wrong) = (file.indices("labels"), file.indices("wrong_labels"));
    compare_overlay(file, "positive", &labels, &mut result);
    compare_overlay(file, "negative", &wrong, &mut result);

    let config = config(file);
    let network = network(backend, file, &config);
    let images = images(backend, file, &network);
    compare_learning(backend, file, &network, &images, &mut result);

    let spec = &network.spec;
    let (rows, classes) = (labels.len(), spec.classes);
    let mut labelled = Labelled::new(backend, spec, rows).unwrap();
    let scores = (0..=spec.depth()).map(|_| backend.zeros(rows, classes));
    let mut scores: Vec<B::Matrix> = scores.collect::<Result<_, _>>().unwrap();
    label_energies(backend, &network, &images, &mut labelled, &mut scores).unwrap();
    let energies = fetch(backend, &scores[0]);
    result.close("label goodness", "label_goodness", &energies, file.values("label_goodness"));
    let mut predictions = backend.indices(rows).unwrap();
    backend.argmax(&mut scores[0], &mut predictions, 0).unwrap();
    let predictions = backend.download_indices(&predictions).unwrap();
    result.equal("predictions", predictions, file.indices("predictions"));
    result
}

/// Positive and negative rows through every layer, and each layer's loss and gradient.
fn compare_learning<B: Backend>(
    backend: &B,
    file: &File,
    network: &Network<B>,
    images: &ImageRows<B>,
    result: &mut Comparison,
) {
    let spec = &network.spec;
    let labels = [file.indices("labels"), file.indices("wrong_labels")].concat();
    let mut on_device = backend.indices(labels.len()).unwrap();
    backend.upload_indices(&mut on_device, &labels).unwrap();
    let code = LabelCode::Each(IndexSlice { indices: &on_device, offset: 0 });
    let mut stack = Activities::new(backend, spec, labels.len()).unwrap();
    let mut coefficients = backend.zeros(1, labels.len()).unwrap();
    let mut sums = backend.zeros(TALLY_ROWS, spec.depth()).unwrap();
    for l in 0..spec.depth() {
        let layer = &spec.layers[l];
        forward(backend, network, images, l, code, &mut stack).unwrap();
        stack.measure(backend, l).unwrap();
        let mut halves = |kind: &str, ours: Vec<f64>| {
            let (positive, negative) = ours.split_at(ours.len() / 2);
            for (sign, ours) in [("positive", positive), ("negative", negative)] {
                let name = format!("{kind}_{sign}.{l}");
                result.close(kind, &name, ours, file.values(&name));
            }
        };
        halves("hidden", fetch(backend, &stack.hidden[l]));
        let factor = layer.objective.factor;
        halves("goodness", fetch(backend, stack.goodness(l)).into_iter().map(|g| factor * g).collect());

        let tally = Tally { sums: &mut sums, layer: l };
        backend.coefficients(stack.goodness(l), &layer.objective, &mut coefficients, tally).unwrap();
        let (features, squares) = match l {
            0 => (&images.features, &images.squares),
            _ => (&stack.hidden[l - 1], &stack.squares[l - 1]),
        };
        let input = layer.input(features, squares, code);
        let outputs = stack.slopes(l);
        let delta = Delta { coefficients: &coefficients, outputs, peer: None };
        let weight = backend.weight(layer.fan_in(), layer.units).unwrap();
        let bias = Some(backend.zeros(1, layer.units).unwrap());
        let mut gradient = Gradient { weight, bias };
        backend.gradient(&input, &delta, &mut gradient).unwrap();
        let (weight, bias) = (fetch(backend, &gradient.weight), fetch(backend, &gradient.bias.unwrap()));
        for (part, gradient) in [("weight", weight), ("bias", bias)] {
            let name = format!("grad.{l}.{part}");
            result.close(&format!("gradient of {part}"), &name, &gradient, file.values(&name));
        }
    }
    let losses = fetch(backend, &sums);
    for (l, loss) in losses.iter().take(spec.depth()).enumerate() {
        let name = format!("loss.{l}");
        result.close("loss", &name, &[*loss], file.values(&name));
    }
}
