//! Cross-entropy of classifiers, each on its own layer or sent back from the last through all layers; similarities.

use ff_backend::{Backend, LabelCode};
use forward_forward::network::{Activities, forward};

use crate::TOLERANCE;
use crate::differences::{fetch, relative_error, send, slopes};
use crate::probe::{CLASSES, Probe};

/// Each of the three, at the input and between layers.
const NORMALIZATIONS: [&[&str]; 3] = [
    &["input_normalization=none", "network.normalization=unit"],
    &["input_normalization=unit", "network.normalization=rms"],
    &["input_normalization=rms", "network.normalization=none"],
];
const LOSSES: [&[&str]; 6] = [
    &["loss=pred"],
    &["loss=sim"],
    &["loss=predsim", "beta=0.7"],
    &["loss=sim", MAPPED],
    &["loss=predsim", "beta=0.7", MAPPED],
    &["loss=backprop"],
];
/// Similarities are those of a linear map of the activities.
const MAPPED: &str = "similarity_map=true";
const SCALES: [&[&str]; 2] = [&[], &["gradient_scale=0.5", "dropout=0.2", "label_smoothing=0.3"]];
const BASE: [&str; 3] = ["head.enabled=true", "predict=head", "initial_scale=1.5"];
const DENSE: &str = "layer_sizes=[9, 8, 7]";
/// On the image of 3 × 4 pixels: errors go back through both.
const LOCAL: &str = "layers=[{kind='local',grid=[2,3],stride=1,field=2,channels=3},\
                     {kind='local',grid=[1,2],stride=1,field=2,channels=4},{kind='dense',units=5}]";

pub fn check<B: Backend>(backend: &B, name: &str) {
    let mut worst = 0.0_f64;
    for loss in LOSSES {
        for normalization in NORMALIZATIONS {
            for scales in SCALES {
                for layers in [DENSE, LOCAL] {
                    let sets = [&BASE[..], loss, normalization, scales, &[layers]].concat();
                    worst = worst.max(agreement(backend, &sets));
                }
            }
        }
    }
    println!("classifiers on {name}: worst relative error {worst:.1e}");
}

/// Where a tensor lies.
#[derive(Clone, Copy, Debug)]
enum Place {
    Weight(usize),
    Bias(usize),
    Head(usize),
    Map(usize),
}

fn read<B: Backend>(probe: &Probe<B>, place: Place) -> [Vec<f64>; 2] {
    let (backend, network) = (probe.backend, &probe.network);
    match place {
        Place::Weight(l) => {
            let weight = &network.layers[l].tensors().weights.weight;
            [fetch(backend, &weight.value), fetch(backend, &weight.first)]
        }
        Place::Bias(l) => {
            let bias = network.layers[l].tensors().weights.bias.as_ref().unwrap();
            [fetch(backend, &bias.value), fetch(backend, &bias.first)]
        }
        Place::Head(part) => {
            let weight = &network.head.as_ref().unwrap()[part].weights.weight;
            [fetch(backend, &weight.value), fetch(backend, &weight.first)]
        }
        Place::Map(l) => {
            let weight = &network.layers[l].tensors().similarity_map.as_ref().unwrap().weight;
            [fetch(backend, &weight.value), fetch(backend, &weight.first)]
        }
    }
}

fn write<B: Backend>(probe: &mut Probe<B>, place: Place, values: &[f64]) {
    let (backend, network) = (probe.backend, &mut probe.network);
    match place {
        Place::Weight(l) => {
            send(backend, &mut network.layers[l].tensors_mut().weights.weight.value, values);
        }
        Place::Bias(l) => {
            let bias = network.layers[l].tensors_mut().weights.bias.as_mut().unwrap();
            send(backend, &mut bias.value, values);
        }
        Place::Head(part) => {
            send(backend, &mut network.head.as_mut().unwrap()[part].weights.weight.value, values);
        }
        Place::Map(l) => {
            let map = network.layers[l].tensors_mut().similarity_map.as_mut().unwrap();
            send(backend, &mut map.weight.value, values);
        }
    }
}

fn agreement<B: Backend>(backend: &B, sets: &[&str]) -> f64 {
    let mut probe = Probe::new(backend, sets);
    probe.look();
    let local = !sets.contains(&"loss=backprop");
    let beta = match (sets.contains(&"loss=sim"), sets.contains(&"loss=predsim")) {
        (true, _) => 1.0,
        (_, true) => 0.7,
        _ => 0.0,
    };
    let depth = probe.network.layers.len();
    let parts = probe.network.head.as_ref().unwrap().len();
    assert_eq!(parts, if local { depth } else { 1 });
    // A layer learns from its own classifier, or from the only one.
    let part_of = |l: usize| if local { l } else { 0 };
    let layers = (0..depth).flat_map(|l| [(Place::Weight(l), part_of(l)), (Place::Bias(l), part_of(l))]);
    let maps = (0..depth).filter(|_| sets.contains(&MAPPED)).map(|l| (Place::Map(l), l));
    let places: Vec<_> = layers.chain((0..parts).map(|part| (Place::Head(part), part))).chain(maps).collect();
    let mut worst = 0.0_f64;
    for (place, part) in places {
        let [values, velocity] = read(&probe, place);
        // What the read-out and the map learn from is their own.
        let (beta, scale) = match place {
            Place::Weight(_) | Place::Bias(_) => (beta, probe.gradient_scale),
            Place::Head(_) => (0.0, 1.0),
            Place::Map(_) => (1.0, 1.0),
        };
        let found = slopes(&values, |moved| {
            write(&mut probe, place, moved);
            loss(&mut probe, part, beta)
        });
        write(&mut probe, place, &values);
        let expected: Vec<f64> = found.iter().map(|slope| scale * slope).collect();
        let stepped: Vec<f64> = velocity.iter().map(|v| -v).collect();
        assert!(
            expected.iter().any(|slope| slope.abs() > 1e-4),
            "nothing to learn in {place:?} with {sets:?}"
        );
        let error = relative_error(&stepped, &expected);
        assert!(error < TOLERANCE, "{place:?}: {error:.1e} with {sets:?}");
        worst = worst.max(error);
    }
    worst
}

/// (1 − β) of the mean cross-entropy of a classifier and β of its layer's similarities, in a forward pass with the
/// batch's dropout.
fn loss<B: Backend>(probe: &mut Probe<B>, part: usize, beta: f64) -> f64 {
    let Probe { backend, network, rows, plan, .. } = probe;
    let (backend, batch, count) = (*backend, plan.batch(0), network.spec.batch_size);
    let mut activities = Activities::new(backend, &network.spec, count).unwrap();
    rows.multiply(backend, network).unwrap();
    for l in 0..network.layers.len() {
        forward(backend, network, rows, l, LabelCode::Neutral, &mut activities).unwrap();
        let rate = network.spec.dropout;
        if rate > 0.0 {
            let seed = batch.dropout_seed.wrapping_add(l as u32);
            backend.dropout(&mut activities.hidden[l], rate, seed, &mut activities.squares[l]).unwrap();
        }
    }
    let [mut logits, mut errors] = [(); 2].map(|()| backend.zeros(count, CLASSES).unwrap());
    let mut cost = backend.zeros(1, 1).unwrap();
    let part = &network.head.as_ref().unwrap()[part];
    part.read_out(backend, &activities, &mut logits, false).unwrap();
    let smoothing = network.spec.label_smoothing;
    backend.softmax(&logits, batch.truth, smoothing, &mut errors, &mut cost).unwrap();
    let labels = backend.download_indices(batch.truth.indices).unwrap();
    let hidden = fetch(backend, &activities.hidden[part.layer]);
    let matched = match &network.layers[part.layer].tensors().similarity_map {
        Some(map) => mapped(&hidden, &fetch(backend, &map.weight.value), count),
        None => hidden,
    };
    let dissimilar = dissimilarity(&matched, &labels[..count]);
    (1.0 - beta) * fetch(backend, &cost)[0] + beta * dissimilar
}

/// h M `[rows, units]`.
fn mapped(hidden: &[f64], map: &[f64], rows: usize) -> Vec<f64> {
    let units = hidden.len() / rows;
    let entry = |row: &[f64], j: usize| row.iter().enumerate().map(|(k, h)| h * map[k * units + j]).sum();
    hidden.chunks(units).flat_map(|row| (0..units).map(|j| entry(row, j)).collect::<Vec<f64>>()).collect()
}

/// Mean square of what the cosines of centred rows differ from those of their labels by.
fn dissimilarity(hidden: &[f64], labels: &[u32]) -> f64 {
    let units = hidden.len() / labels.len();
    let centred = |row: &[f64]| {
        let mean = row.iter().sum::<f64>() / units as f64;
        let length = (row.iter().map(|h| (h - mean) * (h - mean)).sum::<f64>() + 1e-8).sqrt();
        row.iter().map(|h| (h - mean) / length).collect::<Vec<f64>>()
    };
    let code = |label: u32| centred_code(label as usize);
    let rows: Vec<Vec<f64>> = hidden.chunks(units).map(centred).collect();
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    let mut sum = 0.0;
    for (x, &one) in rows.iter().zip(labels) {
        for (y, &other) in rows.iter().zip(labels) {
            sum += (dot(x, y) - dot(&code(one), &code(other))).powi(2);
        }
    }
    sum / (labels.len() * labels.len()) as f64
}

/// A label as a one-hot row less its mean, of length one.
fn centred_code(label: usize) -> Vec<f64> {
    let mean = 1.0 / CLASSES as f64;
    let code: Vec<f64> = (0..CLASSES).map(|c| if c == label { 1.0 - mean } else { -mean }).collect();
    let length = code.iter().map(|x| x * x).sum::<f64>().sqrt();
    code.iter().map(|x| x / length).collect()
}
