//! Two images in one, through a mask with large connected regions (arXiv 2212.13345, section 3.2). No label enters.

use std::iter;

use ff_backend::{Backend, IndexSlice, Result};
use ndarray_rand::rand::Rng;
use ndarray_rand::rand::seq::SliceRandom;

use super::random::wrong_labels;
use super::{Drawn, Negatives, Positives};
use crate::batching::{Draws, Stream};
use crate::data::ImageShape;

/// Number of masks that hybrid images choose from.
pub const MASKS: usize = 1024;

/// The positive's image where the mask is 255, another positive's where it is 0.
pub struct Hybrid<B: Backend> {
    masks: B::Images,
}

impl<B: Backend> Hybrid<B> {
    /// Draws the masks.
    pub fn new(backend: &B, image: ImageShape, seed: u64) -> Result<Self> {
        let masks = backend.images(&masks(seed, image).into(), image.height, image.columns())?;
        Ok(Hybrid { masks })
    }
}

impl<B: Backend> Negatives<B> for Hybrid<B> {
    fn shares_images(&self) -> bool {
        false
    }

    /// The numbers are those of masks.
    fn draw(&self, positives: &Positives, draws: &Draws) -> Drawn {
        let mut generator = draws.generator(Stream::Masks);
        let mut others = positives.images.to_vec();
        others.shuffle(&mut generator);
        Drawn {
            labels: wrong_labels(positives, draws),
            images: Some(others),
            numbers: positives.images.iter().map(|_| generator.random_range(0..MASKS as u32)).collect(),
        }
    }

    fn blend(
        &self,
        backend: &B,
        images: &mut B::Matrix,
        squares: &mut B::Matrix,
        numbers: IndexSlice<B>,
    ) -> Result<()> {
        backend.hybrid(images, &self.masks, numbers, squares)
    }
}

/// [`MASKS`] random masks, 0 or 255: noise is blurred along both axes by [1/4, 1/2, 1/4] again and again, then cut at
/// its middle, which leaves large connected regions. The channels of a pixel share its mask.
pub fn masks(seed: u64, image: ImageShape) -> Vec<u8> {
    const BLURS: usize = 8;
    let ImageShape { height, width, channels } = image;
    // Epoch 0 is none's: masks are the same in every epoch.
    let mut generator = Draws::of_epoch(seed, 0).generator(Stream::Masks);
    let mut masks = Vec::with_capacity(MASKS * image.values());
    for _ in 0..MASKS {
        let mut noise: Vec<f32> = (0..image.pixels()).map(|_| generator.random::<f32>()).collect();
        for _ in 0..BLURS {
            noise = blur(&noise, 1, width);
            noise = blur(&noise, width, height);
        }
        masks.extend(noise.into_iter().flat_map(|x| iter::repeat_n(if x > 0.5 { 255 } else { 0 }, channels)));
    }
    masks
}

/// One [1/4, 1/2, 1/4] blur along the axis with this stride and length; edges repeat.
fn blur(noise: &[f32], stride: usize, length: usize) -> Vec<f32> {
    (0..noise.len())
        .map(|at| {
            let along = at / stride % length;
            let before = if along > 0 { noise[at - stride] } else { noise[at] };
            let after = if along + 1 < length { noise[at + stride] } else { noise[at] };
            0.25 * before + 0.5 * noise[at] + 0.25 * after
        })
        .collect()
}
