//! Local classifiers: a softmax reads each layer, and its gradient ends there (`pred` of arXiv 1901.06656; arXiv
//! 2501.09238). No error crosses a layer's weights.

use ff_backend::{Backend, Result, Rule};

use super::classified::Classified;
use super::step::{Step, TrainTally};
use crate::batching::Batch;
use crate::config::LayerSchedule;
use crate::network::Network;
use crate::spec::Spec;

/// Buffers of a step by local classifiers.
pub(super) struct Local<B: Backend>(Classified<B>);

impl<B: Backend> Local<B> {
    /// Buffers for batches of the spec's size.
    pub fn new(backend: &B, spec: &Spec) -> Result<Self> {
        let factors: Vec<f64> = spec.layers.iter().map(|layer| layer.objective.gradient_scale).collect();
        Ok(Local(Classified::new(backend, spec, spec.depth(), &factors)?))
    }
}

impl<B: Backend> Step<B> for Local<B> {
    fn step(
        &mut self,
        backend: &B,
        network: &mut Network<B>,
        images: &B::Images,
        batch: &Batch<B>,
        layers: Rule,
        head: Rule,
    ) -> Result<()> {
        let Local(rows) = self;
        let greedy = rows.spec.layer_schedule == LayerSchedule::Greedy;
        rows.begin(backend, network, images, batch)?;
        for l in 0..network.layers.len() {
            rows.forward(backend, network, l, batch.dropout_seed)?;
            if let Some(part) = network.head.iter_mut().flatten().find(|part| part.layer == l) {
                rows.classify(backend, part, l, batch, head)?;
            }
            rows.learn(backend, network, l, layers)?;
            if greedy && l + 1 < network.layers.len() {
                if l == 0 {
                    rows.images.multiply(backend, network)?;
                }
                rows.forward(backend, network, l, batch.dropout_seed)?;
            }
        }
        Ok(())
    }

    fn take_tally(&mut self, backend: &B, batches: usize) -> Result<TrainTally> {
        Ok(TrainTally { losses: self.0.take_costs(backend, batches)?, ..TrainTally::default() })
    }

    fn hidden(&self) -> &[B::Matrix] {
        &self.0.activities.hidden
    }
}
