//! What a step of layers that are driven from above teaches, against differences of that step's losses alone: the states
//! before it stay as they are.

use ff_backend::{Backend, LabelCode, TALLY_ROWS, Tally};
use forward_forward::network::States;

use crate::TOLERANCE;
use crate::differences::{fetch, relative_error, send, slopes};
use crate::probe::{CLASSES, Probe};

const LAYERS: [&str; 2] = [
    "layer_sizes=[9, 8, 7]",
    // On the image of 3 × 4 pixels: the weights from above the first layer are local too.
    "layers=[{kind='local',grid=[2,3],stride=1,field=2,channels=3},\
     {kind='local',grid=[1,2],stride=1,field=2,channels=4},{kind='dense',units=5}]",
];
const VARIANTS: [&[&str]; 4] = [
    &["loss=bce", "threshold=1.5", "input_normalization=none"],
    &["loss=symba", "goodness.function=mean", "network.normalization=rms"],
    &["loss=bce", "sign=minimize", "damping=0.6", "label_strength=2"],
    &["loss=symba", "network.normalization=none", "damping=0", "gradient_scale=0.5"],
];

pub fn check<B: Backend>(backend: &B, name: &str) {
    let mut worst = 0.0_f64;
    for layers in LAYERS {
        for variant in VARIANTS {
            for steps in 1..=3 {
                let steps =
                    ["top_down=true".to_owned(), format!("steps={steps}"), format!("last_step={steps}")];
                let steps: Vec<&str> = steps.iter().map(String::as_str).chain(["first_step=1"]).collect();
                worst = worst.max(agreement(backend, &[&[layers], variant, &steps].concat()));
            }
        }
    }
    println!("steps on {name}: worst relative error {worst:.1e}");
}

/// Where a tensor lies.
#[derive(Clone, Copy, Debug)]
enum Place {
    Weight(usize),
    Bias(usize),
    Above(usize),
}

/// Values and velocity.
fn read<B: Backend>(probe: &Probe<B>, place: Place) -> [Vec<f64>; 2] {
    let (backend, layers) = (probe.backend, &probe.network.layers);
    let of_weight = |weights: &ff_backend::Weights<B>| {
        [fetch(backend, &weights.weight.value), fetch(backend, &weights.weight.first)]
    };
    match place {
        Place::Weight(l) => of_weight(&layers[l].tensors().weights),
        Place::Above(l) => of_weight(layers[l].tensors().top_down.as_ref().unwrap()),
        Place::Bias(l) => {
            let bias = layers[l].tensors().weights.bias.as_ref().unwrap();
            [fetch(backend, &bias.value), fetch(backend, &bias.first)]
        }
    }
}

fn write<B: Backend>(probe: &mut Probe<B>, place: Place, values: &[f64]) {
    let (backend, layers) = (probe.backend, &mut probe.network.layers);
    match place {
        Place::Weight(l) => send(backend, &mut layers[l].tensors_mut().weights.weight.value, values),
        Place::Above(l) => {
            let top_down = layers[l].tensors_mut().top_down.as_mut().unwrap();
            send(backend, &mut top_down.weight.value, values);
        }
        Place::Bias(l) => {
            let bias = layers[l].tensors_mut().weights.bias.as_mut().unwrap();
            send(backend, &mut bias.value, values);
        }
    }
}

fn agreement<B: Backend>(backend: &B, sets: &[&str]) -> f64 {
    let mut probe = Probe::new(backend, sets);
    // All steps leave the weights as they are; the last one's gradients stay in the velocities.
    probe.look();
    let depth = probe.network.layers.len();
    let places = (0..depth).flat_map(|l| [Place::Weight(l), Place::Bias(l)]);
    let places: Vec<_> = places.chain((0..depth - 1).map(Place::Above)).collect();
    let mut worst = 0.0_f64;
    for place in places {
        let (Place::Weight(l) | Place::Bias(l) | Place::Above(l)) = place;
        let [values, velocity] = read(&probe, place);
        let found = slopes(&values, |moved| loss(&mut probe, l, place, &values, moved));
        write(&mut probe, place, &values);
        let expected: Vec<f64> = found.iter().map(|slope| probe.gradient_scale * slope).collect();
        let stepped: Vec<f64> = velocity.iter().map(|v| -v).collect();
        let error = relative_error(&stepped, &expected);
        // Until the label has come down to a layer, its pairs are equals, and `symba` teaches it nothing.
        let norm = expected.iter().map(|x| x * x).sum::<f64>().sqrt();
        if norm > 1e-6 {
            assert!(error < TOLERANCE, "{place:?}: {error:.1e} with {sets:?}");
            worst = worst.max(error);
        } else {
            assert!(stepped.iter().all(|x| x.abs() < 1e-6), "{place:?} with {sets:?}");
        }
    }
    worst
}

/// The loss of layer `l` in the last step, of which alone `place` holds `moved`.
fn loss<B: Backend>(probe: &mut Probe<B>, l: usize, place: Place, values: &[f64], moved: &[f64]) -> f64 {
    let backend = probe.backend;
    let (pairs, depth) = (probe.network.spec.batch_size, probe.network.layers.len());
    let mut states = States::new(backend, &probe.network.spec, 2 * pairs).unwrap();
    write(probe, place, values);
    probe.rows.multiply(backend, &probe.network).unwrap();
    states.start(backend, &probe.network, &probe.rows).unwrap();
    let steps = probe.network.spec.updates();
    for step in 1..=steps {
        if step == steps {
            write(probe, place, moved);
            probe.rows.multiply(backend, &probe.network).unwrap();
        }
        let code = LabelCode::Each(probe.plan.batch(0).labels);
        states.step(backend, &probe.network, &probe.rows, code).unwrap();
    }
    let mut sums = backend.zeros(TALLY_ROWS, depth).unwrap();
    let mut coefficients = backend.zeros(1, 2 * pairs).unwrap();
    let objective = &probe.network.spec.layers[l].objective;
    let tally = Tally { sums: &mut sums, layer: l };
    backend.coefficients(states.now.goodness(l), objective, &mut coefficients, tally).unwrap();
    fetch(backend, &sums)[l]
}

/// The states after some steps, by the formulas alone.
pub fn check_states<B: Backend>(backend: &B, name: &str) {
    let sets = ["top_down=true", "layer_sizes=[9, 8, 7]", "steps=5", "damping=0.4", "label_strength=2"];
    let sets = sets.into_iter().chain(["input_normalization=rms", "network.normalization=unit"]);
    let mut probe = Probe::new(backend, &sets.collect::<Vec<_>>());
    let (pairs, depth) = (probe.network.spec.batch_size, probe.network.layers.len());
    probe.rows.multiply(backend, &probe.network).unwrap();
    let mut states = States::new(backend, &probe.network.spec, 2 * pairs).unwrap();
    states.start(backend, &probe.network, &probe.rows).unwrap();
    let labels = backend.download_indices(probe.plan.batch(0).labels.indices).unwrap();
    for _ in 0..5 {
        let code = LabelCode::Each(probe.plan.batch(0).labels);
        states.step(backend, &probe.network, &probe.rows, code).unwrap();
    }
    let images = fetch(backend, &probe.rows.features);
    let pixels = images.len() / pairs;
    for (row, &label) in labels.iter().enumerate() {
        let image = &images[row % pairs * pixels..][..pixels];
        let length = image.iter().map(|x| x * x).sum::<f64>();
        let image: Vec<f64> = image.iter().map(|x| x / (length / pixels as f64).sqrt()).collect();
        let unit = |h: &Vec<f64>| {
            let length = (h.iter().map(|x| x * x).sum::<f64>() + 1e-8).sqrt();
            h.iter().map(|x| x / length).collect::<Vec<f64>>()
        };
        let strength = 2.0 * unit(&vec![1.0])[0];
        let neutral = vec![strength / CLASSES as f64; CLASSES];
        let mut code = vec![0.0; CLASSES];
        code[label as usize] = strength;
        // Activities of layer l, given the normalized rows beside it; the last layer's label is before what is below.
        let computed = |l: usize, below: &[f64], above: Option<&[f64]>| {
            let tensors = probe.network.layers[l].tensors();
            let weight = fetch(backend, &tensors.weights.weight.value);
            let mut sums = fetch(backend, &tensors.weights.bias.as_ref().unwrap().value);
            let add = |sums: &mut [f64], x: &[f64], weight: &[f64]| {
                for (x, weights) in x.iter().zip(weight.chunks(sums.len())) {
                    sums.iter_mut().zip(weights).for_each(|(sum, w)| *sum += x * w);
                }
            };
            add(&mut sums, below, &weight);
            if let Some(above) = above {
                add(&mut sums, above, &fetch(backend, &tensors.top_down.as_ref().unwrap().weight.value));
            }
            sums.into_iter().map(|a| a.max(0.0)).collect::<Vec<f64>>()
        };
        let labelled = |code: &[f64], below: Vec<f64>| [code, &below].concat();
        let mut h: Vec<Vec<f64>> = Vec::new();
        for l in 0..depth {
            let below = h.last().map_or(image.clone(), unit);
            let below = if l + 1 == depth { labelled(&neutral, below) } else { below };
            h.push(computed(l, &below, None));
        }
        for _ in 0..5 {
            let z: Vec<Vec<f64>> = h.iter().map(unit).collect();
            for (l, h) in h.iter_mut().enumerate() {
                let below = l.checked_sub(1).map_or(image.clone(), |below| z[below].clone());
                let below = if l + 1 == depth { labelled(&code, below) } else { below };
                let new = computed(l, &below, z.get(l + 1).map(Vec::as_slice));
                h.iter_mut().zip(new).for_each(|(h, new)| *h = 0.4 * *h + 0.6 * new);
            }
        }
        for (l, expected) in h.iter().enumerate() {
            let found = fetch(backend, &states.now.hidden[l]);
            let found = &found[row * expected.len()..][..expected.len()];
            let error = relative_error(found, expected);
            assert!(error < 1e-12, "{name}: layer {l} of row {row}: {error:.1e}");
        }
    }
}
