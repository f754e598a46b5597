//! Where negatives come from: one trait, one file for each source.

mod hard;
mod hybrid;
mod random;

use ff_backend::{Backend, IndexSlice, Result};

pub use hard::Hard;
pub use hybrid::{Hybrid, MASKS, masks};
pub use random::Random;

use super::{Batch, Draws};
use crate::config::NegativeKind;
use crate::spec::Spec;

/// The positives that negatives are drawn for, one entry each.
#[derive(Clone, Copy, Debug)]
pub struct Positives<'a> {
    /// Numbers of their images.
    pub images: &'a [u32],
    /// Their true labels.
    pub labels: &'a [u32],
    /// Number of labels.
    pub classes: usize,
}

/// What is drawn on the host, one entry for each positive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drawn {
    /// The negative's label.
    pub labels: Vec<u32>,
    /// The negative's image; `None`: the positive's own.
    pub images: Option<Vec<u32>>,
    /// A number more, whose meaning is the source's own; may be empty.
    pub numbers: Vec<u32>,
}

/// A source of negatives. All its randomness is drawn on the host, in [`draw`](Negatives::draw).
pub trait Negatives<B: Backend> {
    /// Whether a negative shows its positive's image under another label, so that both share a product.
    fn shares_images(&self) -> bool {
        true
    }

    /// The negatives of these positives, drawn on the host.
    fn draw(&self, positives: &Positives, draws: &Draws) -> Drawn;

    /// Changes gathered images: 2B rows `[2B, F]`, of which the last B are the negatives', and their sums of squares
    /// `[1, 2B]`. `numbers` are the batch's of [`Drawn`].
    fn blend(
        &self,
        _backend: &B,
        _images: &mut B::Matrix,
        _squares: &mut B::Matrix,
        _numbers: IndexSlice<B>,
    ) -> Result<()> {
        Ok(())
    }

    /// The labels of a batch: B true ones, then those of the negatives. `errors` `[B, C]` are softmax − one-hot of
    /// the head on the neutral pass, where there is a head.
    fn labels<'a>(
        &'a mut self,
        _backend: &B,
        batch: &Batch<'a, B>,
        _errors: Option<&B::Matrix>,
    ) -> Result<IndexSlice<'a, B>> {
        Ok(batch.labels)
    }
}

/// The source that a spec names, ready for its batches.
pub fn new<B: Backend>(backend: &B, spec: &Spec) -> Result<Box<dyn Negatives<B>>> {
    Ok(match spec.negatives {
        NegativeKind::Random => Box::new(Random),
        NegativeKind::Hard => Box::new(Hard::new(backend, spec.batch_size)?),
        NegativeKind::Hybrid => Box::new(Hybrid::new(backend, spec.image, spec.seed)?),
    })
}
