//! One batch of an epoch's plan.

use ff_backend::{Backend, IndexSlice};

/// Where one batch's draws lie in the epoch's plan.
pub struct Batch<'a, B: Backend> {
    /// Its number in the epoch, from 0.
    pub index: usize,
    /// Images of the positive rows.
    pub rows: IndexSlice<'a, B>,
    /// Their labels.
    pub truth: IndexSlice<'a, B>,
    /// Numbers of the source of negatives, one for each pair.
    pub numbers: IndexSlice<'a, B>,
    /// Shifts of the positive rows, if images are jittered.
    pub shifts: Option<IndexSlice<'a, B>>,
    /// Images of positive and negative rows, where they do not share them.
    pub stacked: IndexSlice<'a, B>,
    /// Shifts of those.
    pub stacked_shifts: Option<IndexSlice<'a, B>>,
    /// True, then wrong labels.
    pub labels: IndexSlice<'a, B>,
    /// Seed of the batch's dropout: layer l takes the l-th after it.
    pub dropout_seed: u32,
}

impl<B: Backend> Batch<'_, B> {
    /// Seed of the dropout of pixels: the one before the layers'.
    pub fn pixel_seed(&self) -> u32 {
        self.dropout_seed.wrapping_sub(1)
    }
}
