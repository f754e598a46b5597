//! A linear probe: softmax regression on the normalized activities of the scored layers, which stay
//! as they are (arXiv 2212.13345, section 3.2).

use ff_backend::{Backend, Result};

use crate::batching::negatives::Random;
use crate::batching::{EpochPlan, PlannedEpoch, upload_images};
use crate::config::RateSchedule;
use crate::data::Split;
use crate::network::{Activities, HeadLayer, ImageRows, Network, head_logits, neutral_pass, upload};
use crate::spec::{Optimizer, Spec, learning_rate_factor};

/// Adam; its step size falls to 0 along half a cosine, and this is the mean.
const OPTIMIZER: Optimizer = Optimizer::Adam { learning_rate: 0.0015, idle_steps: 0 };

/// How a probe learns.
#[derive(Clone, Copy, Debug)]
pub struct ProbeTraining {
    /// Passes over the training set.
    pub epochs: usize,
    /// Share of the activities that are silenced before it reads them, 0 ≤ dropout < 1 (arXiv 1207.0580).
    pub dropout: f64,
}

/// Trains a fresh head on images without a label, shifted and turned as in training, and puts it in the place of the network's.
pub fn train_probe<B: Backend>(
    backend: &B,
    network: &mut Network<B>,
    train: &Split,
    ProbeTraining { epochs, dropout }: ProbeTraining,
) -> Result<()> {
    let batch_size = network.spec.batch_size.min(train.len().max(1));
    let spec = Spec { batch_size, ..network.spec.clone() };
    network.head = Some(HeadLayer::all(backend, &spec, spec.scored_layers(), OPTIMIZER)?);

    let images = upload_images(backend, &spec, &train.pixels)?;
    let mut rows = ImageRows::new(backend, &spec, batch_size)?;
    let mut activities = Activities::new(backend, &spec, batch_size)?;
    let mut logits = backend.zeros(batch_size, spec.classes)?;
    let mut errors = backend.zeros(batch_size, spec.classes)?;
    let mut cost = backend.zeros(1, 1)?;
    let mut shares = backend.zeros(1, batch_size)?;
    upload(backend, &mut shares, &vec![1.0 / batch_size as f32; batch_size])?;
    let mut plan: Option<EpochPlan<B>> = None;
    let mut step = 0;
    for epoch in 1..=epochs {
        // No negatives are shown: of the plan, only images and their labels count.
        let planned = PlannedEpoch::draw::<B>(&spec, &Random, &train.labels, epoch);
        let plan = match &mut plan {
            Some(plan) => {
                plan.upload(backend, &planned)?;
                plan
            }
            empty => empty.insert(EpochPlan::new(backend, &planned, batch_size)?),
        };
        let factor = learning_rate_factor(RateSchedule::Cosine, epoch, epochs);
        for index in 0..plan.batches {
            let batch = plan.batch(index);
            rows.gather(backend, &images, batch.rows, batch.shifts)?;
            rows.multiply(backend, network)?;
            // Each layer reads what the one below it has, before any of it is silenced.
            neutral_pass(backend, network, &rows, &mut activities)?;
            for l in spec.scored_layers() {
                activities.silence(backend, l, dropout, batch.dropout_seed)?;
            }
            head_logits(backend, network, &activities, &mut logits)?;
            backend.softmax(&logits, batch.truth, 0.0, &mut errors, &mut cost)?;
            let rule = OPTIMIZER.rule(factor, step);
            step += 1;
            for part in network.head.iter_mut().flatten() {
                part.learn(backend, &activities, &errors, &shares, rule)?;
            }
        }
    }
    Ok(())
}
