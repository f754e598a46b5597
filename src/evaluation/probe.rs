//! A linear probe: softmax regression on the normalized activities of all layers but the first, which stay
//! as they are (arXiv 2212.13345, section 3.2).

use ff_backend::{Backend, Delta, Input, Plan, Result, Rule, Weights};

use crate::config::{Config, OptimizerKind, RateSchedule};
use crate::data::Split;
use crate::network::{
    Activities, HeadLayer, ImageRows, Network, initial_head, neutral_logits, parameter, upload,
};
use crate::training::{EpochPlan, PlannedEpoch, gain};

/// Adam's mean step size; it falls to 0 along half a cosine.
const RATE: f64 = 0.0015;

/// Trains a fresh head on plain images with Adam and puts it in the place of the network's.
pub fn train_probe<B: Backend>(
    backend: &B,
    network: &mut Network<B>,
    config: &Config,
    train: &Split,
    epochs: usize,
) -> Result<()> {
    let architecture = network.architecture.clone();
    let classes = architecture.classes;
    let fresh = architecture.scored_layers().map(|layer| {
        let fan_out = architecture.widths[layer];
        let values = initial_head(fan_out, classes);
        let weight = parameter(backend, fan_out, classes, &values, OptimizerKind::Adam)?;
        Ok(HeadLayer { layer, weights: Weights { weight, bias: None } })
    });
    network.head = Some(fresh.collect::<Result<_>>()?);

    let pairs = config.training.batch_size.min(train.len().max(1));
    let mut config = config.clone();
    config.training.batch_size = pairs;
    let images = backend.images(&train.pixels, architecture.image.height, architecture.image.width)?;
    let mut rows = ImageRows::new(backend, &architecture, pairs)?;
    let mut activities = Activities::new(backend, &architecture, pairs)?;
    let mut logits = backend.zeros(pairs, classes)?;
    let mut errors = backend.zeros(pairs, classes)?;
    let mut cost = backend.zeros(1, 2)?;
    let mut shares = backend.zeros(1, pairs)?;
    upload(backend, &mut shares, &vec![1.0 / pairs as f32; pairs])?;
    let mut plan: Option<EpochPlan<B>> = None;
    let mut step = 0;
    for epoch in 1..=epochs {
        let planned = PlannedEpoch::draw(&config, &train.labels, classes, epoch);
        let plan = match &mut plan {
            Some(plan) => {
                plan.upload(backend, &planned)?;
                plan
            }
            empty => empty.insert(EpochPlan::new(backend, &planned, pairs)?),
        };
        let rate = RATE * gain(RateSchedule::Cosine, epoch, epochs);
        for index in 0..plan.batches {
            let batch = plan.batch(index);
            let truth: Plan<B> = batch.truth;
            rows.gather(backend, &architecture, &images, batch.rows, batch.shifts)?;
            rows.multiply(backend, network, true)?;
            neutral_logits(backend, network, &rows, &mut activities, &mut logits)?;
            backend.softmax(&logits, truth, &mut errors, &mut cost)?;
            step += 1;
            let rule = Rule::Adam { rate, step, idle: 0 };
            let delta = Delta { coefficients: &shares, outputs: &errors, peer: None, skip_zeros: false };
            for part in network.head.iter_mut().flatten() {
                let input = Input {
                    features: &activities.hidden[part.layer],
                    squares: &activities.squares[part.layer],
                    normalization: architecture.normalization,
                    label: None,
                };
                backend.learn(&input, &delta, &mut part.weights, rule)?;
            }
        }
    }
    Ok(())
}
