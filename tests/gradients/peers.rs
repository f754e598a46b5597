//! Peer normalization, whose pull is the gradient of no loss: ascent on every positive row by
//! λ (mean(m) − m_j), whether the unit is active or not, with m ← 0.9 m + 0.1 · mean over positives of h.

use ff_backend::Backend;

use crate::differences::{fetch, relative_error};
use crate::probe::Probe;

const STRENGTH: f64 = 0.03;

pub fn check<B: Backend>(backend: &B) {
    for label in ["overlay", "prepend", "every-layer"] {
        for shortcuts in [true, false] {
            let sets = [format!("label={label}"), format!("exact_shortcuts={shortcuts}")];
            let pull = format!("peer_normalization={STRENGTH}");
            let mut alone = Probe::new(backend, &sets);
            let mut among_peers = Probe::new(backend, &[&sets[..], &[pull]].concat());
            alone.look();
            among_peers.look();
            for l in 0..alone.network.layers.len() {
                check_layer(&mut alone, &among_peers, l);
            }
        }
    }
}

fn check_layer<B: Backend>(alone: &mut Probe<B>, among_peers: &Probe<B>, l: usize) {
    let backend = alone.backend;
    alone.loss(l);
    let (pairs, width) = (alone.network.spec.batch_size, alone.network.spec.layers[l].units);
    let hidden = fetch(backend, &alone.stack.hidden[l]);
    let average = |j: usize| (0..pairs).map(|r| hidden[r * width + j]).sum::<f64>() / pairs as f64;
    let mean: Vec<f64> = (0..width).map(|j| 0.9 * 0.5 + 0.1 * average(j)).collect();
    let running_mean = fetch(backend, &among_peers.network.layers[l].tensors().running_mean);
    assert!(relative_error(&running_mean, &mean) < 1e-14, "running mean of layer {l}");

    // Batches are means over rows, so the pulls of all positive rows make one.
    let mean_of_means = mean.iter().sum::<f64>() / width as f64;
    let bias: Vec<f64> = mean.iter().map(|m| STRENGTH * (mean_of_means - m)).collect();
    let features = mean_positive_row(alone, l);
    let weight: Vec<f64> = features.iter().flat_map(|z| bias.iter().map(move |b| z * b)).collect();
    let velocities = alone.velocity(l).into_iter().zip(among_peers.velocity(l));
    for ((alone, among_peers), expected) in velocities.zip([weight, bias]) {
        let pull: Vec<f64> = among_peers.iter().zip(&alone).map(|(with, without)| with - without).collect();
        let error = relative_error(&pull, &expected);
        assert!(error < 1e-12, "pull on layer {l}: {error:.1e}");
    }
}

/// The mean over positives of what layer `l` reads: label features and normalized others.
fn mean_positive_row<B: Backend>(probe: &Probe<B>, l: usize) -> Vec<f64> {
    let input = probe.input(l);
    let (backend, pairs) = (probe.backend, probe.network.spec.batch_size);
    let features = fetch(backend, input.features);
    let columns = features.len() / fetch(backend, input.squares).len();
    let labels = backend.download_indices(probe.plan.batch(0).labels.indices).unwrap();
    let mut mean = vec![0.0; input.classes() + columns];
    for (row, &label) in features.chunks_exact(columns).zip(&labels).take(pairs) {
        let mut code = vec![0.0; input.classes()];
        if let Some(code) = code.get_mut(label as usize) {
            *code = 1.0;
        }
        // `baseline` gives rows unit length; deeper labels join activities that have it already.
        let counted = if l == 0 { code.iter().chain(row) } else { [].iter().chain(row) };
        let length = (counted.map(|x| x * x).sum::<f64>() + 1e-8).sqrt();
        let code_length = if l == 0 { length } else { 1.0 };
        let row = code.iter().map(|x| x / code_length).chain(row.iter().map(|x| x / length));
        mean.iter_mut().zip(row).for_each(|(mean, x)| *mean += x / pairs as f64);
    }
    mean
}
