//! What a run computes, resolved once: nothing below reads a knob, and nothing here is still to be decided
//! (no `auto`, no `depth`, no name of a recipe).

mod estimate;
mod layer;
mod learning;
mod local;
mod optimizer;
mod pictures;
mod resolve;
mod top_down;

use ff_backend::{Normalization, Rule};

use crate::config::{
    Config, Initialization, LabelPlacement, LayerKind, LayerSchedule, LocalKind, NegativeKind, PredictKind,
    RateSchedule,
};
use crate::data::ImageShape;

pub use estimate::Estimate;
pub use layer::{Above, LabelSpec, LayerSpec};
pub use learning::Learning;
use local::Map;
pub use optimizer::{Optimizer, learning_rate_factor};
pub use pictures::FieldPictures;
pub use resolve::{check_held_out, make_absolute, resolve};
pub use top_down::TopDown;

/// All constants of a run: shapes, objectives, optimizers, sources of randomness.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// Shape of an image.
    pub image: ImageShape,
    /// Number of labels C.
    pub classes: usize,
    /// Leading values of an image that the label replaces: C, or 0.
    pub covered_pixels: usize,
    /// Whether each image's mean is subtracted from it.
    pub center_images: bool,
    /// The hidden layers, from the input up.
    pub layers: Vec<LayerSpec>,
    /// The first layer, if it is local.
    pub first_local: Option<LocalKind>,
    /// The steps of a network whose layers are driven from above too.
    pub top_down: Option<TopDown>,
    /// Normalization of activities before the layer above, or the head, reads them.
    pub hidden_normalization: Normalization,
    /// Distribution of the initial weights.
    pub initialization: Initialization,
    /// What the initial weights are multiplied by.
    pub initial_scale: f64,
    /// What layers learn from.
    pub learning: Learning,
    /// ε: classifiers that teach layers learn (1 − ε) onehot + ε / C.
    pub label_smoothing: f64,
    /// The optimizer of the softmax head, if there is one.
    pub head: Option<Optimizer>,
    /// The optimizer of the layers.
    pub optimizer: Optimizer,
    /// How the learning rate changes over epochs.
    pub learning_rate_schedule: RateSchedule,
    /// Passes over the training set E.
    pub num_epochs: usize,
    /// The first epoch, from 1, whose weights count for the mean that is evaluated; 0: no mean is taken.
    pub average_from: usize,
    /// Positive rows of a batch B; as many negative rows go with them.
    pub batch_size: usize,
    /// Where negatives come from.
    pub negatives: NegativeKind,
    /// Batches of the positive phase before as many of the negative one; 0: both in every batch.
    pub sleep_every: usize,
    /// Training images are shifted by up to ± this many pixels.
    pub jitter: usize,
    /// Training images are turned left to right with probability one half.
    pub flips: bool,
    /// Fraction of units silenced in training.
    pub dropout: f64,
    /// Fraction of pixels silenced in training.
    pub input_dropout: f64,
    /// Whether layers learn from one forward pass or each after the one below it.
    pub layer_schedule: LayerSchedule,
    /// Skip work whose result is known exactly.
    pub exact_shortcuts: bool,
    /// Rows of one evaluation product.
    pub evaluation_rows: usize,
    /// What decides a prediction.
    pub predict: PredictKind,
    /// The first layer, from 0, whose activities decide, where there are as many.
    pub first_scored: usize,
    /// The one seed of all randomness.
    pub seed: u64,
}

impl Spec {
    /// The spec of a config for images of this shape and so many labels.
    ///
    /// A label placement that is still `auto` counts as `prepend`; [`resolve`] decides it from the data.
    pub fn new(config: &Config, image: ImageShape, classes: usize) -> Self {
        let (network, training) = (&config.network, &config.training);
        let overlay = config.takes_label() && network.label == LabelPlacement::Overlay;
        let covered_pixels = if overlay { classes } else { 0 };
        let mut layers: Vec<LayerSpec> = Vec::with_capacity(network.layer_sizes.len());
        let mut features = image.values().saturating_sub(covered_pixels);
        // The map that a local layer would see, and how many of its first features are not there.
        let mut below = (Map::of_image(image), covered_pixels);
        for (l, &units) in network.layer_sizes.iter().enumerate() {
            let mut layer = LayerSpec::new(config, l, features, units, classes);
            if let Some(&LayerKind::Local(local)) = network.layers.get(l) {
                layer.fields = local::fields(local, below.0, below.1);
                below = (Map::of_layer(local), 0);
            }
            layers.push(layer);
            features = units;
        }
        if network.top_down {
            top_down::connect(&mut layers, layer::on_device(network.normalization));
        }
        Spec {
            image,
            classes,
            covered_pixels,
            center_images: network.center_images,
            layers,
            first_local: match network.layers.first() {
                Some(LayerKind::Local(local)) => Some(*local),
                _ => None,
            },
            top_down: TopDown::of(config),
            hidden_normalization: layer::on_device(network.normalization),
            initialization: network.initialization,
            initial_scale: network.initial_scale,
            learning: Learning::of(training),
            label_smoothing: training.label_smoothing,
            head: config.head.enabled.then(|| Optimizer::of_head(&config.head)),
            optimizer: Optimizer::of_layers(training),
            learning_rate_schedule: training.learning_rate_schedule,
            num_epochs: training.num_epochs,
            average_from: training.average_from,
            batch_size: training.batch_size,
            negatives: training.negatives,
            sleep_every: training.sleep_every,
            jitter: config.data.jitter,
            flips: config.data.flips,
            dropout: training.dropout,
            input_dropout: training.input_dropout,
            layer_schedule: training.layer_schedule,
            exact_shortcuts: training.exact_shortcuts,
            evaluation_rows: config.evaluation.batch_size,
            predict: config.evaluation.predict,
            first_scored: config.evaluation.first_layer.saturating_sub(1),
            seed: training.seed,
        }
    }

    /// How the weights of the first layer's units lie in pictures.
    pub fn field_pictures(&self) -> FieldPictures {
        let label_rows = self.layers.first().map_or(0, LayerSpec::label_features);
        FieldPictures::new(self.image, label_rows, self.covered_pixels, self.first_local)
    }

    /// Number of hidden layers.
    pub fn depth(&self) -> usize {
        self.layers.len()
    }

    /// The layers whose goodness decides: those that the head reads, or all where the first one sees no label.
    pub fn energy_layers(&self) -> std::ops::Range<usize> {
        if self.top_down.is_some() { 0..self.depth() } else { self.scored_layers() }
    }

    /// The layers whose activities decide: all but the first unless that is asked for, or the only one.
    pub fn scored_layers(&self) -> std::ops::Range<usize> {
        self.first_scored.min(self.depth().saturating_sub(1))..self.depth()
    }

    /// The layers that the head reads, one part for each.
    pub fn head_layers(&self) -> std::ops::Range<usize> {
        match self.learning {
            Learning::Goodness => self.scored_layers(),
            Learning::Local { .. } => 0..self.depth(),
            Learning::EndToEnd => self.depth().saturating_sub(1)..self.depth(),
        }
    }

    /// Whether a prediction tries every label, to compare their energies.
    pub fn tries_labels(&self, by: PredictKind) -> bool {
        match by {
            PredictKind::Energy => true,
            PredictKind::Head => false,
            PredictKind::Ensemble => self.learning == Learning::Goodness,
        }
    }

    /// Rows that a training step multiplies with the weights of each layer: on the way forward, and for gradients and
    /// what goes back.
    pub fn rows_of_a_step(&self) -> (usize, usize) {
        let (forward, back) = match self.learning {
            // One pass up, then the steps, in each of which all learn.
            Learning::Goodness if self.top_down.is_some() => {
                let steps = self.updates();
                (2 * (steps + 1) + usize::from(self.head.is_some()), 2 * steps)
            }
            Learning::Goodness if self.head.is_some() => (3, 2),
            Learning::Goodness => (2, 2),
            Learning::Local { .. } => (1, 1),
            Learning::EndToEnd => (1, 2),
        };
        (self.batch_size.saturating_mul(forward), self.batch_size.saturating_mul(back))
    }

    /// The factor of the learning rate in an epoch, from 1.
    pub fn learning_rate_factor(&self, epoch: usize) -> f64 {
        learning_rate_factor(self.learning_rate_schedule, epoch, self.num_epochs)
    }

    /// Of how many epochs the weights after epoch `epoch` (from 1) are the mean; none where they stand for themselves.
    pub fn averaged_epochs(&self, epoch: usize) -> Option<usize> {
        let before = self.average_from.checked_sub(1)?;
        epoch.checked_sub(before).filter(|&epochs| epochs > 0)
    }

    /// Matrices `[rows, units]` of a layer that rows with labels keep: in steps also the state before, what is computed,
    /// and its product.
    pub fn kept_of_units(&self) -> usize {
        if self.top_down.is_some() { 4 } else { 1 }
    }

    /// Steps of the layers' optimizer in a batch.
    pub fn updates(&self) -> usize {
        self.top_down.map_or(1, |top_down| top_down.steps)
    }

    /// The layers' update rule in an epoch (from 1), in batch `batch` (from 0, counted over the whole run): that of the
    /// batch's first update.
    pub fn layer_rule(&self, epoch: usize, batch: u64) -> Rule {
        self.optimizer.rule(self.learning_rate_factor(epoch), batch * self.updates() as u64)
    }

    /// The head's update rule; without a head a rule that changes nothing.
    pub fn head_rule(&self, epoch: usize, batch: u64) -> Rule {
        let still = Rule::Momentum { rate: 0.0, momentum: 0.0, decay: 0.0 };
        self.head.map_or(still, |optimizer| optimizer.rule(self.learning_rate_factor(epoch), batch))
    }
}
