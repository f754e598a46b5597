//! Layer losses, under every combination of the knobs that their gradients depend on.

use ff_backend::Backend;

use crate::TOLERANCE;
use crate::differences::relative_error;
use crate::probe::Probe;

const LOSSES: [&[&str]; 6] = [
    &["loss=bce", "threshold=1.5", "temperature=1.0"],
    &["loss=bce", "threshold=\"width\"", "temperature=4.0"],
    &["loss=bce", "threshold=0.3", "temperature=0.5"],
    &["loss=symba", "alpha=4.0"],
    &["loss=symba", "alpha=0.7"],
    // No pair of any case is as far apart: beyond the margin there is no slope to compare.
    &["loss=margin", "margin=1000.0"],
];
const GOODNESS: [&[&str]; 6] = [
    &["goodness.function=sum"],
    &["goodness.function=mean"],
    &["goodness.function=topk", "top_k=3"],
    &["goodness.function=l1"],
    &["goodness.function=entmax"],
    &["goodness.function=sum", "goodness.sign=minimize"],
];
/// Each of the three, at the input and between layers.
const NORMALIZATIONS: [&[&str]; 3] = [
    &["input_normalization=none", "network.normalization=unit"],
    &["input_normalization=unit", "network.normalization=rms"],
    &["input_normalization=rms", "network.normalization=none"],
];
const LABELS: [&[&str]; 3] = [
    &["label=overlay", "label_strength=1.0"],
    &["label=prepend", "label_strength=2.5"],
    &["label=every-layer", "label_strength=0.5"],
];

pub fn check<B: Backend>(backend: &B, name: &str) {
    let mut worst = 0.0_f64;
    for loss in LOSSES {
        for goodness in GOODNESS {
            for normalization in NORMALIZATIONS {
                for label in LABELS {
                    let sets = [loss, goodness, normalization, label].concat();
                    worst = worst.max(agreement(backend, &sets));
                }
            }
        }
    }
    println!("layers on {name}: worst relative error {worst:.1e}");
}

/// Local layers on the image of 3 × 4 pixels and on each other, then a dense one; and one whose field is the image.
const LOCAL: [&str; 2] = [
    "layers=[{kind='local',grid=[2,3],stride=1,field=2,channels=3},\
     {kind='local',grid=[1,2],stride=1,field=2,channels=4},{kind='dense',units=5}]",
    "layers=[{kind='local',grid=[2,3],stride=1,field=2,channels=1},{kind='dense',units=4}]",
];

pub fn check_local<B: Backend>(backend: &B, name: &str) {
    let mut worst = 0.0_f64;
    for layers in LOCAL {
        for (loss, goodness) in [(LOSSES[0], GOODNESS[0]), (LOSSES[3], GOODNESS[1]), (LOSSES[0], GOODNESS[3])]
        {
            for normalization in NORMALIZATIONS {
                for label in LABELS {
                    let sets = [loss, goodness, normalization, label, &[layers]].concat();
                    worst = worst.max(agreement(backend, &sets));
                }
            }
        }
    }
    println!("local layers on {name}: worst relative error {worst:.1e}");
}

pub fn check_scaled<B: Backend>(backend: &B, name: &str) {
    let mut worst = 0.0_f64;
    for loss in LOSSES {
        for goodness in GOODNESS {
            let scales = ["gradient_scale=0.5", "dropout=0.3", "label=prepend"];
            for images in [&[][..], &["center_images=true"]] {
                worst = worst.max(agreement(backend, &[loss, goodness, &scales, images].concat()));
            }
        }
    }
    println!("scaled layers on {name}: worst relative error {worst:.1e}");
}

/// The largest relative error of a gradient, by the operation and by a training step, with and
/// without the exact shortcuts.
fn agreement<B: Backend>(backend: &B, sets: &[&str]) -> f64 {
    let mut worst = 0.0_f64;
    for shortcuts in ["exact_shortcuts=true", "exact_shortcuts=false"] {
        let mut probe = Probe::new(backend, &[sets, &[shortcuts]].concat());
        probe.look();
        for l in 0..probe.network.layers.len() {
            let scale = probe.gradient_scale;
            let slopes = probe.slopes(l);
            let (gradient, velocity) = (probe.gradient(l), probe.velocity(l));
            for (part, slopes) in slopes.iter().enumerate() {
                let expected: Vec<f64> = slopes.iter().map(|slope| scale * slope).collect();
                let stepped: Vec<f64> = velocity[part].iter().map(|v| -v).collect();
                for (by, ours) in [("gradient", &gradient[part]), ("step", &stepped)] {
                    let error = relative_error(ours, &expected);
                    let what = ["weights", "biases"][part];
                    assert!(error < TOLERANCE, "{by}, {what} of layer {l}: {error:.1e} with {sets:?}");
                    worst = worst.max(error);
                }
            }
        }
    }
    worst
}
