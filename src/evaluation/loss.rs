//! The losses that training minimizes, measured on held-out images without learning.

use ff_backend::{Backend, LabelCode, Loss, Plan, Real, Result, Shape, TALLY_ROWS, Tally};
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::network::{Activities, ImageRows, Network, activate_first, download, forward, upload};

/// Held-out pairs: each image with its true and with one wrong label, the same in every epoch.
pub struct ValidationLoss<B: Backend> {
    images: B::Images,
    order: B::Indices,
    chunks: Vec<(Chunk<B>, Vec<usize>)>,
    rows: usize,
}

struct Chunk<B: Backend> {
    pairs: usize,
    images: ImageRows<B>,
    stack: Activities<B>,
    /// True, then wrong labels of each start, in the order of `starts`.
    labels: B::Indices,
    coefficients: B::Matrix,
    tally: B::Matrix,
}

/// Distribution of a layer's goodness over held-out rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GoodnessHistogram {
    /// θ, where the loss has one.
    pub threshold: Option<f64>,
    /// Bounds of the bins: one more than there are bins.
    pub edges: Vec<f64>,
    /// Positive rows in each bin.
    pub positive: Vec<u64>,
    /// Negative rows in each bin.
    pub negative: Vec<u64>,
}

impl<B: Backend> ValidationLoss<B> {
    /// Puts images and labels on the device. `chunk` is the number of rows of a product.
    pub fn new(
        backend: &B,
        network: &Network<B>,
        pixels: &[u8],
        labels: &[u32],
        wrong: &[u32],
        chunk: usize,
    ) -> Result<Self> {
        let architecture = &network.architecture;
        let images = backend.images(pixels, architecture.image.height, architecture.image.width)?;
        let rows = images.rows();
        let mut order = backend.indices(rows)?;
        backend.upload_indices(&mut order, &(0..rows as u32).collect::<Vec<_>>())?;
        let pairs = (chunk / 2).max(1);
        let full = rows / pairs;
        let mut chunks = Vec::new();
        let starts: Vec<usize> = (0..full).map(|index| index * pairs).collect();
        if full > 0 {
            chunks.push((Chunk::new(backend, network, pairs, labels, wrong, &starts)?, starts));
        }
        if rows > full * pairs {
            let start = [full * pairs];
            chunks.push((
                Chunk::new(backend, network, rows - start[0], labels, wrong, &start)?,
                start.to_vec(),
            ));
        }
        Ok(ValidationLoss { images, order, chunks, rows })
    }

    /// Mean loss of each layer.
    pub fn measure(&mut self, backend: &B, network: &Network<B>, config: &Config) -> Result<Vec<f64>> {
        let mut losses = vec![0.0; network.layers.len()];
        for (chunk, starts) in &mut self.chunks {
            for (index, &at) in starts.iter().enumerate() {
                chunk.forward(backend, network, &self.images, Plan { indices: &self.order, at }, index)?;
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
        chunk.forward(backend, network, &self.images, Plan { indices: &self.order, at: 0 }, 0)?;
        let layer = |l: usize| {
            let factor = network.architecture.goodness_factor(l);
            let goodness = backend.download(chunk.stack.goodness(l))?;
            let goodness: Vec<f64> = goodness.into_iter().map(|square| factor * square.to_f64()).collect();
            let histogram = histogram(&goodness, chunk.pairs, bins);
            let threshold = match network.architecture.objective(config, l).loss {
                Loss::Bce { threshold, .. } => Some(threshold),
                Loss::Symba { .. } => None,
            };
            Ok(GoodnessHistogram { threshold, ..histogram })
        };
        (0..network.layers.len()).map(layer).collect()
    }
}

/// Bins of equal width from the smallest finite goodness to just above the largest.
fn histogram(goodness: &[f64], pairs: usize, bins: usize) -> GoodnessHistogram {
    let finite = || goodness.iter().copied().filter(|g| g.is_finite());
    let smallest = finite().fold(f64::INFINITY, f64::min).min(f64::MAX);
    let span = finite().fold(0.0, |span: f64, g| span.max(g - smallest));
    let (first, width) = if span > 0.0 { (smallest, span * 1.000_001 / bins as f64) } else { (0.0, 1.0) };
    let count = |rows: &[f64]| {
        let mut counts = vec![0; bins];
        for goodness in rows.iter().filter(|g| g.is_finite()) {
            if let Some(bin) = counts.get_mut(((goodness - first) / width) as usize) {
                *bin += 1;
            }
        }
        counts
    };
    let (positive, negative) = goodness.split_at(pairs.min(goodness.len()));
    GoodnessHistogram {
        threshold: None,
        edges: (0..=bins).map(|edge| first + edge as f64 * width).collect(),
        positive: count(positive),
        negative: count(negative),
    }
}

impl<B: Backend> Chunk<B> {
    fn new(
        backend: &B,
        network: &Network<B>,
        pairs: usize,
        labels: &[u32],
        wrong: &[u32],
        starts: &[usize],
    ) -> Result<Self> {
        let architecture = &network.architecture;
        let stacked: Vec<u32> = starts
            .iter()
            .flat_map(|&at| {
                labels.iter().skip(at).take(pairs).chain(wrong.iter().skip(at).take(pairs)).copied()
            })
            .collect();
        let mut on_device = backend.indices(stacked.len())?;
        backend.upload_indices(&mut on_device, &stacked)?;
        Ok(Chunk {
            pairs,
            images: ImageRows::new(backend, architecture, pairs)?,
            stack: Activities::new(backend, architecture, 2 * pairs)?,
            labels: on_device,
            coefficients: backend.zeros(1, 2 * pairs)?,
            tally: backend.zeros(TALLY_ROWS, architecture.depth())?,
        })
    }

    fn forward(
        &mut self,
        backend: &B,
        network: &Network<B>,
        images: &B::Images,
        rows: Plan<B>,
        index: usize,
    ) -> Result<()> {
        self.images.gather(backend, &network.architecture, images, rows, None)?;
        self.images.multiply(backend, network)?;
        let code = LabelCode::Each(Plan { indices: &self.labels, at: index * 2 * self.pairs });
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
