//! The one seed's streams of randomness.
//!
//! Each epoch's draws follow from the seed and the epoch's number alone, so a resumed run draws what an
//! uninterrupted one would, and a checkpoint needs no generator state.

use ndarray_rand::rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Streams of the generator, one for each use, so that a knob does not change another's draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Stream {
    /// Order of the images.
    Order = 1 << 32,
    /// Wrong labels.
    Labels = 2 << 32,
    /// Uniform numbers, to draw labels from probabilities with.
    Uniforms = 3 << 32,
    /// Shifts of images.
    Jitter = 4 << 32,
    /// Seeds of dropout.
    Dropout = 5 << 32,
    /// Masks of hybrid images.
    Masks = 6 << 32,
    /// Everything about held-out rows.
    Validation = 7 << 32,
    /// Which images are turned left to right.
    Flips = 8 << 32,
}

/// The randomness of one epoch, or of held-out rows.
#[derive(Clone, Copy, Debug)]
pub struct Draws {
    seed: u64,
    /// From 1; `None` for held-out rows.
    epoch: Option<usize>,
}

impl Draws {
    /// Those of an epoch, from 1.
    pub fn of_epoch(seed: u64, epoch: usize) -> Self {
        Draws { seed, epoch: Some(epoch) }
    }

    /// Those of held-out rows: the same after every epoch.
    pub fn held_out(seed: u64) -> Self {
        Draws { seed, epoch: None }
    }

    /// A generator at the start of a stream.
    pub fn generator(&self, stream: Stream) -> ChaCha8Rng {
        let (stream, epoch) = match self.epoch {
            Some(epoch) => (stream, epoch),
            None => (Stream::Validation, 0),
        };
        let mut generator = ChaCha8Rng::seed_from_u64(self.seed);
        generator.set_stream(stream as u64 + epoch as u64);
        generator
    }
}
