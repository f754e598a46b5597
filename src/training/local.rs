//! Local classifiers: a softmax reads each layer, and its gradient ends there (`pred` of arXiv 1901.06656; arXiv
//! 2501.09238); or similarity matching in each layer (`sim`), or both (`predsim`). No error crosses a layer's weights.

use ff_backend::{Backend, Result, Rule};

use super::classified::Classified;
use super::step::{Step, TrainTally, take};
use crate::batching::Batch;
use crate::config::LayerSchedule;
use crate::network::Network;
use crate::spec::Spec;

/// Buffers of a step in which each layer learns by itself.
pub(super) struct Local<B: Backend> {
    rows: Classified<B>,
    /// β, the similarities' share of the loss.
    similarity: f64,
    /// Sums of each layer's loss of similarities since the last reading.
    dissimilar: Vec<B::Matrix>,
}

impl<B: Backend> Local<B> {
    /// Buffers for batches of the spec's size.
    pub fn new(backend: &B, spec: &Spec, similarity: f64) -> Result<Self> {
        let factors: Vec<f64> = spec.layers.iter().map(|layer| layer.objective.gradient_scales[0]).collect();
        Ok(Local {
            rows: Classified::new(backend, spec, spec.depth(), &factors)?,
            similarity,
            dissimilar: spec.layers.iter().map(|_| backend.zeros(1, 1)).collect::<Result<_>>()?,
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
        let Local { rows, similarity, dissimilar } = self;
        let greedy = rows.spec.layer_schedule == LayerSchedule::Greedy;
        rows.begin(backend, network, images, batch)?;
        for (l, loss) in dissimilar.iter_mut().enumerate() {
            rows.forward(backend, network, l, batch.dropout_seed)?;
            if let Some(part) = network.head.iter_mut().flatten().find(|part| part.layer == l) {
                rows.classify(backend, part, l, batch, head)?;
            }
            if *similarity > 0.0 {
                rows.match_similarities(backend, l, batch, *similarity, loss)?;
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
        let (beta, share) = (self.similarity, 1.0 / batches.max(1) as f64);
        let costs = self.rows.take_costs(backend, batches)?;
        let loss = |(cost, dissimilar): (f64, &mut B::Matrix)| {
            let dissimilar = take(backend, dissimilar)?.first().map_or(0.0, |sum| sum * share);
            Ok((1.0 - beta) * cost + beta * dissimilar)
        };
        let losses = costs.into_iter().zip(&mut self.dissimilar).map(loss).collect::<Result<_>>()?;
        Ok(TrainTally { losses, ..TrainTally::default() })
    }

    fn hidden(&self) -> &[B::Matrix] {
        &self.rows.activities.hidden
    }
}
