//! Forward-Forward in time: layers that are driven from above too learn from the goodness of every step (arXiv 2212.13345,
//! section 3.4). What a step teaches reaches the weights that made it, from below and from above, and nothing before it.

use ff_backend::{Backend, LabelCode, Result, Rule, TALLY_ROWS, Tally};

use super::neutral::Neutral;
use super::phase::Phase;
use super::step::{Step, TrainTally};
use crate::batching::{Batch, Negatives, PlannedEpoch, negatives};
use crate::network::{ImageRows, Lesson, Network, States};
use crate::spec::Spec;

/// Buffers of the steps on pairs.
pub(super) struct TopDown<B: Backend> {
    spec: Spec,
    negatives: Box<dyn Negatives<B>>,
    neutral: Option<Neutral<B>>,
    pairs: Pairs<B>,
}

/// Positive rows, then negative ones, which share their images.
struct Pairs<B: Backend> {
    images: ImageRows<B>,
    states: States<B>,
    coefficients: B::Matrix,
    /// Sums of losses and goodness of all steps since the last reading `[TALLY_ROWS, layers]`.
    tally: B::Matrix,
}

impl<B: Backend> TopDown<B> {
    /// Buffers for batches of the spec's size.
    pub fn new(backend: &B, spec: &Spec) -> Result<Self> {
        let pairs = spec.batch_size;
        Ok(TopDown {
            negatives: negatives::new(backend, spec)?,
            neutral: spec.head.map(|_| Neutral::new(backend, spec, true)).transpose()?,
            pairs: Pairs {
                images: ImageRows::new(backend, spec, pairs)?,
                states: States::new(backend, spec, 2 * pairs)?,
                coefficients: backend.zeros(1, 2 * pairs)?,
                tally: backend.zeros(TALLY_ROWS, spec.depth())?,
            },
            spec: spec.clone(),
        })
    }
}

impl<B: Backend> Pairs<B> {
    /// Every layer learns from the step that has been made.
    fn learn(
        &mut self,
        backend: &B,
        network: &mut Network<B>,
        code: LabelCode<B>,
        phase: Phase,
        rule: Rule,
    ) -> Result<()> {
        let Pairs { images, states, coefficients, tally } = self;
        let Network { spec, layers, .. } = network;
        for (l, layer) in layers.iter_mut().enumerate() {
            let objective = phase.restrict(&spec.layers[l].objective);
            let tally = Tally { sums: &mut *tally, layer: l };
            backend.coefficients(states.now.goodness(l), &objective, coefficients, tally)?;
            let lesson = Lesson {
                input: states.below(spec, l, images, code),
                above: states.above(spec, l),
                hidden: &states.now.hidden[l],
                slopes: states.slopes(l),
                coefficients,
                positives: phase.positives(spec.batch_size),
            };
            layer.learn(backend, &lesson, rule)?;
        }
        Ok(())
    }
}

impl<B: Backend> Step<B> for TopDown<B> {
    fn plan(&self, spec: &Spec, labels: &[u32], epoch: usize) -> PlannedEpoch {
        PlannedEpoch::draw(spec, &*self.negatives, labels, epoch)
    }

    /// Neutral pass and head, if there is one; the bottom-up pass; then step after step.
    fn step(
        &mut self,
        backend: &B,
        network: &mut Network<B>,
        images: &B::Images,
        batch: &Batch<B>,
        layers: Rule,
        head: Rule,
    ) -> Result<()> {
        let TopDown { spec, negatives, neutral, pairs } = self;
        pairs.images.gather(backend, images, batch.rows, batch.shifts)?;
        pairs.images.silence(backend, spec.input_dropout, batch.pixel_seed())?;
        pairs.images.multiply(backend, network)?;
        if let Some(neutral) = neutral {
            neutral.read(backend, network, images, batch, &pairs.images)?;
            neutral.learn(backend, network, head)?;
        }
        let errors = neutral.as_ref().map(Neutral::errors);
        let code = LabelCode::Each(negatives.labels(backend, batch, errors)?);
        let phase = Phase::of_batch(batch.index, spec.sleep_every);
        pairs.states.start(backend, network, &pairs.images)?;
        for step in 0..spec.updates() {
            if step > 0 {
                pairs.images.multiply(backend, network)?;
            }
            pairs.states.step(backend, network, &pairs.images, code)?;
            pairs.learn(backend, network, code, phase, later(layers, step))?;
        }
        Ok(())
    }

    fn take_tally(&mut self, backend: &B, batches: usize) -> Result<TrainTally> {
        let head_cost = Neutral::take_cost(self.neutral.as_mut(), backend, batches)?;
        let steps = batches * self.spec.updates();
        Ok(TrainTally { head_cost, ..TrainTally::of_goodness(backend, &mut self.pairs.tally, steps)? })
    }

    fn hidden(&self) -> &[B::Matrix] {
        &self.pairs.states.now.hidden
    }
}

/// The rule so many updates later.
fn later(rule: Rule, updates: usize) -> Rule {
    match rule {
        Rule::Adam { rate, step, idle } => {
            Rule::Adam { rate, step: step + updates as u64 * (1 + u64::from(idle)), idle }
        }
        momentum => momentum,
    }
}
