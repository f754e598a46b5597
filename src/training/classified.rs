//! What the controls beside Forward-Forward have in common: rows without label features go forward, softmax classifiers
//! read them, and what their errors send back along a layer's sums is what it learns from.

use ff_backend::{Backend, Input, LabelCode, Result, Rule};

use super::step::take;
use crate::batching::Batch;
use crate::network::{Activities, HeadLayer, ImageRows, Lesson, Network, forward, upload};
use crate::spec::Spec;

/// A batch of images, and what classifiers make of it.
pub(super) struct Classified<B: Backend> {
    /// Constants of the run.
    pub spec: Spec,
    pub images: ImageRows<B>,
    pub activities: Activities<B>,
    logits: B::Matrix,
    /// softmax − targets `[B, C]`.
    errors: B::Matrix,
    /// 1 / B for each row: a classifier's loss is a mean.
    pub shares: B::Matrix,
    /// Sums of each classifier's cross-entropy since the last reading.
    costs: Vec<B::Matrix>,
    /// Slopes of the loss along each layer's sums, before `factors` `[B, units]`.
    pub slopes: Vec<B::Matrix>,
    /// What they are multiplied by `[1, B]`.
    factors: Vec<B::Matrix>,
}

impl<B: Backend> Classified<B> {
    /// Buffers for so many classifiers. `factors[l]` multiplies the gradient of layer l.
    pub fn new(backend: &B, spec: &Spec, classifiers: usize, factors: &[f64]) -> Result<Self> {
        let (rows, classes) = (spec.batch_size, spec.classes);
        let constant = |value: f64| {
            let mut row = backend.zeros(1, rows)?;
            upload(backend, &mut row, &vec![(value / rows as f64) as f32; rows])?;
            Ok(row)
        };
        Ok(Classified {
            images: ImageRows::new(backend, spec, rows)?,
            activities: Activities::new(backend, spec, rows)?,
            logits: backend.zeros(rows, classes)?,
            errors: backend.zeros(rows, classes)?,
            shares: constant(1.0)?,
            costs: (0..classifiers).map(|_| backend.zeros(1, 1)).collect::<Result<_>>()?,
            slopes: spec
                .layers
                .iter()
                .map(|layer| backend.zeros(rows, layer.units))
                .collect::<Result<_>>()?,
            factors: factors.iter().map(|&factor| constant(factor)).collect::<Result<_>>()?,
            spec: spec.clone(),
        })
    }

    /// Gathers a batch and multiplies it with the first layer's weights.
    pub fn begin(
        &mut self,
        backend: &B,
        network: &Network<B>,
        images: &B::Images,
        batch: &Batch<B>,
    ) -> Result<()> {
        self.images.gather(backend, images, batch.rows, batch.shifts)?;
        self.images.silence(backend, self.spec.input_dropout, batch.pixel_seed())?;
        self.images.multiply(backend, network)
    }

    /// The activities of layer `l`, with dropout.
    pub fn forward(&mut self, backend: &B, network: &Network<B>, l: usize, seed: u32) -> Result<()> {
        // No label enters: the code is not read.
        forward(backend, network, &self.images, l, LabelCode::Neutral, &mut self.activities)?;
        self.activities.silence(backend, l, self.spec.dropout, seed)
    }

    /// Classifier `index` reads its layer: its errors on the true labels, and what they send back along the layer's
    /// sums; then it learns.
    pub fn classify(
        &mut self,
        backend: &B,
        part: &mut HeadLayer<B>,
        index: usize,
        batch: &Batch<B>,
        rule: Rule,
    ) -> Result<()> {
        let Classified { spec, activities, logits, errors, shares, costs, slopes, .. } = self;
        part.read_out(backend, activities, logits, false)?;
        backend.softmax(logits, batch.truth, spec.label_smoothing, errors, &mut costs[index])?;
        part.back_project(backend, errors, activities, &mut slopes[part.layer])?;
        part.learn(backend, activities, errors, shares, rule)
    }

    /// What layer `l` has read.
    fn input(&self, l: usize) -> Input<'_, B> {
        let (features, squares) = self.activities.below(l, &self.images);
        self.spec.layers[l].input(features, squares, LabelCode::Neutral)
    }

    /// Sends the slopes of layer `l` > 0 back to the layer below it, through the weights that made its activities.
    pub fn send_back(&mut self, backend: &B, network: &Network<B>, l: usize) -> Result<()> {
        let (features, squares) = self.activities.below(l, &self.images);
        let input = self.spec.layers[l].input(features, squares, LabelCode::Neutral);
        let (below, above) = self.slopes.split_at_mut(l);
        match (below.last_mut(), above.first()) {
            (Some(below), Some(slopes)) => network.layers[l].back_project(backend, slopes, &input, below),
            _ => Ok(()),
        }
    }

    /// Layer `l` makes a step down its slopes.
    pub fn learn(&self, backend: &B, network: &mut Network<B>, l: usize, rule: Rule) -> Result<()> {
        let lesson = Lesson {
            input: self.input(l),
            above: None,
            hidden: &self.activities.hidden[l],
            slopes: &self.slopes[l],
            coefficients: &self.factors[l],
            positives: self.spec.batch_size,
        };
        network.layers[l].learn(backend, &lesson, rule)
    }

    /// Mean cross-entropy of each classifier over the last `batches` batches, and sets the sums to 0.
    pub fn take_costs(&mut self, backend: &B, batches: usize) -> Result<Vec<f64>> {
        let share = 1.0 / batches.max(1) as f64;
        let mean = |cost| Ok(take(backend, cost)?.first().map_or(0.0, |sum| sum * share));
        self.costs.iter_mut().map(mean).collect()
    }
}
