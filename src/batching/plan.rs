//! An epoch's draws: on the host, and uploaded once.

use ff_backend::host::Pixels;
use ff_backend::{Backend, IndexSlice, Result, Shape};
use ndarray_rand::rand::Rng;
use ndarray_rand::rand::seq::SliceRandom;

use super::negatives::Positives;
use super::{Batch, Draws, Negatives, Stream};
use crate::spec::Spec;

/// The draws of one epoch. A batch is B pairs; rows of a list belong to batches in order.
pub struct PlannedEpoch {
    /// Image of each stacked row: positives, then negatives.
    pub stacked: Vec<u32>,
    /// Label of each stacked row: true ones, then wrong ones.
    pub labels: Vec<u32>,
    /// Image of each positive row.
    pub rows: Vec<u32>,
    /// True label of each positive row.
    pub truth: Vec<u32>,
    /// A number for each pair that the source of negatives asks for; may be empty.
    pub numbers: Vec<u32>,
    /// Shift of each stacked row; empty without jitter.
    pub stacked_shifts: Vec<u32>,
    /// Shift of each positive row; empty without jitter.
    pub shifts: Vec<u32>,
    /// Seed of each batch's dropout.
    pub dropout: Vec<u32>,
    /// Number of batches.
    pub batches: usize,
}

impl PlannedEpoch {
    /// Draws epoch `epoch` (from 1) of images with these labels. A last batch that is not full is left out; the order
    /// changes every epoch, so no image is left out for good. Where images flip, all lie turned behind themselves.
    pub fn draw<B: Backend>(
        spec: &Spec,
        negatives: &dyn Negatives<B>,
        labels: &[u32],
        epoch: usize,
    ) -> PlannedEpoch {
        let draws = Draws::of_epoch(spec.seed, epoch);
        let batch = spec.batch_size;
        let batches = labels.len() / batch.max(1);
        let mut order: Vec<u32> = (0..labels.len() as u32).collect();
        order.shuffle(&mut draws.generator(Stream::Order));
        order.truncate(batches * batch);
        let truth: Vec<u32> = order.iter().map(|&row| labels[row as usize]).collect();
        if spec.flips {
            turn(&mut order, labels.len() as u32, &draws);
        }
        let positives = Positives { images: &order, labels: &truth, classes: spec.classes };
        let drawn = negatives.draw(&positives, &draws);
        let shifts = jitter(spec.jitter, spec.image.channels, &draws, order.len());
        let mut dropout = draws.generator(Stream::Dropout);
        PlannedEpoch {
            stacked: interleaved(&order, drawn.images.as_ref().unwrap_or(&order), batch),
            stacked_shifts: interleaved(&shifts, &shifts, batch),
            labels: interleaved(&truth, &drawn.labels, batch),
            rows: order,
            truth,
            numbers: drawn.numbers,
            shifts,
            dropout: (0..batches).map(|_| dropout.random()).collect(),
            batches,
        }
    }
}

/// The images that plans number, on the device: under `data.flips` each of them turned too, behind the others.
pub fn upload_images<B: Backend>(backend: &B, spec: &Spec, pixels: &Pixels) -> Result<B::Images> {
    let image = spec.image;
    let both = spec.flips.then(|| image.and_turned(pixels).into());
    backend.images(both.as_ref().unwrap_or(pixels), image.height, image.columns())
}

/// Batch by batch: the first list's entries, then the second's.
pub fn interleaved(first: &[u32], second: &[u32], batch: usize) -> Vec<u32> {
    let batches = first.chunks(batch.max(1)).zip(second.chunks(batch.max(1)));
    batches.flat_map(|(first, second)| first.iter().chain(second).copied()).collect()
}

/// Turns every second image: of `images` images the turned ones lie behind the others.
fn turn(order: &mut [u32], images: u32, draws: &Draws) {
    let mut generator = draws.generator(Stream::Flips);
    order.iter_mut().filter(|_| generator.random()).for_each(|row| *row += images);
}

/// A shift by pixels, of -127 to 127, as `gather` takes it: down by pixels, right by values, of which a pixel has `channels`.
pub fn shift(down: i64, right: i64, channels: usize) -> u32 {
    (128 + down) as u32 * 256 + (128 + right * channels as i64) as u32
}

/// A shift for each row.
fn jitter(reach: usize, channels: usize, draws: &Draws, rows: usize) -> Vec<u32> {
    let reach = reach as i64;
    if reach == 0 {
        return Vec::new();
    }
    let mut generator = draws.generator(Stream::Jitter);
    let mut draw = || generator.random_range(-reach..=reach);
    (0..rows).map(|_| (draw(), draw())).map(|(down, right)| shift(down, right, channels)).collect()
}

/// An epoch's draws on the device: uploaded once, read batch by batch.
pub struct EpochPlan<B: Backend> {
    stacked: B::Indices,
    labels: B::Indices,
    rows: B::Indices,
    truth: B::Indices,
    numbers: B::Indices,
    stacked_shifts: B::Indices,
    shifts: B::Indices,
    dropout: Vec<u32>,
    pairs: usize,
    /// Number of batches.
    pub batches: usize,
}

impl<B: Backend> EpochPlan<B> {
    /// Room for epochs like `first`, whose batches are so many pairs.
    pub fn new(backend: &B, first: &PlannedEpoch, pairs: usize) -> Result<Self> {
        let mut plan = EpochPlan {
            stacked: backend.indices(first.stacked.len())?,
            labels: backend.indices(first.labels.len())?,
            rows: backend.indices(first.rows.len())?,
            truth: backend.indices(first.truth.len())?,
            numbers: backend.indices(first.numbers.len())?,
            stacked_shifts: backend.indices(first.stacked_shifts.len())?,
            shifts: backend.indices(first.shifts.len())?,
            dropout: Vec::new(),
            pairs,
            batches: 0,
        };
        plan.upload(backend, first)?;
        Ok(plan)
    }

    /// Sends an epoch's draws down.
    pub fn upload(&mut self, backend: &B, epoch: &PlannedEpoch) -> Result<()> {
        backend.upload_indices(&mut self.stacked, &epoch.stacked)?;
        backend.upload_indices(&mut self.labels, &epoch.labels)?;
        backend.upload_indices(&mut self.rows, &epoch.rows)?;
        backend.upload_indices(&mut self.truth, &epoch.truth)?;
        backend.upload_indices(&mut self.numbers, &epoch.numbers)?;
        backend.upload_indices(&mut self.stacked_shifts, &epoch.stacked_shifts)?;
        backend.upload_indices(&mut self.shifts, &epoch.shifts)?;
        self.dropout.clone_from(&epoch.dropout);
        self.batches = epoch.batches;
        Ok(())
    }

    /// Batch `index` of the epoch.
    pub fn batch(&self, index: usize) -> Batch<'_, B> {
        let each = |indices| IndexSlice { indices, offset: index * self.pairs };
        let stacked = |indices| IndexSlice { indices, offset: 2 * index * self.pairs };
        let jittered = !self.dropout.is_empty() && self.shifts.columns() > 0;
        Batch {
            index,
            rows: each(&self.rows),
            truth: each(&self.truth),
            numbers: each(&self.numbers),
            shifts: jittered.then(|| each(&self.shifts)),
            stacked: stacked(&self.stacked),
            stacked_shifts: jittered.then(|| stacked(&self.stacked_shifts)),
            labels: stacked(&self.labels),
            dropout_seed: self.dropout.get(index).copied().unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_channel_moves_as_far() {
        let draws = Draws::of_epoch(7, 1);
        let (gray, color) = (jitter(3, 1, &draws, 200), jitter(3, 3, &draws, 200));
        let moves = |shift: u32| [shift / 256, shift % 256].map(|part| i64::from(part) - 128);
        for (gray, color) in gray.iter().zip(&color) {
            let ([dy, dx], [down, right]) = (moves(*gray), moves(*color));
            assert_eq!((down, right), (dy, 3 * dx));
            assert!(dx.abs() <= 3 && dy.abs() <= 3);
        }
        assert!(jitter(0, 3, &draws, 9).is_empty());
    }

    #[test]
    fn half_of_the_images_are_turned() {
        let mut order: Vec<u32> = (0..1000).rev().collect();
        turn(&mut order, 1000, &Draws::of_epoch(7, 1));
        let turned = order.iter().filter(|row| **row >= 1000).count();
        assert!((420..580).contains(&turned), "{turned}");
        let images: Vec<u32> = order.iter().map(|row| row % 1000).collect();
        assert_eq!(images, (0..1000).rev().collect::<Vec<u32>>());
        let mut other: Vec<u32> = (0..1000).rev().collect();
        turn(&mut other, 1000, &Draws::of_epoch(7, 2));
        assert_ne!(order, other);
    }
}
