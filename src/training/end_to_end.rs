//! Backpropagation: a softmax reads the last layer, and its gradient goes back through all of them.

use ff_backend::{Backend, Result, Rule};

use super::classified::Classified;
use super::step::{Step, TrainTally};
use crate::batching::Batch;
use crate::network::Network;
use crate::spec::Spec;

/// Buffers of a step by backpropagation.
pub(super) struct EndToEnd<B: Backend>(Classified<B>);

impl<B: Backend> EndToEnd<B> {
    /// Buffers for batches of the spec's size.
    pub fn new(backend: &B, spec: &Spec) -> Result<Self> {
        // Each layer that an error has passed on its way down has divided by 1 − dropout what it kept.
        let kept = 1.0 - spec.dropout;
        let passed = |l: usize| kept.powi((spec.depth() - 1 - l) as i32);
        let layers = spec.layers.iter().enumerate();
        let factors: Vec<f64> =
            layers.map(|(l, layer)| layer.objective.gradient_scales[0] / passed(l)).collect();
        Ok(EndToEnd(Classified::new(backend, spec, 1, &factors)?))
    }
}

impl<B: Backend> Step<B> for EndToEnd<B> {
    fn step(
        &mut self,
        backend: &B,
        network: &mut Network<B>,
        images: &B::Images,
        batch: &Batch<B>,
        layers: Rule,
        head: Rule,
    ) -> Result<()> {
        let EndToEnd(rows) = self;
        rows.begin(backend, network, images, batch)?;
        for l in 0..network.layers.len() {
            rows.forward(backend, network, l, batch.dropout_seed)?;
        }
        for part in network.head.iter_mut().flatten() {
            rows.classify(backend, part, 0, batch, head)?;
        }
        for l in (0..network.layers.len()).rev() {
            if l > 0 {
                rows.send_back(backend, network, l)?;
            }
            rows.learn(backend, network, l, layers)?;
        }
        Ok(())
    }

    fn take_tally(&mut self, backend: &B, batches: usize) -> Result<TrainTally> {
        let costs = self.0.take_costs(backend, batches)?;
        Ok(TrainTally { head_cost: costs.first().copied(), ..TrainTally::default() })
    }

    fn hidden(&self) -> &[B::Matrix] {
        &self.0.activities.hidden
    }
}
