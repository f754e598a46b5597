//! One training step: the way of a batch through the algorithm.

use ff_backend::{Backend, Delta, LabelCode, Peer, Plan, Result, Rule, Shape, TALLY_ROWS, Tally};

use crate::config::{Config, LayerSchedule, NegativeKind};
use crate::network::{
    Activities, Architecture, ImageRows, Network, activate_first, forward, neutral_logits, upload,
};

/// Where one batch's draws lie in the epoch's plan.
pub struct Batch<'a, B: Backend> {
    /// Images of the positive rows.
    pub rows: Plan<'a, B>,
    /// Their labels.
    pub truth: Plan<'a, B>,
    /// Draws of their hard negatives.
    pub uniforms: Plan<'a, B>,
    /// Their shifts, if images are jittered.
    pub shifts: Option<Plan<'a, B>>,
    /// Masks of their hybrids.
    pub masks: Plan<'a, B>,
    /// Images of positive and negative rows, where they do not share them.
    pub stacked: Plan<'a, B>,
    /// Shifts of those.
    pub stacked_shifts: Option<Plan<'a, B>>,
    /// True, then wrong labels.
    pub labels: Plan<'a, B>,
    /// Seed of the batch's dropout.
    pub dropout_seed: u32,
}

/// Buffers of a training step, made once; and the step.
pub struct Stepper<B: Backend> {
    config: Config,
    stack: Stack<B>,
    neutral: Option<Neutral<B>>,
    masks: Option<B::Images>,
}

/// Positive rows, then negative ones.
struct Stack<B: Backend> {
    pairs: usize,
    images: ImageRows<B>,
    activities: Activities<B>,
    coefficients: B::Matrix,
    /// Sums of losses and goodness since the last reading `[TALLY_ROWS, layers]`.
    tally: B::Matrix,
}

/// The neutral pass that the head learns from, and hard negatives come from.
struct Neutral<B: Backend> {
    /// Images of their own where the stack's cannot be shared.
    images: Option<ImageRows<B>>,
    activities: Activities<B>,
    logits: B::Matrix,
    errors: B::Matrix,
    /// 1 / B for each row: the head's loss is a mean.
    shares: B::Matrix,
    cost: B::Matrix,
    /// True labels, then hard negatives.
    labels: B::Indices,
}

/// Figures of the batches since the last reading.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainTally {
    /// Mean loss of each layer.
    pub losses: Vec<f64>,
    /// Mean goodness of positives in each layer.
    pub positive: Vec<f64>,
    /// Mean goodness of negatives in each layer.
    pub negative: Vec<f64>,
    /// Fraction of pairs in each layer whose negative has more goodness.
    pub pairwise_errors: Vec<f64>,
    /// Mean cross-entropy of the head.
    pub head_cost: Option<f64>,
}

impl<B: Backend> Stepper<B> {
    /// Buffers for batches of the config's size.
    pub fn new(backend: &B, architecture: &Architecture, config: &Config) -> Result<Self> {
        let pairs = config.training.batch_size;
        let hybrid = config.training.negatives == NegativeKind::Hybrid;
        let shared = config.training.exact_shortcuts && !hybrid;
        let image_rows = if shared { pairs } else { 2 * pairs };
        let neutral = if config.head.enabled {
            Some(Neutral::new(backend, architecture, pairs, shared)?)
        } else {
            None
        };
        let masks = if hybrid {
            let image = architecture.image;
            let pixels = super::plan::hybrid_masks(config.training.seed, image.height, image.width);
            Some(backend.images(&pixels, image.height, image.width)?)
        } else {
            None
        };
        let stack = Stack {
            pairs,
            images: ImageRows::new(backend, architecture, image_rows)?,
            activities: Activities::new(backend, architecture, 2 * pairs)?,
            coefficients: backend.zeros(1, 2 * pairs)?,
            tally: backend.zeros(TALLY_ROWS, architecture.depth())?,
        };
        Ok(Stepper { config: config.clone(), stack, neutral, masks })
    }

    /// One batch: neutral pass and head, if there is one; then layer after layer.
    ///
    /// `layers` and `head` are the update rules of this batch.
    pub fn step(
        &mut self,
        backend: &B,
        network: &mut Network<B>,
        images: &B::Images,
        batch: &Batch<B>,
        layers: Rule,
        head: Rule,
    ) -> Result<()> {
        let (config, stack) = (&self.config, &mut self.stack);
        let shortcuts = config.training.exact_shortcuts;
        stack.gather(backend, &network.architecture, images, batch)?;
        if let Some(masks) = &self.masks {
            let images = &mut stack.images;
            backend.hybrid(&mut images.features, masks, batch.masks, &mut images.squares)?;
        }
        stack.images.multiply(backend, network, shortcuts)?;
        let mut labels = batch.labels;
        if let Some(neutral) = &mut self.neutral {
            neutral.read(backend, network, images, batch, &stack.images, shortcuts)?;
            neutral.learn(backend, network, head)?;
            if config.training.negatives == NegativeKind::Hard {
                backend.draw_labels(&neutral.errors, batch.truth, batch.uniforms, &mut neutral.labels)?;
                labels = Plan { indices: &neutral.labels, at: 0 };
            }
        }
        let code = LabelCode::Each(labels);
        for l in 0..network.layers.len() {
            stack.forward(backend, network, config, l, code, batch.dropout_seed)?;
            stack.learn(backend, network, config, l, code, layers)?;
            if config.training.layer_schedule == LayerSchedule::Greedy && l + 1 < network.layers.len() {
                if l == 0 {
                    stack.images.multiply(backend, network, shortcuts)?;
                }
                stack.forward(backend, network, config, l, code, batch.dropout_seed)?;
            }
        }
        Ok(())
    }

    /// The figures of the last `batches` batches, as means, and starts anew. Waits for the device.
    pub fn take_tally(&mut self, backend: &B, batches: usize) -> Result<TrainTally> {
        let share = 1.0 / batches.max(1) as f64;
        let sums = read(backend, &mut self.stack.tally)?;
        let layers = sums.len() / TALLY_ROWS;
        let row = |r: usize| sums[r * layers..(r + 1) * layers].iter().map(|sum| sum * share).collect();
        let head_cost = match &mut self.neutral {
            Some(neutral) => read(backend, &mut neutral.cost)?.first().map(|sum| sum * share),
            None => None,
        };
        Ok(TrainTally {
            losses: row(0),
            positive: row(1),
            negative: row(2),
            pairwise_errors: row(3),
            head_cost,
        })
    }

    /// Fraction of positive and negative activities above 0 in each layer, in the last batch. Waits.
    pub fn active_fractions(&self, backend: &B) -> Result<Vec<f64>> {
        let fraction = |hidden: &B::Matrix| {
            let values = crate::network::download(backend, hidden)?;
            Ok(values.iter().filter(|h| **h > 0.0).count() as f64 / values.len().max(1) as f64)
        };
        self.stack.activities.hidden.iter().map(fraction).collect()
    }
}

impl<B: Backend> Stack<B> {
    fn gather(
        &mut self,
        backend: &B,
        architecture: &Architecture,
        images: &B::Images,
        batch: &Batch<B>,
    ) -> Result<()> {
        let shared = self.images.features.rows() == self.pairs;
        let (rows, shifts) =
            if shared { (batch.rows, batch.shifts) } else { (batch.stacked, batch.stacked_shifts) };
        self.images.gather(backend, architecture, images, rows, shifts)
    }

    fn forward(
        &mut self,
        backend: &B,
        network: &Network<B>,
        config: &Config,
        l: usize,
        code: LabelCode<B>,
        dropout_seed: u32,
    ) -> Result<()> {
        let activities = &mut self.activities;
        match l {
            0 => activate_first(backend, network, &self.images, code, activities)?,
            _ => forward(backend, network, l, code, activities)?,
        }
        let rate = config.training.dropout;
        if rate > 0.0 {
            let seed = dropout_seed.wrapping_add(l as u32);
            backend.dropout(&mut activities.hidden[l], rate, seed, &mut activities.squares[l])?;
        }
        activities.count(backend, &network.architecture, l)
    }

    fn learn(
        &mut self,
        backend: &B,
        network: &mut Network<B>,
        config: &Config,
        l: usize,
        code: LabelCode<B>,
        rule: Rule,
    ) -> Result<()> {
        let (training, activities) = (&config.training, &self.activities);
        let architecture = &network.architecture;
        let layer = &mut network.layers[l];
        let peer = if training.peer_normalization > 0.0 {
            backend.running_mean(&activities.hidden[l], self.pairs, 0.9, &mut layer.running_mean)?;
            Some(Peer { mean: &layer.running_mean, strength: training.peer_normalization, rows: self.pairs })
        } else {
            None
        };
        let objective = architecture.objective(config, l);
        let tally = Tally { sums: &mut self.tally, layer: l };
        backend.coefficients(activities.goodness(l), &objective, &mut self.coefficients, tally)?;
        let delta = Delta {
            coefficients: &self.coefficients,
            outputs: activities.counting(l),
            peer,
            skip_zeros: training.exact_shortcuts,
        };
        let input = match l.checked_sub(1) {
            None => architecture.input(0, &self.images.features, &self.images.squares, code),
            Some(below) => architecture.input(l, &activities.hidden[below], &activities.squares[below], code),
        };
        backend.learn(&input, &delta, &mut layer.weights, rule)
    }
}

/// Downloads sums and sets them to 0.
fn read<B: Backend>(backend: &B, sums: &mut B::Matrix) -> Result<Vec<f64>> {
    let values: Vec<f64> = crate::network::download(backend, sums)?.into_iter().map(f64::from).collect();
    upload(backend, sums, &vec![0.0; values.len()])?;
    Ok(values)
}

impl<B: Backend> Neutral<B> {
    fn new(backend: &B, architecture: &Architecture, pairs: usize, shared: bool) -> Result<Self> {
        let classes = architecture.classes;
        let mut shares = backend.zeros(1, pairs)?;
        upload(backend, &mut shares, &vec![1.0 / pairs as f32; pairs])?;
        Ok(Neutral {
            images: if shared { None } else { Some(ImageRows::new(backend, architecture, pairs)?) },
            activities: Activities::new(backend, architecture, pairs)?,
            logits: backend.zeros(pairs, classes)?,
            errors: backend.zeros(pairs, classes)?,
            shares,
            cost: backend.zeros(1, 2)?,
            labels: backend.indices(2 * pairs)?,
        })
    }

    /// Neutral forward pass and the head's errors.
    fn read(
        &mut self,
        backend: &B,
        network: &Network<B>,
        images: &B::Images,
        batch: &Batch<B>,
        shared: &ImageRows<B>,
        shortcuts: bool,
    ) -> Result<()> {
        let rows = match &mut self.images {
            Some(own) => {
                own.gather(backend, &network.architecture, images, batch.rows, batch.shifts)?;
                own.multiply(backend, network, shortcuts)?;
                own
            }
            None => shared,
        };
        neutral_logits(backend, network, rows, &mut self.activities, &mut self.logits)?;
        backend.softmax(&self.logits, batch.truth, &mut self.errors, &mut self.cost)
    }

    fn learn(&mut self, backend: &B, network: &mut Network<B>, rule: Rule) -> Result<()> {
        let architecture = &network.architecture;
        let delta =
            Delta { coefficients: &self.shares, outputs: &self.errors, peer: None, skip_zeros: false };
        for part in network.head.iter_mut().flatten() {
            let input = ff_backend::Input {
                features: &self.activities.hidden[part.layer],
                squares: &self.activities.squares[part.layer],
                normalization: architecture.normalization,
                label: None,
            };
            backend.learn(&input, &delta, &mut part.weights, rule)?;
        }
        Ok(())
    }
}
