//! One training step: the way of a batch through the algorithm that a spec names.

use ff_backend::{Backend, Result, Rule};

use super::end_to_end::EndToEnd;
use super::local::Local;
use super::pairs::Pairs;
use crate::batching::negatives::Random;
use crate::batching::{Batch, PlannedEpoch};
use crate::network::{Network, download, upload};
use crate::spec::{Learning, Spec};

/// A way to learn from a batch.
pub(super) trait Step<B: Backend> {
    /// The draws of epoch `epoch` (from 1) over images with these labels. By default no negatives are shown: of the
    /// plan, images and their labels count.
    fn plan(&self, spec: &Spec, labels: &[u32], epoch: usize) -> PlannedEpoch {
        PlannedEpoch::draw::<B>(spec, &Random, labels, epoch)
    }

    /// One batch. `layers` and `head` are its update rules.
    fn step(
        &mut self,
        backend: &B,
        network: &mut Network<B>,
        images: &B::Images,
        batch: &Batch<B>,
        layers: Rule,
        head: Rule,
    ) -> Result<()>;

    /// The figures of the last `batches` batches, as means, and sets the sums to 0. Waits for the device.
    fn take_tally(&mut self, backend: &B, batches: usize) -> Result<TrainTally>;

    /// h of each layer in the last batch `[rows, units]`.
    fn hidden(&self) -> &[B::Matrix];
}

/// Buffers of a training step, made once; and the step.
pub struct Stepper<B: Backend> {
    spec: Spec,
    step: Box<dyn Step<B>>,
}

/// Figures of the batches since the last reading.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrainTally {
    /// Mean loss of each layer; empty where the head's is the only one.
    pub losses: Vec<f64>,
    /// Mean goodness of positives in each layer; this and what follows is empty where layers do not learn by goodness.
    pub positive: Vec<f64>,
    /// Mean goodness of negatives in each layer.
    pub negative: Vec<f64>,
    /// Fraction of pairs in each layer whose negative has more goodness.
    pub pairwise_errors: Vec<f64>,
    /// Mean cross-entropy of the head, where it has one of its own.
    pub head_cost: Option<f64>,
}

impl<B: Backend> Stepper<B> {
    /// Buffers for batches of the spec's size.
    pub fn new(backend: &B, spec: &Spec) -> Result<Self> {
        let step: Box<dyn Step<B>> = match spec.learning {
            Learning::Goodness => Box::new(Pairs::new(backend, spec)?),
            Learning::Local { similarity } => Box::new(Local::new(backend, spec, similarity)?),
            Learning::EndToEnd => Box::new(EndToEnd::new(backend, spec)?),
        };
        Ok(Stepper { spec: spec.clone(), step })
    }

    /// The draws of epoch `epoch` (from 1) over images with these labels.
    pub fn plan(&self, labels: &[u32], epoch: usize) -> PlannedEpoch {
        self.step.plan(&self.spec, labels, epoch)
    }

    /// One batch. `layers` and `head` are its update rules.
    pub fn step(
        &mut self,
        backend: &B,
        network: &mut Network<B>,
        images: &B::Images,
        batch: &Batch<B>,
        layers: Rule,
        head: Rule,
    ) -> Result<()> {
        self.step.step(backend, network, images, batch, layers, head)
    }

    /// The figures of the last `batches` batches, as means, and sets the sums to 0. Waits for the device.
    pub fn take_tally(&mut self, backend: &B, batches: usize) -> Result<TrainTally> {
        self.step.take_tally(backend, batches)
    }

    /// Fraction of activities above 0 in each layer, in the last batch. Waits.
    pub fn active_fractions(&self, backend: &B) -> Result<Vec<f64>> {
        let fraction = |hidden: &B::Matrix| {
            let values = download(backend, hidden)?;
            Ok(values.iter().filter(|h| **h > 0.0).count() as f64 / values.len().max(1) as f64)
        };
        self.step.hidden().iter().map(fraction).collect()
    }
}

/// Downloads sums and sets them to 0.
pub(super) fn take<B: Backend>(backend: &B, sums: &mut B::Matrix) -> Result<Vec<f64>> {
    let values: Vec<f64> = download(backend, sums)?.into_iter().map(f64::from).collect();
    upload(backend, sums, &vec![0.0; values.len()])?;
    Ok(values)
}
