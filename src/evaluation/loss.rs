//! The losses of goodness, measured on held-out pairs without learning.

use ff_backend::{Backend, IndexSlice, LabelCode, Real, Result, TALLY_ROWS, Tally};

use super::chunks::chunks;
use crate::batching::negatives::{self, Positives};
use crate::batching::{Draws, Negatives, interleaved};
use crate::data::Split;
use crate::metrics::GoodnessHistogram;
use crate::network::{ImageRows, Labelled, Network, download};
use crate::spec::Spec;

/// Held-out pairs: each image, and its negative, which is the same in every epoch.
pub struct PairLosses<B: Backend> {
    pairs: Pairs<B>,
    /// Pairs of a full chunk.
    chunk: usize,
    rows: usize,
}

/// What is on the device: of each chunk, first the positives, then the negatives.
struct Pairs<B: Backend> {
    negatives: Box<dyn Negatives<B>>,
    images: B::Images,
    labels: B::Indices,
    /// The image of each row; where a negative shows its positive's, of each pair.
    order: B::Indices,
    /// A number for each pair that the source of negatives asks for.
    numbers: B::Indices,
}

struct Chunk<B: Backend> {
    pairs: usize,
    images: ImageRows<B>,
    stack: Labelled<B>,
    coefficients: B::Matrix,
    tally: B::Matrix,
}

impl<B: Backend> PairLosses<B> {
    /// Puts images and negatives on the device. `rows` is the number of rows of a product.
    pub fn new(backend: &B, spec: &Spec, held_out: &Split, rows: usize) -> Result<Self> {
        let negatives = negatives::new(backend, spec)?;
        let pairs = (rows / 2).max(1);
        let rows = held_out.labels.len();
        let own: Vec<u32> = (0..rows as u32).collect();
        let positives = Positives { images: &own, labels: &held_out.labels, classes: spec.classes };
        let drawn = negatives.draw(&positives, &Draws::held_out(spec.seed));
        let order = match (&drawn.images, negatives.shares_images()) {
            (_, true) => own,
            (Some(others), false) => interleaved(&own, others, pairs),
            (None, false) => interleaved(&own, &own, pairs),
        };
        let on_device = |values: &[u32]| {
            let mut indices = backend.indices(values.len())?;
            backend.upload_indices(&mut indices, values)?;
            Ok(indices)
        };
        let chunk = pairs;
        let pairs = Pairs {
            images: backend.images(&held_out.pixels, spec.image.height, spec.image.columns())?,
            labels: on_device(&interleaved(&held_out.labels, &drawn.labels, pairs))?,
            order: on_device(&order)?,
            numbers: on_device(&drawn.numbers)?,
            negatives,
        };
        Ok(PairLosses { pairs, chunk, rows })
    }

    /// Mean loss of each layer.
    pub fn measure(&self, backend: &B, network: &Network<B>) -> Result<Vec<f64>> {
        let mut losses = vec![0.0; network.layers.len()];
        for (pairs, starts) in chunks(self.rows, self.chunk) {
            let mut chunk = self.room(backend, network, pairs)?;
            for at in starts {
                chunk.forward(backend, network, &self.pairs, at)?;
            }
            let sums = download(backend, &chunk.tally)?;
            // A mean over steps, where there are several.
            let share = chunk.pairs as f64 / self.rows as f64 / network.spec.updates() as f64;
            for (loss, sum) in losses.iter_mut().zip(sums) {
                *loss += f64::from(sum) * share;
            }
        }
        Ok(losses)
    }

    /// Goodness of positives and negatives in each layer, over the first chunk; of the last step, where there are several.
    pub fn histograms(
        &self,
        backend: &B,
        network: &Network<B>,
        bins: usize,
    ) -> Result<Vec<GoodnessHistogram>> {
        let Some((pairs, _)) = chunks(self.rows, self.chunk).next() else { return Ok(Vec::new()) };
        let mut chunk = self.room(backend, network, pairs)?;
        chunk.forward(backend, network, &self.pairs, 0)?;
        let activities = chunk.stack.activities();
        let layer = |l: usize| {
            let objective = &network.spec.layers[l].objective;
            let goodness = backend.download(activities.goodness(l))?;
            let goodness: Vec<f64> =
                goodness.into_iter().map(|square| objective.factor * square.to_f64()).collect();
            let (positive, negative) = goodness.split_at(chunk.pairs.min(goodness.len()));
            Ok(GoodnessHistogram::new(positive, negative, bins, objective.loss.threshold()))
        };
        (0..network.layers.len()).map(layer).collect()
    }

    fn room(&self, backend: &B, network: &Network<B>, pairs: usize) -> Result<Chunk<B>> {
        Chunk::new(backend, &network.spec, pairs, self.pairs.negatives.shares_images())
    }
}

impl<B: Backend> Chunk<B> {
    fn new(backend: &B, spec: &Spec, pairs: usize, shares_images: bool) -> Result<Self> {
        Ok(Chunk {
            pairs,
            images: ImageRows::new(backend, spec, if shares_images { pairs } else { 2 * pairs })?,
            stack: Labelled::new(backend, spec, 2 * pairs)?,
            coefficients: backend.zeros(1, 2 * pairs)?,
            tally: backend.zeros(TALLY_ROWS, spec.depth())?,
        })
    }

    /// The activities of the pairs from number `at` on; their losses are added to the tally.
    fn forward(&mut self, backend: &B, network: &Network<B>, pairs: &Pairs<B>, at: usize) -> Result<()> {
        let Chunk { images, stack, coefficients, tally, .. } = self;
        let first = if pairs.negatives.shares_images() { at } else { 2 * at };
        let rows = IndexSlice { indices: &pairs.order, offset: first };
        let numbers = IndexSlice { indices: &pairs.numbers, offset: at };
        images.gather_and(backend, &pairs.images, rows, None, |features, squares| {
            pairs.negatives.blend(backend, features, squares, numbers)
        })?;
        images.multiply(backend, network)?;
        let code = LabelCode::Each(IndexSlice { indices: &pairs.labels, offset: 2 * at });
        stack.pass(backend, network, images, code, network.spec.updates(), |_, activities| {
            for (l, layer) in network.spec.layers.iter().enumerate() {
                let tally = Tally { sums: &mut *tally, layer: l };
                backend.coefficients(activities.goodness(l), &layer.objective, coefficients, tally)?;
            }
            Ok(())
        })
    }
}
