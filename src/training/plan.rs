//! What happens in an epoch, drawn on the host: every backend trains on the same batches.
//!
//! Each epoch's draws follow from the seed and the epoch's number alone, so a resumed run draws what an
//! uninterrupted one would, and a checkpoint needs no generator state.

use ff_backend::{Backend, Plan, Result};
use ndarray_rand::rand::seq::SliceRandom;
use ndarray_rand::rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::config::{Config, NegativeKind};
use crate::data::ImageShape;

/// Streams of the generator, one for each use, so that a knob does not change another's draws.
#[derive(Clone, Copy)]
#[repr(u64)]
enum Stream {
    Order = 1 << 32,
    Labels = 2 << 32,
    Uniforms = 3 << 32,
    Jitter = 4 << 32,
    Dropout = 5 << 32,
    Masks = 6 << 32,
    Validation = 7 << 32,
}

fn generator(seed: u64, stream: Stream, epoch: usize) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream as u64 + epoch as u64);
    rng
}

/// Number of blurred masks that hybrid images choose from.
pub const MASKS: usize = 1024;

/// A uniform wrong label.
fn wrong_label(rng: &mut ChaCha8Rng, label: u32, classes: usize) -> u32 {
    let classes = classes as u32;
    (label + rng.random_range(1..classes.max(2))) % classes
}

/// The negatives of held-out images, the same in every epoch: what validation losses are measured with.
pub enum HeldOutNegatives {
    /// The wrong label of each image.
    Labels(Vec<u32>),
    /// Each image as a hybrid with another.
    Hybrids {
        /// The other image.
        others: Vec<u32>,
        /// The number of the mask.
        which: Vec<u32>,
        /// Every mask, 0 or 255.
        masks: Vec<u8>,
    },
}

impl HeldOutNegatives {
    /// Draws them for images with these labels.
    pub fn draw(config: &Config, labels: &[u32], classes: usize, image: ImageShape) -> Self {
        let seed = config.training.seed;
        let mut rng = generator(seed, Stream::Validation, 0);
        if config.training.negatives != NegativeKind::Hybrid {
            let wrong = labels.iter().map(|&label| wrong_label(&mut rng, label, classes));
            return HeldOutNegatives::Labels(wrong.collect());
        }
        let mut others: Vec<u32> = (0..labels.len() as u32).collect();
        others.shuffle(&mut rng);
        let which = labels.iter().map(|_| rng.random_range(0..MASKS as u32)).collect();
        HeldOutNegatives::Hybrids { others, which, masks: hybrid_masks(seed, image.height, image.width) }
    }
}

/// The draws of one epoch. A batch is `batch` pairs; rows of a list belong to batches in order.
pub struct PlannedEpoch {
    /// Image of each stacked row: positives, then (where images are not shared) negatives.
    pub stacked: Vec<u32>,
    /// Label of each stacked row: true ones, then wrong ones.
    pub labels: Vec<u32>,
    /// Image of each positive row.
    pub rows: Vec<u32>,
    /// True label of each positive row.
    pub truth: Vec<u32>,
    /// Draws of hard negatives, in units of 2⁻³².
    pub uniforms: Vec<u32>,
    /// Shift of each stacked row.
    pub stacked_shifts: Vec<u32>,
    /// Shift of each positive row.
    pub shifts: Vec<u32>,
    /// Mask of each hybrid.
    pub masks: Vec<u32>,
    /// Seed of each batch's dropout.
    pub dropout: Vec<u32>,
    /// Number of batches.
    pub batches: usize,
}

impl PlannedEpoch {
    /// Draws epoch `epoch` (from 1). A last batch that is not full is left out; the order changes every
    /// epoch, so no image is left out for good.
    pub fn draw(config: &Config, labels: &[u32], classes: usize, epoch: usize) -> PlannedEpoch {
        let training = &config.training;
        let (seed, batch) = (training.seed, training.batch_size);
        let batches = labels.len() / batch;
        let mut order: Vec<u32> = (0..labels.len() as u32).collect();
        order.shuffle(&mut generator(seed, Stream::Order, epoch));
        order.truncate(batches * batch);
        let truth: Vec<u32> = order.iter().map(|&row| labels[row as usize]).collect();

        let mut rng = generator(seed, Stream::Labels, epoch);
        let stacked_labels = truth.chunks(batch.max(1)).flat_map(|truth| {
            let wrong: Vec<u32> = truth.iter().map(|&label| wrong_label(&mut rng, label, classes)).collect();
            truth.iter().copied().chain(wrong).collect::<Vec<u32>>()
        });
        let stacked_labels = stacked_labels.collect();

        let shifts = jitter(config, epoch, order.len());
        let hybrid = training.negatives == NegativeKind::Hybrid;
        let mut others = order.clone();
        let mut masks = Vec::new();
        if hybrid {
            let mut rng = generator(seed, Stream::Masks, epoch);
            others.shuffle(&mut rng);
            masks = order.iter().map(|_| rng.random_range(0..MASKS as u32)).collect();
        }
        let mut rng = generator(seed, Stream::Uniforms, epoch);
        let uniforms = match training.negatives {
            NegativeKind::Hard => order.iter().map(|_| rng.random()).collect(),
            _ => Vec::new(),
        };
        let mut rng = generator(seed, Stream::Dropout, epoch);
        PlannedEpoch {
            stacked: stack(&order, &others, batch),
            stacked_shifts: stack(&shifts, &shifts, batch),
            labels: stacked_labels,
            rows: order,
            truth,
            uniforms,
            shifts,
            masks,
            dropout: (0..batches).map(|_| rng.random()).collect(),
            batches,
        }
    }
}

/// Batch by batch: the first list's entries, then the second's.
pub(crate) fn stack(first: &[u32], second: &[u32], batch: usize) -> Vec<u32> {
    let batches = first.chunks(batch.max(1)).zip(second.chunks(batch.max(1)));
    batches.flat_map(|(first, second)| first.iter().chain(second).copied()).collect()
}

fn jitter(config: &Config, epoch: usize, rows: usize) -> Vec<u32> {
    let reach = config.data.jitter as i64;
    if reach == 0 {
        return Vec::new();
    }
    let mut rng = generator(config.training.seed, Stream::Jitter, epoch);
    let mut draw = || (128 + rng.random_range(-reach..=reach)) as u32;
    (0..rows).map(|_| draw() * 256 + draw()).collect()
}

/// Blurred random masks, 0 or 255: noise is blurred along both axes by [1/4, 1/2, 1/4] again and again,
/// then cut at its middle, which leaves large connected regions (arXiv 2212.13345, section 3.2).
pub fn hybrid_masks(seed: u64, height: usize, width: usize) -> Vec<u8> {
    const BLURS: usize = 8;
    let mut rng = generator(seed, Stream::Masks, 0);
    let mut masks = Vec::with_capacity(MASKS * height * width);
    for _ in 0..MASKS {
        let mut noise: Vec<f32> = (0..height * width).map(|_| rng.random::<f32>()).collect();
        for _ in 0..BLURS {
            noise = blur(&noise, height, width, 1, width);
            noise = blur(&noise, height, width, width, height);
        }
        masks.extend(noise.into_iter().map(|x| if x > 0.5 { 255 } else { 0 }));
    }
    masks
}

/// One [1/4, 1/2, 1/4] blur along the axis with this stride and length; edges repeat.
fn blur(noise: &[f32], height: usize, width: usize, stride: usize, length: usize) -> Vec<f32> {
    (0..height * width)
        .map(|at| {
            let along = at / stride % length;
            let before = if along > 0 { noise[at - stride] } else { noise[at] };
            let after = if along + 1 < length { noise[at + stride] } else { noise[at] };
            0.25 * before + 0.5 * noise[at] + 0.25 * after
        })
        .collect()
}

/// An epoch's draws on the device: uploaded once, read batch by batch.
pub struct EpochPlan<B: Backend> {
    stacked: B::Indices,
    labels: B::Indices,
    rows: B::Indices,
    truth: B::Indices,
    uniforms: B::Indices,
    stacked_shifts: B::Indices,
    shifts: B::Indices,
    masks: B::Indices,
    dropout: Vec<u32>,
    batch: usize,
    /// Number of batches.
    pub batches: usize,
}

impl<B: Backend> EpochPlan<B> {
    /// Room for epochs like `first`.
    pub fn new(backend: &B, first: &PlannedEpoch, batch: usize) -> Result<Self> {
        let mut plan = EpochPlan {
            stacked: backend.indices(first.stacked.len())?,
            labels: backend.indices(first.labels.len())?,
            rows: backend.indices(first.rows.len())?,
            truth: backend.indices(first.truth.len())?,
            uniforms: backend.indices(first.uniforms.len())?,
            stacked_shifts: backend.indices(first.stacked_shifts.len())?,
            shifts: backend.indices(first.shifts.len())?,
            masks: backend.indices(first.masks.len())?,
            dropout: Vec::new(),
            batch,
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
        backend.upload_indices(&mut self.uniforms, &epoch.uniforms)?;
        backend.upload_indices(&mut self.stacked_shifts, &epoch.stacked_shifts)?;
        backend.upload_indices(&mut self.shifts, &epoch.shifts)?;
        backend.upload_indices(&mut self.masks, &epoch.masks)?;
        self.dropout.clone_from(&epoch.dropout);
        self.batches = epoch.batches;
        Ok(())
    }

    /// Batch `index` of the epoch.
    pub fn batch(&self, index: usize) -> super::Batch<'_, B> {
        let pairs = Plan { indices: &self.rows, at: index * self.batch };
        let each = |indices| Plan { indices, at: pairs.at };
        let stacked = |indices| Plan { indices, at: 2 * pairs.at };
        let jittered = !self.dropout.is_empty() && ff_backend::Shape::columns(&self.shifts) > 0;
        super::Batch {
            rows: pairs,
            truth: each(&self.truth),
            uniforms: each(&self.uniforms),
            shifts: jittered.then(|| each(&self.shifts)),
            masks: each(&self.masks),
            stacked: stacked(&self.stacked),
            stacked_shifts: jittered.then(|| stacked(&self.stacked_shifts)),
            labels: stacked(&self.labels),
            dropout_seed: self.dropout.get(index).copied().unwrap_or(0),
        }
    }
}
