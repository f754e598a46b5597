//! The pass without a label in particular, beside those of positive and negative rows.

use ff_backend::{Backend, Result, Rule};

use super::step::take;
use crate::batching::Batch;
use crate::network::{Activities, ImageRows, Network, neutral_logits, upload};
use crate::spec::Spec;

/// The neutral pass that the head learns from, and hard negatives come from.
pub(super) struct Neutral<B: Backend> {
    /// Images of their own where the stack's cannot be shared.
    images: Option<ImageRows<B>>,
    activities: Activities<B>,
    logits: B::Matrix,
    errors: B::Matrix,
    /// 1 / B for each row: the head's loss is a mean.
    shares: B::Matrix,
    cost: B::Matrix,
}

impl<B: Backend> Neutral<B> {
    /// Buffers for batches of the spec's size; `shared`: its images are those of the rows that carry labels.
    pub fn new(backend: &B, spec: &Spec, shared: bool) -> Result<Self> {
        let (pairs, classes) = (spec.batch_size, spec.classes);
        let mut shares = backend.zeros(1, pairs)?;
        upload(backend, &mut shares, &vec![1.0 / pairs as f32; pairs])?;
        Ok(Neutral {
            images: (!shared).then(|| ImageRows::new(backend, spec, pairs)).transpose()?,
            activities: Activities::new(backend, spec, pairs)?,
            logits: backend.zeros(pairs, classes)?,
            errors: backend.zeros(pairs, classes)?,
            shares,
            cost: backend.zeros(1, 1)?,
        })
    }

    /// Neutral forward pass and the head's errors.
    pub fn read(
        &mut self,
        backend: &B,
        network: &Network<B>,
        images: &B::Images,
        batch: &Batch<B>,
        shared: &ImageRows<B>,
    ) -> Result<()> {
        let rows = match &mut self.images {
            Some(own) => {
                own.gather(backend, images, batch.rows, batch.shifts)?;
                own.silence(backend, network.spec.input_dropout, batch.pixel_seed())?;
                own.multiply(backend, network)?;
                own
            }
            None => shared,
        };
        neutral_logits(backend, network, rows, &mut self.activities, &mut self.logits)?;
        backend.softmax(&self.logits, batch.truth, 0.0, &mut self.errors, &mut self.cost)
    }

    /// The head makes a step.
    pub fn learn(&self, backend: &B, network: &mut Network<B>, rule: Rule) -> Result<()> {
        for part in network.head.iter_mut().flatten() {
            part.learn(backend, &self.activities, &self.errors, &self.shares, rule)?;
        }
        Ok(())
    }

    /// softmax − one-hot of the head in the last pass `[B, C]`.
    pub fn errors(&self) -> &B::Matrix {
        &self.errors
    }

    /// The head's mean cross-entropy over the last `batches` batches, if there is one; sets its sum to 0.
    pub fn take_cost(neutral: Option<&mut Self>, backend: &B, batches: usize) -> Result<Option<f64>> {
        let Some(neutral) = neutral else { return Ok(None) };
        let share = 1.0 / batches.max(1) as f64;
        Ok(take(backend, &mut neutral.cost)?.first().map(|sum| sum * share))
    }
}
