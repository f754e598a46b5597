//! The official MATLAB code's training run: its initial parameters, batches and wrong labels in, its
//! trajectory out.

mod first_batch;
mod pairs;

use ff_backend::Backend;
use forward_forward::batching::{EpochPlan, PlannedEpoch};
use forward_forward::config::{Config, ConfigBuilder, PredictKind};
use forward_forward::data::ImageShape;
use forward_forward::evaluation::Evaluator;
use forward_forward::network::{Network, Tensors};
use forward_forward::spec::Spec;
use forward_forward::training::{Stepper, TrainTally};

use self::pairs::Pairs;
use crate::comparison::Comparison;
use crate::files::{File, fetch};

/// Only files of this kind have it.
pub const MARK: &str = "batch1.head_probabilities";

/// Training cases that the official code tests in the end.
const TRAINING_CASES_TESTED: usize = 100;

/// Drawn labels come with the file, as `random` ones do with a plan: `hard` would draw them anew.
fn config(file: &File) -> Config {
    let [epochs, _, batch] = file.shape("wrong_labels") else { panic!("wrong_labels [epoch, batch, case]") };
    ConfigBuilder::new()
        .set("recipe=hinton")
        .set("negatives=random")
        .set("label=overlay")
        .set(format!("num_epochs={epochs}"))
        .set(format!("training.batch_size={batch}"))
        .set(format!("layer_sizes={:?}", file.widths("init.")))
        .build()
        .unwrap()
}

fn network<B: Backend>(backend: &B, file: &File, config: &Config) -> Network<B> {
    let pixels = file.shape("train.images")[2];
    let classes = file.shape(MARK)[1];
    let spec = Spec::new(config, ImageShape::gray(1, pixels), classes);
    let mut network = Network::new(backend, spec).unwrap();
    for (l, layer) in network.layers.iter_mut().enumerate() {
        let Tensors { weights, running_mean, .. } = layer.tensors_mut();
        file.load(backend, &format!("init.layers.{l}.weight"), &mut weights.weight.value);
        let bias = weights.bias.as_mut().unwrap();
        file.load(backend, &format!("init.layers.{l}.bias"), &mut bias.value);
        file.load(backend, &format!("init.running_mean.{l}"), running_mean);
    }
    for part in network.head.iter_mut().flatten() {
        file.load(backend, &format!("init.head.{}.weight", part.layer), &mut part.weights.weight.value);
    }
    network
}

/// The bytes that the images were made of.
fn pixels(file: &File, name: &str) -> Vec<u8> {
    let byte = |&x: &f64| {
        let byte = (x * 255.0).round();
        assert!((byte - x * 255.0).abs() < 1e-4, "{name} has {x}, which is no multiple of 1/255");
        byte as u8
    };
    file.values(name).iter().map(byte).collect()
}

/// The file's batches in order, with the wrong labels drawn in an epoch, from 0.
fn planned(file: &File, epoch: usize) -> PlannedEpoch {
    let [_, batches, batch] = *file.shape("wrong_labels") else {
        panic!("wrong_labels [epoch, batch, case]")
    };
    let truth = file.indices("train.labels");
    let wrong = file.indices("wrong_labels").split_off(epoch * batches * batch);
    let pairs = truth.chunks_exact(batch).zip(wrong.chunks_exact(batch));
    let rows: Vec<u32> = (0..truth.len() as u32).collect();
    PlannedEpoch {
        stacked: rows.chunks_exact(batch).flat_map(|rows| [rows, rows].concat()).collect(),
        labels: pairs.flat_map(|(truth, wrong)| [truth, wrong].concat()).collect(),
        rows,
        truth,
        numbers: Vec::new(),
        stacked_shifts: Vec::new(),
        shifts: Vec::new(),
        dropout: vec![0; batches],
        batches,
    }
}

/// Within 1e-4 to the end of the first epoch, then within `later`.
pub fn follow<B: Backend>(backend: &B, name: &str, file: &File, later: f64) -> Comparison {
    let mut result = Comparison::new(format!("{} · {name}", file.path.display()), 1e-4);
    let config = config(file);
    let mut network = network(backend, file, &config);
    first_batch::compare(backend, file, &config, &mut result);

    let spec = network.spec.clone();
    let image = spec.image;
    let images = backend.images(&pixels(file, "train.images").into(), image.height, image.width).unwrap();
    let mut stepper = Stepper::new(backend, &spec).unwrap();
    for epoch in 1..=spec.num_epochs {
        let plan = EpochPlan::new(backend, &planned(file, epoch - 1), spec.batch_size).unwrap();
        let mut pairs = Pairs::new(backend, &network, spec.batch_size);
        for index in 0..plan.batches {
            pairs.count(backend, &network, &images, &plan.batch(index));
            let batch = ((epoch - 1) * plan.batches + index) as u64;
            let (layers, head) = (spec.layer_rule(epoch, batch), spec.head_rule(epoch, batch));
            stepper.step(backend, &mut network, &images, &plan.batch(index), layers, head).unwrap();
            if batch == 0 {
                compare_network(backend, file, "batch1", &network, &mut result);
            }
        }
        let at = format!("epoch{epoch}");
        let tally = stepper.take_tally(backend, plan.batches).unwrap();
        compare_network(backend, file, &at, &network, &mut result);
        compare_tally(file, &at, &tally, &pairs, plan.batches * spec.batch_size, &mut result);
        // Recorded in single precision: 1/3 is 0.33333334 there.
        let (ours, theirs) =
            (spec.learning_rate_factor(epoch), file.values(&format!("{at}.learning_rate_gain"))[0]);
        let near = (ours - theirs).abs() <= f64::from(f32::EPSILON) * theirs.abs();
        result.equal(&format!("{at}.learning_rate_gain {ours}, not {theirs}"), near, true);
        result.tolerance = later;
    }
    compare_errors(backend, file, &network, &mut result);
    result
}

/// Parameters, what the optimizer remembers of them, running means.
fn compare_network<B: Backend>(
    backend: &B,
    file: &File,
    at: &str,
    network: &Network<B>,
    result: &mut Comparison,
) {
    let mut compare = |part: &str, rest: String, ours: Vec<f64>| {
        let name = format!("{at}.{part}.{rest}");
        result.close(&format!("{at} {part}"), &name, &ours, file.values(&name));
    };
    for (l, layer) in network.layers.iter().enumerate() {
        let Tensors { weights, running_mean, .. } = layer.tensors();
        let bias = weights.bias.as_ref().unwrap();
        compare("layers", format!("{l}.weight"), fetch(backend, &weights.weight.value));
        compare("velocity", format!("{l}.weight"), fetch(backend, &weights.weight.first));
        compare("layers", format!("{l}.bias"), fetch(backend, &bias.value));
        compare("velocity", format!("{l}.bias"), fetch(backend, &bias.first));
        compare("running_mean", l.to_string(), fetch(backend, running_mean));
    }
    for part in network.head.iter().flatten() {
        let (name, weight) = (format!("{}.weight", part.layer), &part.weights.weight);
        compare("head", name.clone(), fetch(backend, &weight.value));
        compare("head_velocity", name, fetch(backend, &weight.first));
    }
    let read = network.spec.scored_layers();
    for l in (0..network.layers.len()).filter(|l| !read.contains(l)) {
        let theirs = file.values(&format!("{at}.head.{l}.weight"));
        result.equal(&format!("{at}: no head on layer {l}"), true, theirs.iter().all(|&w| w == 0.0));
    }
}

fn compare_tally<B: Backend>(
    file: &File,
    at: &str,
    tally: &TrainTally,
    pairs: &Pairs<B>,
    cases: usize,
    result: &mut Comparison,
) {
    // Theirs is summed over a batch's cases.
    let cost = tally.head_cost.unwrap() * file.shape("wrong_labels")[2] as f64;
    result.close("head_cost", &format!("{at}.head_cost"), &[cost], file.values(&format!("{at}.head_cost")));
    let share = |share: &f64| (share * cases as f64).round() as u32;
    let weaker: Vec<u32> = tally.pairwise_errors.iter().map(share).collect();
    result.equal(&format!("{at}: tally of pairwise errors"), &weaker, &pairs.weaker);
    // A pair within rounding of a tie may fall either way.
    let theirs = file.indices(&format!("{at}.pairwise_errors"));
    let near = pairs.improbable.iter().zip(&theirs).all(|(ours, theirs)| ours.abs_diff(*theirs) <= 1);
    result.equal(&format!("{at}.pairwise_errors {:?}, not {theirs:?}", pairs.improbable), near, true);
}

fn compare_errors<B: Backend>(backend: &B, file: &File, network: &Network<B>, result: &mut Comparison) {
    for set in ["train", "test"] {
        let mut labels = file.indices(&format!("{set}.labels"));
        let mut pixels = pixels(file, &format!("{set}.images"));
        if set == "train" {
            labels.truncate(TRAINING_CASES_TESTED);
            pixels.truncate(labels.len() * network.spec.image.pixels());
        }
        // Two full chunks and a rest.
        let mut evaluator = Evaluator::new(backend, network, &pixels.into(), labels.len() * 2 / 5).unwrap();
        let predictions = evaluator.predict(backend, network, PredictKind::Energy).unwrap();
        let mut compare = |by: &str, ours: &[u32]| {
            let name = format!("final.{by}_errors_{set}");
            if file.has(&name) {
                let wrong = ours.iter().zip(&labels).filter(|(ours, label)| ours != label).count();
                result.equal(&name, vec![wrong as u32], file.indices(&name));
            }
        };
        compare("energy", &predictions.energy);
        compare("head", &predictions.head.unwrap());
    }
}
