//! Predictions for a fixed set of images.

use ff_backend::host::Pixels;
use ff_backend::{Backend, IndexSlice, LabelCode, Result, Shape};

use super::chunks::chunks;
use super::probability::{largest, mean_log_probabilities, temperature};
use crate::config::PredictKind;
use crate::network::{
    HeadLayer, ImageRows, Labelled, Network, download, forward, label_energies, neutral_logits, upload,
};

/// What a network makes of a set of images.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Predictions {
    /// The label with the largest Σ G over the scored layers; empty if not asked for.
    pub energy: Vec<u32>,
    /// The same by each layer alone: its goodness, or its own classifier.
    pub layers: Vec<Vec<u32>>,
    /// The head's argmax, where there is a head.
    pub head: Option<Vec<u32>>,
    /// The label with the largest mean probability; empty if not asked for.
    pub ensemble: Vec<u32>,
}

impl Predictions {
    /// Those of what decides, and no others.
    pub fn of(by: PredictKind, labels: Vec<u32>) -> Self {
        let mut predictions = Predictions::default();
        match by {
            PredictKind::Energy => predictions.energy = labels,
            PredictKind::Head => predictions.head = Some(labels),
            PredictKind::Ensemble => predictions.ensemble = labels,
        }
        predictions
    }

    /// What decides; empty if it was not asked for.
    pub fn by(&self, by: PredictKind) -> &[u32] {
        match by {
            PredictKind::Energy => &self.energy,
            PredictKind::Head => self.head.as_deref().unwrap_or_default(),
            PredictKind::Ensemble => &self.ensemble,
        }
    }
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

/// A fixed set of images on the device, evaluated in chunks.
pub struct Evaluator<B: Backend> {
    images: B::Images,
    order: B::Indices,
    /// Where each image is shifted to, if it is.
    shifts: Option<B::Indices>,
    /// Rows of a full chunk.
    chunk: usize,
    /// Predictions by total energy, by each layer, by the head.
    predictions: Vec<B::Indices>,
    rows: usize,
}

/// Where layers have classifiers of their own, those.
fn own_classifiers<B: Backend>(network: &Network<B>) -> impl Iterator<Item = &HeadLayer<B>> {
    network.head.iter().flatten().filter(|_| network.spec.learning.is_local())
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

    /// Adds the energies of gathered images to their scores where they are asked for, and writes what classifiers make
    /// of the images.
    fn read(&mut self, backend: &B, network: &Network<B>, by: PredictKind) -> Result<()> {
        let Chunk { images, labelled, scores, logits, .. } = self;
        images.multiply(backend, network)?;
        if network.spec.tries_labels(by) {
            label_energies(backend, network, images, labelled, scores)?;
        }
        if let Some(logits) = logits {
            neutral_logits(backend, network, images, labelled.activities(), logits)?;
        }
        for part in own_classifiers(network) {
            part.read_out(backend, labelled.activities(), &mut scores[1 + part.layer], false)?;
        }
        Ok(())
    }

    /// Scores of every label for the images that were read, `[rows, classes]`.
    fn scores(&self, backend: &B, network: &Network<B>, by: PredictKind) -> Result<Vec<f32>> {
        let energy = &self.scores[0];
        let logits = self.logits.as_ref().unwrap_or(energy);
        match by {
            PredictKind::Energy => download(backend, energy),
            PredictKind::Head => download(backend, logits),
            PredictKind::Ensemble => {
                let spec = &network.spec;
                let member = |scores, by| Ok((download(backend, scores)?, temperature(spec, by)));
                let members: Result<Vec<_>> = if spec.learning.is_local() {
                    let layers = own_classifiers(network).map(|part| &self.scores[1 + part.layer]);
                    layers.map(|scores| member(scores, PredictKind::Head)).collect()
                } else {
                    [(energy, PredictKind::Energy), (logits, PredictKind::Head)]
                        .map(|(scores, by)| member(scores, by))
                        .into_iter()
                        .collect()
                };
                Ok(mean_log_probabilities(&members?, spec.classes))
            }
        }
    }
}

impl<B: Backend> Evaluator<B> {
    /// Puts images on the device, to be evaluated `chunk` rows at a time.
    pub fn new(backend: &B, network: &Network<B>, pixels: &Pixels, chunk: usize) -> Result<Self> {
        let spec = &network.spec;
        let images = backend.images(pixels, spec.image.height, spec.image.columns())?;
        let rows = images.rows();
        let mut order = backend.indices(rows)?;
        backend.upload_indices(&mut order, &(0..rows as u32).collect::<Vec<_>>())?;
        let predictions = (0..spec.depth() + 2).map(|_| backend.indices(rows)).collect::<Result<_>>()?;
        Ok(Evaluator { images, order, shifts: None, chunk, predictions, rows })
    }

    /// Shifts every image from now on, by what [`shift`](crate::batching::shift) makes.
    pub fn shift(&mut self, backend: &B, shift: u32) -> Result<()> {
        let shifts = match &mut self.shifts {
            Some(shifts) => shifts,
            empty => empty.insert(backend.indices(self.rows)?),
        };
        backend.upload_indices(shifts, &vec![shift; self.rows])
    }

    /// Gathers the rows of a chunk that begins at `at`.
    fn gather(&self, backend: &B, chunk: &mut Chunk<B>, at: usize) -> Result<()> {
        let slice = |indices| IndexSlice { indices, offset: at };
        chunk.images.gather(backend, &self.images, slice(&self.order), self.shifts.as_ref().map(slice))
    }

    /// Predicts every image: by the head if there is one, and as asked; by energy takes a pass for each label.
    pub fn predict(&mut self, backend: &B, network: &Network<B>, by: PredictKind) -> Result<Predictions> {
        let depth = network.spec.depth();
        let energy = network.spec.tries_labels(by);
        let local = network.spec.learning.is_local();
        let mut ensemble = Vec::new();
        for (rows, starts) in chunks(self.rows, self.chunk) {
            let mut chunk = Chunk::new(backend, network, rows)?;
            for at in starts {
                self.gather(backend, &mut chunk, at)?;
                chunk.read(backend, network, by)?;
                if by == PredictKind::Ensemble {
                    let scores = chunk.scores(backend, network, by)?;
                    ensemble.extend(scores.chunks(network.spec.classes).map(|row| largest(row) as u32));
                }
                let scores = chunk.scores.iter_mut().chain(&mut chunk.logits);
                for (scores, out) in scores.zip(&mut self.predictions) {
                    backend.argmax(scores, out, at)?;
                }
            }
        }
        let read = |indices: &B::Indices| backend.download_indices(indices);
        let layers = if energy || local { 1..depth + 1 } else { 0..0 };
        Ok(Predictions {
            energy: if energy { read(&self.predictions[0])? } else { Vec::new() },
            layers: self.predictions[layers].iter().map(read).collect::<Result<_>>()?,
            head: network.head.as_ref().map(|_| read(&self.predictions[depth + 1])).transpose()?,
            ensemble,
        })
    }

    /// Scores of every label for every image, `[rows, classes]`: total energies, the head's logits, or logarithms of an
    /// ensemble's probabilities.
    pub fn scores(&mut self, backend: &B, network: &Network<B>, by: PredictKind) -> Result<Vec<f32>> {
        let rows = self.rows;
        self.first_scores(backend, network, by, rows)
    }

    /// The same for some of the images, in their order. They are put before the others for as long as it takes.
    pub fn scores_of(
        &mut self,
        backend: &B,
        network: &Network<B>,
        by: PredictKind,
        images: &[u32],
    ) -> Result<Vec<f32>> {
        let mut order = images.to_vec();
        order.resize(self.rows, 0);
        backend.upload_indices(&mut self.order, &order)?;
        let scores = self.first_scores(backend, network, by, images.len());
        backend.upload_indices(&mut self.order, &(0..self.rows as u32).collect::<Vec<_>>())?;
        scores
    }

    /// The mean activity of each unit of the first layer in a neutral pass over the first chunk of images.
    pub fn first_activities(&self, backend: &B, network: &Network<B>) -> Result<Vec<f64>> {
        let Some((rows, _)) = chunks(self.rows, self.chunk).next() else { return Ok(Vec::new()) };
        let mut chunk = Chunk::new(backend, network, rows)?;
        self.gather(backend, &mut chunk, 0)?;
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
        by: PredictKind,
        count: usize,
    ) -> Result<Vec<f32>> {
        let classes = network.spec.classes;
        let mut all = Vec::with_capacity(count * classes);
        for (rows, starts) in chunks(self.rows, self.chunk) {
            let mut chunk = Chunk::new(backend, network, rows)?;
            for at in starts.into_iter().filter(|&at| at < count) {
                self.gather(backend, &mut chunk, at)?;
                chunk.read(backend, network, by)?;
                all.extend(chunk.scores(backend, network, by)?);
                for scores in &mut chunk.scores {
                    upload(backend, scores, &vec![0.0; chunk.rows * classes])?;
                }
            }
        }
        all.truncate(count * classes);
        Ok(all)
    }
}
