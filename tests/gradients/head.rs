//! The head's cross-entropy.

use ff_backend::Backend;
use forward_forward::network::{Activities, neutral_logits};

use crate::TOLERANCE;
use crate::differences::{fetch, relative_error, send, slopes};
use crate::probe::{CLASSES, Probe};

pub fn check<B: Backend>(backend: &B, name: &str) {
    let mut worst = 0.0_f64;
    for normalization in ["none", "unit", "rms"] {
        for label in ["overlay", "prepend", "every-layer"] {
            for sizes in ["[6, 5]", "[6]", "[5, 6, 4]"] {
                for shortcuts in [true, false] {
                    let sets = [
                        "head.enabled=true".to_owned(),
                        format!("network.normalization={normalization}"),
                        format!("label={label}"),
                        format!("layer_sizes={sizes}"),
                        format!("exact_shortcuts={shortcuts}"),
                    ];
                    worst = worst.max(agreement(&mut Probe::new(backend, &sets), &sets));
                }
            }
        }
    }
    println!("head on {name}: worst relative error {worst:.1e}");
}

fn agreement<B: Backend>(probe: &mut Probe<B>, sets: &[String]) -> f64 {
    let backend = probe.backend;
    probe.look();
    probe.rows.multiply(backend, &probe.network).unwrap();
    let pairs = probe.network.spec.batch_size;
    let mut activities = Activities::new(backend, &probe.network.spec, pairs).unwrap();
    let mut logits = backend.zeros(pairs, CLASSES).unwrap();
    let mut errors = backend.zeros(pairs, CLASSES).unwrap();
    let mut cost = backend.zeros(1, 1).unwrap();
    let mut worst = 0.0_f64;
    let parts = probe.network.head.as_ref().unwrap().len();
    assert_eq!(parts, (probe.network.layers.len() - 1).max(1), "the first layer is read only if it is alone");
    for index in 0..parts {
        let part = |probe: &mut Probe<B>, values: &[f64]| {
            let part = &mut probe.network.head.as_mut().unwrap()[index];
            send(backend, &mut part.weights.weight.value, values);
        };
        let weights = &probe.network.head.as_ref().unwrap()[index].weights.weight;
        let (values, velocity) = (fetch(backend, &weights.value), fetch(backend, &weights.first));
        let slopes = slopes(&values, |moved| {
            part(probe, moved);
            send(backend, &mut cost, &[0.0]);
            neutral_logits(backend, &probe.network, &probe.rows, &mut activities, &mut logits).unwrap();
            backend.softmax(&logits, probe.plan.batch(0).truth, 0.0, &mut errors, &mut cost).unwrap();
            fetch(backend, &cost)[0]
        });
        part(probe, &values);
        let gradient: Vec<f64> = velocity.iter().map(|v| -v).collect();
        let error = relative_error(&gradient, &slopes);
        assert!(error < TOLERANCE, "head part {index}: {error:.1e} with {sets:?}");
        worst = worst.max(error);
    }
    worst
}
