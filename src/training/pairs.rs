//! Forward-Forward: every layer learns from the goodness of positive and negative rows.

use ff_backend::{Backend, LabelCode, Result, Rule, TALLY_ROWS, Tally};

use super::neutral::Neutral;
use super::phase::Phase;
use super::step::{Step, TrainTally};
use crate::batching::{Batch, Negatives, PlannedEpoch, negatives};
use crate::config::LayerSchedule;
use crate::network::{Activities, ImageRows, Lesson, Network, forward};
use crate::spec::Spec;

/// Buffers of a step on pairs.
pub struct Pairs<B: Backend> {
    spec: Spec,
    negatives: Box<dyn Negatives<B>>,
    stack: Stack<B>,
    neutral: Option<Neutral<B>>,
}

/// Positive rows, then negative ones.
struct Stack<B: Backend> {
    pairs: usize,
    /// Which of them learn from the batch under way.
    phase: Phase,
    images: ImageRows<B>,
    activities: Activities<B>,
    coefficients: B::Matrix,
    /// Sums of losses and goodness since the last reading `[TALLY_ROWS, layers]`.
    tally: B::Matrix,
}

impl<B: Backend> Pairs<B> {
    /// Buffers for batches of the spec's size.
    pub fn new(backend: &B, spec: &Spec) -> Result<Self> {
        let pairs = spec.batch_size;
        let negatives = negatives::new(backend, spec)?;
        let shared = negatives.shares_images();
        let image_rows = if shared { pairs } else { 2 * pairs };
        let neutral = spec.head.map(|_| Neutral::new(backend, spec, shared)).transpose()?;
        let stack = Stack {
            pairs,
            phase: Phase::Both,
            images: ImageRows::new(backend, spec, image_rows)?,
            activities: Activities::new(backend, spec, 2 * pairs)?,
            coefficients: backend.zeros(1, 2 * pairs)?,
            tally: backend.zeros(TALLY_ROWS, spec.depth())?,
        };
        Ok(Pairs { spec: spec.clone(), negatives, stack, neutral })
    }
}

impl<B: Backend> Step<B> for Pairs<B> {
    fn plan(&self, spec: &Spec, labels: &[u32], epoch: usize) -> PlannedEpoch {
        PlannedEpoch::draw(spec, &*self.negatives, labels, epoch)
    }

    /// Neutral pass and head, if there is one; then layer after layer.
    fn step(
        &mut self,
        backend: &B,
        network: &mut Network<B>,
        images: &B::Images,
        batch: &Batch<B>,
        layers: Rule,
        head: Rule,
    ) -> Result<()> {
        let (spec, stack) = (&self.spec, &mut self.stack);
        let (shown, shifts) = match self.negatives.shares_images() {
            true => (batch.rows, batch.shifts),
            false => (batch.stacked, batch.stacked_shifts),
        };
        let rows = &mut stack.images;
        rows.gather_and(backend, images, shown, shifts, |features, squares| {
            self.negatives.blend(backend, features, squares, batch.numbers)
        })?;
        rows.silence(backend, spec.input_dropout, batch.pixel_seed())?;
        rows.multiply(backend, network)?;
        if let Some(neutral) = &mut self.neutral {
            neutral.read(backend, network, images, batch, rows)?;
            neutral.learn(backend, network, head)?;
        }
        let errors = self.neutral.as_ref().map(Neutral::errors);
        let code = LabelCode::Each(self.negatives.labels(backend, batch, errors)?);
        stack.phase = Phase::of_batch(batch.index, spec.sleep_every);
        for l in 0..network.layers.len() {
            stack.forward(backend, network, spec, l, code, batch.dropout_seed)?;
            stack.learn(backend, network, spec, l, code, layers)?;
            if spec.layer_schedule == LayerSchedule::Greedy && l + 1 < network.layers.len() {
                if l == 0 {
                    stack.images.multiply(backend, network)?;
                }
                stack.forward(backend, network, spec, l, code, batch.dropout_seed)?;
            }
        }
        Ok(())
    }

    fn take_tally(&mut self, backend: &B, batches: usize) -> Result<TrainTally> {
        let head_cost = Neutral::take_cost(self.neutral.as_mut(), backend, batches)?;
        Ok(TrainTally { head_cost, ..TrainTally::of_goodness(backend, &mut self.stack.tally, batches)? })
    }

    fn hidden(&self) -> &[B::Matrix] {
        &self.stack.activities.hidden
    }
}

impl<B: Backend> Stack<B> {
    fn forward(
        &mut self,
        backend: &B,
        network: &Network<B>,
        spec: &Spec,
        l: usize,
        code: LabelCode<B>,
        dropout_seed: u32,
    ) -> Result<()> {
        let activities = &mut self.activities;
        forward(backend, network, &self.images, l, code, activities)?;
        activities.silence(backend, l, spec.dropout, dropout_seed)?;
        activities.measure(backend, l)
    }

    fn learn(
        &mut self,
        backend: &B,
        network: &mut Network<B>,
        spec: &Spec,
        l: usize,
        code: LabelCode<B>,
        rule: Rule,
    ) -> Result<()> {
        let (activities, layer) = (&self.activities, &spec.layers[l]);
        let tally = Tally { sums: &mut self.tally, layer: l };
        let objective = self.phase.restrict(&layer.objective);
        backend.coefficients(activities.goodness(l), &objective, &mut self.coefficients, tally)?;
        let (features, squares) = activities.below(l, &self.images);
        let lesson = Lesson {
            input: layer.input(features, squares, code),
            above: None,
            hidden: &activities.hidden[l],
            slopes: activities.slopes(l),
            coefficients: &self.coefficients,
            positives: self.phase.positives(self.pairs),
        };
        network.layers[l].learn(backend, &lesson, rule)
    }
}
