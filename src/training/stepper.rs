//! One training step: the way of a batch through the algorithm that a spec names.

use ff_backend::{Backend, Result, Rule};

use super::end_to_end::EndToEnd;
use super::local::Local;
use super::pairs::Pairs;
use super::step::{Step, TrainTally};
use super::top_down::TopDown;
use crate::batching::{Batch, PlannedEpoch};
use crate::network::{Network, download};
use crate::spec::{Learning, Spec};

/// Buffers of a training step, made once; and the step.
pub struct Stepper<B: Backend> {
    spec: Spec,
    step: Box<dyn Step<B>>,
}

impl<B: Backend> Stepper<B> {
    /// Buffers for batches of the spec's size.
    pub fn new(backend: &B, spec: &Spec) -> Result<Self> {
        let step: Box<dyn Step<B>> = match spec.learning {
            Learning::Goodness if spec.top_down.is_some() => Box::new(TopDown::new(backend, spec)?),
            Learning::Goodness => Box::new(Pairs::new(backend, spec)?),
            Learning::Local { .. } => Box::new(Local::new(backend, spec)?),
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
