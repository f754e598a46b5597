//! Test-time augmentation: an image is read shifted and turned as well, and what is made of its views is averaged.

use ff_backend::host::Pixels;
use ff_backend::{Backend, Result};

use super::evaluator::Evaluator;
use crate::batching::shift;
use crate::config::PredictKind;
use crate::network::Network;

/// The views of an image: each shift by up to `jitter` pixels down and right, and, with `flips`, each of them of the
/// image turned left to right too. Those of training are drawn (`data.jitter`, `data.flips`); here all of them count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Views {
    /// Pixels, 0 to 16.
    pub jitter: usize,
    /// Whether the image turned left to right is one.
    pub flips: bool,
}

impl Views {
    /// Views of each image: (2 jitter + 1)², twice that with flips.
    pub fn count(self) -> usize {
        (2 * self.jitter + 1).pow(2) * if self.flips { 2 } else { 1 }
    }

    /// Shifts down and right, in pixels.
    fn shifts(self) -> impl Iterator<Item = (i64, i64)> {
        let reach = self.jitter as i64;
        (-reach..=reach).flat_map(move |down| (-reach..=reach).map(move |right| (down, right)))
    }

    /// Scores of every label for every image, averaged over its views, `[rows, classes]`. They are summed in f64, view
    /// by view. What an average of logits, or of an ensemble's logarithms, predicts is the normalized geometric mean of
    /// the views' probabilities.
    ///
    /// # Errors
    /// What the backend refuses.
    pub fn mean_scores<B: Backend>(
        self,
        backend: &B,
        network: &Network<B>,
        pixels: Pixels,
        chunk: usize,
        by: PredictKind,
    ) -> Result<Vec<f32>> {
        let image = network.spec.image;
        let turned = self.flips.then(|| Pixels::from(image.turned(&pixels)));
        let mut sums: Vec<f64> = Vec::new();
        for pixels in [Some(pixels), turned].into_iter().flatten() {
            let mut evaluator = Evaluator::new(backend, network, &pixels, chunk)?;
            for (down, right) in self.shifts() {
                if self.jitter > 0 {
                    evaluator.shift(backend, shift(down, right, image.channels))?;
                }
                let scores = evaluator.scores(backend, network, by)?;
                sums.resize(scores.len(), 0.0);
                sums.iter_mut().zip(scores).for_each(|(sum, score)| *sum += f64::from(score));
            }
        }
        let views = self.count() as f64;
        Ok(sums.into_iter().map(|sum| (sum / views) as f32).collect())
    }
}
