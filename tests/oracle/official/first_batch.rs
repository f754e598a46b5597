//! What the official code computes on the way to its first update.

use ff_backend::{Backend, Delta, Gradient, LabelCode, Peer, Real, TALLY_ROWS, Tally, sigmoid};
use forward_forward::batching::EpochPlan;
use forward_forward::config::Config;
use forward_forward::network::{Activities, ImageRows, Network, forward, neutral_logits};

use super::{File, network, pixels, planned};
use crate::comparison::{Comparison, norm};
use crate::files::{fetch, send};

/// One batch before anything is learned.
struct FirstBatch<'a, B: Backend> {
    backend: &'a B,
    file: &'a File,
    network: Network<B>,
    images: ImageRows<B>,
    plan: EpochPlan<B>,
}

pub fn compare<B: Backend>(backend: &B, file: &File, config: &Config, result: &mut Comparison) {
    let network = network(backend, file, config);
    let spec = &network.spec;
    let pairs = spec.batch_size;
    let plan = EpochPlan::new(backend, &planned(file, 0), pairs).unwrap();
    let (height, width) = (spec.image.height, spec.image.width);
    let stored = backend.images(&pixels(file, "train.images").into(), height, width).unwrap();
    let mut images = ImageRows::new(backend, spec, pairs).unwrap();
    images.gather(backend, &stored, plan.batch(0).rows, None).unwrap();
    images.multiply(backend, &network).unwrap();
    let mut batch = FirstBatch { backend, file, network, images, plan };
    batch.compare_head(result);
    batch.compare_layers(result);
}

impl<B: Backend> FirstBatch<'_, B> {
    fn compare_head(&self, result: &mut Comparison) {
        let (backend, spec) = (self.backend, &self.network.spec);
        let (pairs, classes) = (spec.batch_size, spec.classes);
        let mut activities = Activities::new(backend, spec, pairs).unwrap();
        let mut logits = backend.zeros(pairs, classes).unwrap();
        let mut errors = backend.zeros(pairs, classes).unwrap();
        let mut cost = backend.zeros(1, 1).unwrap();
        neutral_logits(backend, &self.network, &self.images, &mut activities, &mut logits).unwrap();
        backend.softmax(&logits, self.plan.batch(0).truth, 0.0, &mut errors, &mut cost).unwrap();
        let mut probabilities = fetch(backend, &errors);
        let labels = self.file.indices("train.labels");
        for (row, &label) in probabilities.chunks_exact_mut(classes).zip(&labels) {
            row[label as usize] += 1.0;
        }
        let name = "batch1.head_probabilities";
        result.close(name, name, &probabilities, self.file.values(name));
    }

    /// Probabilities, and the ascent directions of positives and negatives apart.
    fn compare_layers(&mut self, result: &mut Comparison) {
        let (backend, file) = (self.backend, self.file);
        let spec = self.network.spec.clone();
        let pairs = spec.batch_size;
        let code = LabelCode::Each(self.plan.batch(0).labels);
        let mut stack = Activities::new(backend, &spec, 2 * pairs).unwrap();
        let mut coefficients = backend.zeros(1, 2 * pairs).unwrap();
        let mut sums = backend.zeros(TALLY_ROWS, spec.depth()).unwrap();
        for (l, layer) in spec.layers.iter().enumerate() {
            forward(backend, &self.network, &self.images, l, code, &mut stack).unwrap();
            let threshold = layer.objective.loss.threshold().unwrap();
            let goodness = fetch(backend, stack.goodness(l));
            let probabilities: Vec<f64> = goodness.iter().map(|g| sigmoid(g - threshold)).collect();
            let (positive, negative) = probabilities.split_at(pairs);
            for (sign, ours) in [("positive", positive), ("negative", negative)] {
                let name = format!("batch1.probability_{sign}.{l}");
                result.close("batch1 probability", &name, ours, file.values(&name));
            }

            let mean = &mut self.network.layers[l].tensors_mut().running_mean;
            backend.running_mean(&stack.hidden[l], pairs, 0.9, mean).unwrap();
            let tally = Tally { sums: &mut sums, layer: l };
            backend.coefficients(stack.goodness(l), &layer.objective, &mut coefficients, tally).unwrap();
            let both = fetch(backend, &coefficients);
            let strength = layer.peer_strength;
            for sign in ["positive", "negative"] {
                let is_counted = |r: usize| (r < pairs) == (sign == "positive");
                let half: Vec<f64> =
                    both.iter().enumerate().map(|(r, &c)| if is_counted(r) { c } else { 0.0 }).collect();
                send(backend, &mut coefficients, &half);
                let mean = &self.network.layers[l].tensors().running_mean;
                let peer = Peer { mean, strength, rows: pairs };
                let delta = Delta {
                    coefficients: &coefficients,
                    outputs: &stack.hidden[l],
                    peer: (sign == "positive").then_some(peer),
                };
                let (features, squares) = match l {
                    0 => (&self.images.features, &self.images.squares),
                    _ => (&stack.hidden[l - 1], &stack.squares[l - 1]),
                };
                let input = layer.input(features, squares, code);
                let weight = backend.weight(layer.fan_in(), layer.units).unwrap();
                let bias = Some(backend.zeros(1, layer.units).unwrap());
                let mut gradient = Gradient { weight, bias };
                backend.gradient(&input, &delta, &mut gradient).unwrap();
                let (weight, bias) =
                    (fetch(backend, &gradient.weight), fetch(backend, &gradient.bias.unwrap()));
                for (part, gradient) in [("weight", weight), ("bias", bias)] {
                    // Theirs is a sum over the batch, and uphill; ours is a mean, and downhill.
                    let ascent: Vec<f64> = gradient.into_iter().map(|g| -g * pairs as f64).collect();
                    let name = format!("batch1.ascent_{sign}.{l}.{part}");
                    let kind = format!("batch1 ascent_{sign}");
                    // Improbable negatives are left out: nothing beside the ascent of the positives.
                    let positives = file.values(&format!("batch1.ascent_positive.{l}.{part}"));
                    let slack = if sign == "negative" { B::Real::EPSILON * norm(positives) } else { 0.0 };
                    result.close_but_for(slack, &kind, &name, &ascent, file.values(&name));
                }
            }
        }
    }
}
