//! The losses that training minimizes, measured on held-out images without learning.

use ff_backend::{Backend, LabelCode, Loss, Plan, Real, Result, TALLY_ROWS, Tally};

use crate::config::Config;
use crate::data::Split;
use crate::metrics::GoodnessHistogram;
use crate::network::{Activities, ImageRows, Network, activate_first, download, forward, upload};
use crate::training::{HeldOutNegatives, stack};

/// Held-out pairs: each image, and its negative, which is the same in every epoch.
pub struct ValidationLoss<B: Backend> {
    pairs: Pairs<B>,
    chunks: Vec<(Chunk<B>, Vec<usize>)>,
    rows: usize,
}

/// What is on the device: of each chunk, first the positives, then the negatives.
struct Pairs<B: Backend> {
    images: B::Images,
    labels: B::Indices,
    /// The image of each row; without hybrids, a negative has its positive's.
    order: B::Indices,
    hybrids: Option<Hybrids<B>>,
}

/// Negatives that are made of two images.
struct Hybrids<B: Backend> {
    masks: B::Images,
    which: B::Indices,
}

struct Chunk<B: Backend> {
    pairs: usize,
    images: ImageRows<B>,
    stack: Activities<B>,
    coefficients: B::Matrix,
    tally: B::Matrix,
}

impl<B: Backend> ValidationLoss<B> {
    /// Puts images and negatives on the device. `chunk` is the number of rows of a product.
    pub fn new(
        backend: &B,
        network: &Network<B>,
        held_out: &Split,
        negatives: &HeldOutNegatives,
        chunk: usize,
    ) -> Result<Self> {
        let (height, width) = (network.architecture.image.height, network.architecture.image.width);
        let rows = held_out.labels.len();
        let pairs = (chunk / 2).max(1);
        let on_device = |values: &[u32]| {
            let mut indices = backend.indices(values.len())?;
            backend.upload_indices(&mut indices, values)?;
            Ok(indices)
        };
        let own: Vec<u32> = (0..rows as u32).collect();
        let (order, labels, hybrids) = match negatives {
            HeldOutNegatives::Labels(wrong) => (own, stack(&held_out.labels, wrong, pairs), None),
            HeldOutNegatives::Hybrids { others, which, masks } => {
                let masks = backend.images(masks, height, width)?;
                let hybrids = Hybrids { masks, which: on_device(which)? };
                (stack(&own, others, pairs), stack(&held_out.labels, &held_out.labels, pairs), Some(hybrids))
            }
        };
        let full = rows / pairs;
        let mut chunks = Vec::new();
        let starts: Vec<usize> = (0..full).map(|index| index * pairs).collect();
        if full > 0 {
            chunks.push((Chunk::new(backend, network, pairs, hybrids.is_some())?, starts));
        }
        if rows > full * pairs {
            let rest = Chunk::new(backend, network, rows - full * pairs, hybrids.is_some())?;
            chunks.push((rest, vec![full * pairs]));
        }
        let images = backend.images(&held_out.pixels, height, width)?;
        let pairs = Pairs { images, labels: on_device(&labels)?, order: on_device(&order)?, hybrids };
        Ok(ValidationLoss { pairs, chunks, rows })
    }

    /// Mean loss of each layer.
    pub fn measure(&mut self, backend: &B, network: &Network<B>, config: &Config) -> Result<Vec<f64>> {
        let mut losses = vec![0.0; network.layers.len()];
        for (chunk, starts) in &mut self.chunks {
            for &at in starts.iter() {
                chunk.forward(backend, network, &self.pairs, at)?;
                for l in 0..network.layers.len() {
                    let objective = network.architecture.objective(config, l);
                    let tally = Tally { sums: &mut chunk.tally, layer: l };
                    backend.coefficients(
                        chunk.stack.goodness(l),
                        &objective,
                        &mut chunk.coefficients,
                        tally,
                    )?;
                }
            }
            let sums = download(backend, &chunk.tally)?;
            upload(backend, &mut chunk.tally, &vec![0.0; sums.len()])?;
            let share = chunk.pairs as f64 / self.rows as f64;
            for (loss, sum) in losses.iter_mut().zip(sums) {
                *loss += f64::from(sum) * share;
            }
        }
        Ok(losses)
    }

    /// Goodness of positives and negatives in each layer, over the first chunk.
    pub fn histograms(
        &mut self,
        backend: &B,
        network: &Network<B>,
        config: &Config,
        bins: usize,
    ) -> Result<Vec<GoodnessHistogram>> {
        let Some((chunk, _)) = self.chunks.first_mut() else { return Ok(Vec::new()) };
        chunk.forward(backend, network, &self.pairs, 0)?;
        let layer = |l: usize| {
            let factor = network.architecture.goodness_factor(l);
            let goodness = backend.download(chunk.stack.goodness(l))?;
            let goodness: Vec<f64> = goodness.into_iter().map(|square| factor * square.to_f64()).collect();
            let (positive, negative) = goodness.split_at(chunk.pairs.min(goodness.len()));
            let threshold = match network.architecture.objective(config, l).loss {
                Loss::Bce { threshold, .. } => Some(threshold),
                Loss::Symba { .. } => None,
            };
            Ok(GoodnessHistogram::new(positive, negative, bins, threshold))
        };
        (0..network.layers.len()).map(layer).collect()
    }
}

impl<B: Backend> Chunk<B> {
    fn new(backend: &B, network: &Network<B>, pairs: usize, hybrid: bool) -> Result<Self> {
        let architecture = &network.architecture;
        Ok(Chunk {
            pairs,
            images: ImageRows::new(backend, architecture, if hybrid { 2 * pairs } else { pairs })?,
            stack: Activities::new(backend, architecture, 2 * pairs)?,
            coefficients: backend.zeros(1, 2 * pairs)?,
            tally: backend.zeros(TALLY_ROWS, architecture.depth())?,
        })
    }

    /// The activities of the pairs from number `at` on.
    fn forward(&mut self, backend: &B, network: &Network<B>, pairs: &Pairs<B>, at: usize) -> Result<()> {
        let images = &mut self.images;
        let first = if pairs.hybrids.is_some() { 2 * at } else { at };
        let rows = Plan { indices: &pairs.order, at: first };
        images.gather(backend, &network.architecture, &pairs.images, rows, None)?;
        if let Some(Hybrids { masks, which }) = &pairs.hybrids {
            let which = Plan { indices: which, at };
            backend.hybrid(&mut images.features, masks, which, &mut images.squares)?;
        }
        images.multiply(backend, network, true)?;
        let code = LabelCode::Each(Plan { indices: &pairs.labels, at: 2 * at });
        for l in 0..network.layers.len() {
            match l {
                0 => activate_first(backend, network, &self.images, code, &mut self.stack)?,
                _ => forward(backend, network, l, code, &mut self.stack)?,
            }
            self.stack.count(backend, &network.architecture, l)?;
        }
        Ok(())
    }
}
