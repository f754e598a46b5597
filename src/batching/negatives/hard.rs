//! The positive's image under a wrong label that the head finds likely (arXiv 2212.13345, section 3.3).

use ff_backend::{Backend, BackendError, IndexSlice, Result};
use ndarray_rand::rand::Rng;

use super::random::wrong_labels;
use super::{Drawn, Negatives, Positives};
use crate::batching::{Batch, Draws, Stream};

/// Wrong labels drawn from the head's softmax on the neutral pass, the true label excluded. Where there is no batch to
/// ask the head about (held-out rows), they are uniform.
pub struct Hard<B: Backend> {
    /// True, then drawn labels of a batch `[1, 2B]`.
    labels: B::Indices,
}

impl<B: Backend> Hard<B> {
    /// Room for batches of so many pairs.
    pub fn new(backend: &B, pairs: usize) -> Result<Self> {
        Ok(Hard { labels: backend.indices(2 * pairs)? })
    }
}

impl<B: Backend> Negatives<B> for Hard<B> {
    /// The numbers are uniforms in units of 2⁻³².
    fn draw(&self, positives: &Positives, draws: &Draws) -> Drawn {
        let mut generator = draws.generator(Stream::Uniforms);
        Drawn {
            labels: wrong_labels(positives, draws),
            images: None,
            numbers: positives.labels.iter().map(|_| generator.random()).collect(),
        }
    }

    fn labels<'a>(
        &'a mut self,
        backend: &B,
        batch: &Batch<'a, B>,
        errors: Option<&B::Matrix>,
    ) -> Result<IndexSlice<'a, B>> {
        let errors =
            errors.ok_or_else(|| BackendError::Unsupported("hard negatives without a head".into()))?;
        backend.draw_labels(errors, batch.truth, batch.numbers, &mut self.labels)?;
        Ok(IndexSlice { indices: &self.labels, offset: 0 })
    }
}
