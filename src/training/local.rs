//! Local classifiers: a softmax reads each layer, and its gradient ends there (`pred` of arXiv 1901.06656; arXiv
//! 2501.09238); or similarity matching in each layer (`sim`), or both (`predsim`). No error crosses a layer's weights.

use ff_backend::{Backend, Result, Rule};

use super::classified::Classified;
use super::similarities::Similarities;
use super::step::{Step, TrainTally};
use crate::batching::Batch;
use crate::config::LayerSchedule;
use crate::network::Network;
use crate::spec::Spec;

/// Buffers of a step in which each layer learns by itself.
pub(super) struct Local<B: Backend> {
    rows: Classified<B>,
    /// Of each layer.
    similarities: Vec<Similarities<B>>,
}

impl<B: Backend> Local<B> {
    /// Buffers for batches of the spec's size.
    pub fn new(backend: &B, spec: &Spec) -> Result<Self> {
        let factors: Vec<f64> = spec.layers.iter().map(|layer| layer.objective.gradient_scales[0]).collect();
        Ok(Local {
            rows: Classified::new(backend, spec, spec.depth(), &factors)?,
            similarities: (0..spec.depth())
                .map(|l| Similarities::new(backend, spec, l))
                .collect::<Result<_>>()?,
        })
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
        let Local { rows, similarities } = self;
        let greedy = rows.spec.layer_schedule == LayerSchedule::Greedy;
        rows.begin(backend, network, images, batch)?;
        for (l, similarities) in similarities.iter_mut().enumerate() {
            rows.forward(backend, network, l, batch.dropout_seed)?;
            if let Some(part) = network.head.iter_mut().flatten().find(|part| part.layer == l) {
                rows.classify(backend, part, l, batch, head)?;
            }
            let map = network.layers[l].tensors_mut().similarity_map.as_mut();
            similarities.teach(backend, rows, batch, map, layers)?;
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
        let beta = self.rows.spec.learning.similarity();
        let costs = self.rows.take_costs(backend, batches)?;
        let loss = |(cost, similarities): (f64, &mut Similarities<B>)| {
            Ok((1.0 - beta) * cost + beta * similarities.take_loss(backend, batches)?)
        };
        let losses = costs.into_iter().zip(&mut self.similarities).map(loss).collect::<Result<_>>()?;
        Ok(TrainTally { losses, ..TrainTally::default() })
    }

    fn hidden(&self) -> &[B::Matrix] {
        &self.rows.activities.hidden
    }
}
