//! The positive's image under a wrong label, every wrong one equally likely.

use ff_backend::Backend;
use ndarray_rand::rand::Rng;

use super::{Drawn, Negatives, Positives};
use crate::batching::{Draws, Stream};

/// Uniform wrong labels.
pub struct Random;

impl<B: Backend> Negatives<B> for Random {
    fn draw(&self, positives: &Positives, draws: &Draws) -> Drawn {
        Drawn { labels: wrong_labels(positives, draws), ..Drawn::default() }
    }
}

/// A wrong label for each positive.
pub(super) fn wrong_labels(positives: &Positives, draws: &Draws) -> Vec<u32> {
    let mut generator = draws.generator(Stream::Labels);
    let classes = positives.classes as u32;
    let mut wrong = |label: &u32| (label + generator.random_range(1..classes.max(2))) % classes;
    positives.labels.iter().map(&mut wrong).collect()
}
