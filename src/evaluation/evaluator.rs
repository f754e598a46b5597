//! Predictions for a fixed set of images.

use ff_backend::{Backend, IndexSlice, LabelCode, Result, Shape};

use crate::network::{
    ImageRows, Labelled, Network, download, forward, label_energies, neutral_logits, upload,
};

/// What a network makes of a set of images.
#[derive(Clone, Debug, PartialEq)]
pub struct Predictions {
    /// The label with the largest Σ G over the scored layers; empty if not asked for.
    pub energy: Vec<u32>,
    /// The same by each layer alone: its goodness, or its own classifier.
    pub layers: Vec<Vec<u32>>,
    /// The head's argmax, where there is a head.
    pub head: Option<Vec<u32>>,
}

/// Buffers for one chunk of rows.
struct Chunk<B: Backend> {
    rows: usize,
    images: ImageRows<B>,
    labelled: Labelled<B>,
    /// Σ over the scored layers, then each layer `[rows, classes]`.
    scores: Vec<B::Matrix>,
    logits: Option<B::Matrix>,
}

/// A fixed set of images on the device, and buffers to evaluate it in chunks.
pub struct Evaluator<B: Backend> {
    images: B::Images,
    order: B::Indices,
    /// Full chunks, then one for the rest.
    chunks: Vec<(Chunk<B>, Vec<usize>)>,
    /// Predictions by total energy, by each layer, by the head.
    predictions: Vec<B::Indices>,
    rows: usize,
}

impl<B: Backend> Chunk<B> {
    fn new(backend: &B, network: &Network<B>, rows: usize) -> Result<Self> {
        let spec = &network.spec;
        let classes = spec.classes;
        Ok(Chunk {
            rows,
            images: ImageRows::new(backend, spec, rows)?,
            labelled: Labelled::new(backend, spec, rows)?,
            scores: (0..=spec.depth()).map(|_| backend.zeros(rows, classes)).collect::<Result<_>>()?,
            logits: network.head.as_ref().map(|_| backend.zeros(rows, classes)).transpose()?,
        })
    }
}

impl<B: Backend> Evaluator<B> {
    /// Puts images on the device, to be evaluated `chunk` rows at a time.
    pub fn new(backend: &B, network: &Network<B>, pixels: &[u8], chunk: usize) -> Result<Self> {
        let spec = &network.spec;
        let images = backend.images(pixels, spec.image.height, spec.image.columns())?;
        let rows = images.rows();
        let mut order = backend.indices(rows)?;
        backend.upload_indices(&mut order, &(0..rows as u32).collect::<Vec<_>>())?;
        let mut chunks = Vec::new();
        let full = rows / chunk.max(1);
        if full > 0 {
            let starts = (0..full).map(|index| index * chunk).collect();
            chunks.push((Chunk::new(backend, network, chunk)?, starts));
        }
        if rows > full * chunk {
            chunks.push((Chunk::new(backend, network, rows - full * chunk)?, vec![full * chunk]));
        }
        let predictions = (0..spec.depth() + 2).map(|_| backend.indices(rows)).collect::<Result<_>>()?;
        Ok(Evaluator { images, order, chunks, predictions, rows })
    }

    /// Predicts every image: by the head if there is one, and by `energy` if asked to, which takes a pass
    /// for each label.
    pub fn predict(&mut self, backend: &B, network: &Network<B>, energy: bool) -> Result<Predictions> {
        let depth = network.spec.depth();
        let local = network.spec.learning.is_local();
        for (chunk, starts) in &mut self.chunks {
            for &at in starts.iter() {
                let rows = IndexSlice { indices: &self.order, offset: at };
                chunk.images.gather(backend, &self.images, rows, None)?;
                chunk.images.multiply(backend, network)?;
                if energy {
                    let images = &chunk.images;
                    label_energies(backend, network, images, &mut chunk.labelled, &mut chunk.scores)?;
                    for (scores, out) in chunk.scores.iter_mut().zip(&mut self.predictions) {
                        backend.argmax(scores, out, at)?;
                    }
                }
                if let Some(logits) = &mut chunk.logits {
                    neutral_logits(backend, network, &chunk.images, chunk.labelled.activities(), logits)?;
                    backend.argmax(logits, &mut self.predictions[depth + 1], at)?;
                }
                for part in network.head.iter().flatten().filter(|_| local) {
                    let scores = &mut chunk.scores[1 + part.layer];
                    part.read_out(backend, chunk.labelled.activities(), scores, false)?;
                    backend.argmax(scores, &mut self.predictions[1 + part.layer], at)?;
                }
            }
        }
        let read = |indices: &B::Indices| backend.download_indices(indices);
        let layers = if energy || local { 1..depth + 1 } else { 0..0 };
        Ok(Predictions {
            energy: if energy { read(&self.predictions[0])? } else { Vec::new() },
            layers: self.predictions[layers].iter().map(read).collect::<Result<_>>()?,
            head: network.head.as_ref().map(|_| read(&self.predictions[depth + 1])).transpose()?,
        })
    }

    /// Scores of every label for every image, `[rows, classes]`: total energies, or the head's logits.
    pub fn scores(&mut self, backend: &B, network: &Network<B>, head: bool) -> Result<Vec<f32>> {
        let rows = self.rows;
        self.first_scores(backend, network, head, rows)
    }

    /// The same for some of the images, in their order. They are put before the others for as long as it takes.
    pub fn scores_of(
        &mut self,
        backend: &B,
        network: &Network<B>,
        head: bool,
        images: &[u32],
    ) -> Result<Vec<f32>> {
        let mut order = images.to_vec();
        order.resize(self.rows, 0);
        backend.upload_indices(&mut self.order, &order)?;
        let scores = self.first_scores(backend, network, head, images.len());
        backend.upload_indices(&mut self.order, &(0..self.rows as u32).collect::<Vec<_>>())?;
        scores
    }

    /// The mean activity of each unit of the first layer in a neutral pass over the first chunk of images.
    pub fn first_activities(&mut self, backend: &B, network: &Network<B>) -> Result<Vec<f64>> {
        let Some((chunk, _)) = self.chunks.first_mut() else { return Ok(Vec::new()) };
        chunk.images.gather(backend, &self.images, IndexSlice { indices: &self.order, offset: 0 }, None)?;
        chunk.images.multiply(backend, network)?;
        let activities = chunk.labelled.activities();
        forward(backend, network, &chunk.images, 0, LabelCode::Neutral, activities)?;
        let hidden = download(backend, &activities.hidden[0])?;
        let mut means = vec![0.0; network.spec.layers[0].units];
        for row in hidden.chunks(means.len()) {
            means.iter_mut().zip(row).for_each(|(mean, h)| *mean += f64::from(*h) / chunk.rows as f64);
        }
        Ok(means)
    }

    /// Scores of the first `count` images in order.
    fn first_scores(
        &mut self,
        backend: &B,
        network: &Network<B>,
        head: bool,
        count: usize,
    ) -> Result<Vec<f32>> {
        let classes = network.spec.classes;
        let mut all = Vec::with_capacity(count * classes);
        for (chunk, starts) in &mut self.chunks {
            for &at in starts.iter().filter(|&&at| at < count) {
                let rows = IndexSlice { indices: &self.order, offset: at };
                chunk.images.gather(backend, &self.images, rows, None)?;
                chunk.images.multiply(backend, network)?;
                match &mut chunk.logits {
                    Some(logits) if head => {
                        neutral_logits(backend, network, &chunk.images, chunk.labelled.activities(), logits)?;
                        all.extend(download(backend, logits)?);
                    }
                    _ => {
                        let images = &chunk.images;
                        label_energies(backend, network, images, &mut chunk.labelled, &mut chunk.scores)?;
                        all.extend(download(backend, &chunk.scores[0])?);
                        for scores in &mut chunk.scores {
                            let zeros = vec![0.0; chunk.rows * classes];
                            upload(backend, scores, &zeros)?;
                        }
                    }
                }
            }
        }
        all.truncate(count * classes);
        Ok(all)
    }
}
