//! THE table of knobs: name, type, range, default, meaning, who reads it, what it needs, when it has no effect,
//! whether numbers depend on it, whether a resumed run may change it.
//!
//! [`Config`], its defaults and checks, help, `ff knobs`, completions, suggestions, docs/knobs.md, the
//! fingerprint of a run and what `--resume` accepts all follow from it. A recipe is a preset of these values; no
//! code asks which recipe is running.

use serde::{Deserialize, Serialize};
use toml::Value;

use super::choices::*;
use super::layer_kinds::LayerKind;
use super::recipes;
use super::tables::tables;
use super::takes::Interval::{Fraction, NotNegative, Positive};
use super::takes::{MOST_IN_A_FILE, MOST_LAYERS, MOST_UNITS, Takes, words};

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Knob {
    /// Table and key, with a dot between them.
    pub name: &'static str,
    /// What it means, in a sentence or two.
    pub meaning: &'static str,
    /// Type and range of its values.
    pub takes: Takes,
    /// The module that acts on it.
    pub read_by: &'static str,
    /// The option of `ff train`, or of `ff eval`, that sets it, if there is one.
    pub flag: Option<&'static str>,
    /// What some of its values need of other knobs.
    pub needs: &'static [Need],
    /// When it has no effect, so that setting it for a run is a mistake.
    pub no_effect: &'static [When],
    /// Whether the numbers of a run depend on it.
    pub changes_numbers: bool,
    /// Whether a resumed run may have another value.
    pub may_change_on_resume: bool,
    /// Its value in a configuration; none where that is a whole number beyond what a file can hold.
    value: fn(&Config) -> Option<Value>,
}

/// What a value of a knob needs of another: the value, the other knob, whether it is missing, what it is.
#[derive(Clone, Copy, Debug)]
pub struct Need(pub &'static str, pub &'static str, pub fn(&Config) -> bool, pub &'static str);

/// A state of another knob: that knob, whether it is in that state, what messages say of it.
#[derive(Clone, Copy, Debug)]
pub struct When(pub &'static str, pub fn(&Config) -> bool, pub &'static str);

impl Knob {
    /// Its value in a configuration; none where that is a whole number beyond what a file can hold.
    pub fn value(&self, config: &Config) -> Option<Value> {
        (self.value)(config)
    }

    /// Its built-in value.
    pub fn default(&self) -> Option<Value> {
        self.value(&Config::default())
    }

    /// Whether it is short for another: no field of [`Config`].
    pub fn is_short(&self) -> bool {
        self.name == DEPTH || self.name == WIDTH
    }

    const fn flag(mut self, flag: &'static str) -> Self {
        self.flag = Some(flag);
        self
    }

    const fn needs(mut self, needs: &'static [Need]) -> Self {
        self.needs = needs;
        self
    }

    const fn no_effect(mut self, when: &'static [When]) -> Self {
        self.no_effect = when;
        self
    }

    const fn without_numbers(mut self) -> Self {
        self.changes_numbers = false;
        self
    }

    const fn resumable(mut self) -> Self {
        self.may_change_on_resume = true;
        self
    }
}

/// A row without name, meaning and field: numbers depend on the knob, a resumed run keeps it.
const fn knob(takes: Takes, read_by: &'static str) -> Knob {
    Knob {
        name: "",
        meaning: "",
        takes,
        read_by,
        flag: None,
        needs: &[],
        no_effect: &[],
        changes_numbers: true,
        may_change_on_resume: false,
        value: |_| None,
    }
}

/// The knob that names the preset underneath.
pub(crate) const RECIPE: &str = "recipe";
/// The knob that says where a run is written.
pub(crate) const LOG_DIR: &str = "logging.log_dir";
/// The knob that `DEPTH` and `WIDTH` are short for.
pub(crate) const LAYER_SIZES: &str = "network.layer_sizes";
/// Layers of several kinds, in place of `LAYER_SIZES`.
pub(crate) const LAYERS: &str = "network.layers";
/// Short for layers of equal width: how many.
pub(crate) const DEPTH: &str = "network.depth";
/// Short for layers of equal width: how wide.
pub(crate) const WIDTH: &str = "network.width";

const ADAM: When = When(
    "training.optimizer",
    |c| c.training.optimizer == OptimizerKind::Adam,
    "`training.optimizer = \"adam\"`",
);
const NO_HEAD: When = When("head.enabled", |c| !c.head.enabled, "`head.enabled = false`");
const ONE_PASS: When = When("network.top_down", |c| !c.network.top_down, "`network.top_down = false`");
const ONE_LAYER: When =
    When("network.layer_sizes", |c| c.network.layer_sizes.len() < 2, "one layer in `network.layer_sizes`");
const ALL_LAYERS: When = When(
    "network.top_down",
    |c| c.network.top_down && !c.head.enabled,
    "`network.top_down = true` without a head: the goodness of all layers counts",
);
const SYMBA: When = When(
    "training.loss",
    |c| c.training.loss == LossKind::Symba,
    "`training.loss = \"symba\"`, which compares the two rows of a pair",
);
const MARGIN: When = When(
    "training.loss",
    |c| c.training.loss == LossKind::Margin,
    "`training.loss = \"margin\"`, which compares the two rows of a pair",
);
const CLASSIFIERS: When = When(
    "training.loss",
    |c| !c.training.loss.compares_goodness(),
    "a `training.loss` of classifiers, which compares no goodness",
);

tables! {
    /// Where images come from.
    data: DataConfig {
        /// The data set.
        dataset: String = "mnist".into(),
            knob(Takes::Pattern { choices: datasets, fits: is_folder_of_idx, hint: dataset_hint }, "data").flag("--dataset");
        /// Folder of IDX files; empty: `FF_DATA_DIR`, else the platform's cache folder.
        data_dir: String = String::new(),
            knob(Takes::Folder { may_be_empty: true }, "data").flag("--data-dir").without_numbers().resumable();
        /// Training rows held out to choose the best checkpoint on.
        validation_size: usize = 0, knob(Takes::at_least(0), "data").flag("--validation-size");
        /// Training images are shifted by up to ± this many pixels in x and y.
        jitter: usize = 0, knob(Takes::Whole { least: 0, most: 16 }, "training");
        /// Every second training image, drawn anew each epoch, is turned left to right.
        flips: bool = false, knob(Takes::Bool, "training");
    }

    /// The shape of the network and of its inputs.
    network: NetworkConfig {
        /// Units of each hidden layer; `depth` and `width` are short for equal ones.
        layer_sizes: Vec<usize> = vec![2000; 4], knob(Takes::Sizes, "network").flag("LAYER_SIZES");
        /// Layers of several kinds in place of `layer_sizes`: `{ kind = "dense", units = N }`, and
        /// `{ kind = "local", grid = [rows, columns], stride = S, field = F, channels = C }` on the image or on a local
        /// layer, without weight sharing. None: all are dense.
        layers: Vec<LayerKind> = Vec::new(), knob(Takes::Layers(LayerKind::check_list), "network");
        /// The mean of an image's values, of all its channels together, is subtracted from them before they are normalized.
        center_images: bool = false, knob(Takes::Bool, "network");
        /// Normalization of the labelled image.
        input_normalization: Normalization = Normalization::Unit,
            knob(Takes::Word(words::<Normalization>), "network");
        /// Normalization of activities between layers.
        normalization: Normalization = Normalization::Unit,
            knob(Takes::Word(words::<Normalization>), "network");
        /// Where the label enters.
        label: LabelPlacement = LabelPlacement::Auto, knob(Takes::Word(words::<LabelPlacement>), "network");
        /// Value of the active label feature.
        label_strength: f64 = 1.0, knob(Takes::Number(Positive), "network").no_effect(&[
            When(
                "training.negatives",
                |c| c.training.negatives == NegativeKind::Hybrid,
                "`training.negatives = \"hybrid\"`: no label enters the network",
            ),
            CLASSIFIERS,
        ]);
        /// Layers are driven from above too, step by step: by the layer above at the step before, the last one by the label.
        top_down: bool = false, knob(Takes::Bool, "network");
        /// T: synchronous steps that follow the bottom-up pass.
        steps: usize = 8, knob(Takes::Whole { least: 1, most: 1000 }, "network").no_effect(&[ONE_PASS]);
        /// What a layer keeps of its activities from one step to the next, before they are normalized; the rest is new.
        damping: f64 = 0.3, knob(Takes::Number(Fraction), "network").no_effect(&[ONE_PASS]);
        /// Distribution of the initial weights; biases start at 0.
        initialization: Initialization = Initialization::LecunNormal,
            knob(Takes::Word(words::<Initialization>), "network");
        /// What the initial weights are multiplied by.
        initial_scale: f64 = 3.0, knob(Takes::Number(Positive), "network");
    }
    short Knob {
        name: DEPTH,
        meaning: "Short for `layer_sizes` of one width: how many layers.",
        value: |config| i64::try_from(config.network.layer_sizes.len()).ok().map(Value::Integer),
        ..knob(Takes::Whole { least: 1, most: MOST_LAYERS }, "config")
    };
    short Knob {
        name: WIDTH,
        meaning: "Short for `layer_sizes` of one width: how many units in each layer.",
        value: width,
        ..knob(Takes::Whole { least: 1, most: MOST_UNITS }, "config")
    };

    /// What a layer maximizes on positives and minimizes on negatives.
    goodness: GoodnessConfig {
        /// Which activities count, and how they are summed.
        function: GoodnessFunction = GoodnessFunction::Sum,
            knob(Takes::Word(words::<GoodnessFunction>), "network").no_effect(&[CLASSIFIERS]);
        /// Whether positives are to be active or silent. With `minimize` G and θ are negated, so that positives have the
        /// higher goodness all the same.
        sign: Sign = Sign::Maximize, knob(Takes::Word(words::<Sign>), "network").no_effect(&[CLASSIFIERS]);
        /// θ of the logit (G − θ) / T: a number, or `width` for the number of units of the layer.
        threshold: Threshold = Threshold::Value(2.0), knob(Takes::NumberOrWidth, "network").flag("--threshold").no_effect(&[SYMBA, MARGIN, CLASSIFIERS]);
        /// T of the logit (G − θ) / T.
        temperature: f64 = 1.0, knob(Takes::Number(Positive), "network").no_effect(&[SYMBA, MARGIN, CLASSIFIERS]);
        /// Units that count for `topk`.
        top_k: usize = 100, knob(Takes::at_least(1), "network")
            .needs(&[Need(
                "topk",
                LAYER_SIZES,
                |c| {
                    c.goodness.function == GoodnessFunction::TopK
                        && c.network.layer_sizes.iter().any(|&units| units < c.goodness.top_k)
                },
                "as many units in every layer of `network.layer_sizes`",
            )])
            .no_effect(&[CLASSIFIERS, When(
                "goodness.function",
                |c| c.goodness.function != GoodnessFunction::TopK,
                "a `goodness.function` other than \"topk\"",
            )]);
    }

    /// How weights change.
    training: TrainingConfig {
        /// Passes over the training set.
        num_epochs: usize = 60, knob(Takes::at_least(1), "training").flag("--num-epochs").resumable();
        /// Positive rows of a batch; as many negative rows go with them.
        batch_size: usize = 128, knob(Takes::at_least(1), "training").flag("--batch-size");
        /// Step size ε.
        learning_rate: f64 = 0.001, knob(Takes::Number(Positive), "training").flag("--learning-rate");
        /// Update rule of the layers.
        optimizer: OptimizerKind = OptimizerKind::Adam, knob(Takes::Word(words::<OptimizerKind>), "training");
        /// μ of the momentum rule.
        momentum: f64 = 0.9, knob(Takes::Number(Fraction), "training").no_effect(&[ADAM]);
        /// Pulls weights (not biases) to 0 in the momentum rule.
        weight_decay: f64 = 0.0, knob(Takes::Number(NotNegative), "training").no_effect(&[ADAM]);
        /// Adam steps on a zero gradient after each real one (the original toolkit's accident).
        idle_steps: usize = 0, knob(Takes::Whole { least: 0, most: 1000 }, "training").needs(&[Need(
            "a value above 0",
            "training.optimizer",
            |c| c.training.idle_steps > 0 && c.training.optimizer != OptimizerKind::Adam,
            "`training.optimizer = \"adam\"`: it repeats Adam's step",
        )]);
        /// Factor of the layers' gradient; of goodness, 0.5 steps along h, as the official code does.
        gradient_scale: f64 = 1.0, knob(Takes::Number(Positive), "training");
        /// What layers minimize: a comparison of goodness with θ or with the other row, or a classifier's cross-entropy.
        loss: LossKind = LossKind::Bce, knob(Takes::Word(words::<LossKind>), "training").needs(&[
            Need(
                "a loss of classifiers",
                "head.enabled",
                |c| !c.training.loss.compares_goodness() && !c.head.enabled,
                "`head.enabled = true` and `evaluation.predict = \"head\"`: the head is the classifiers",
            ),
            Need(
                "a loss of classifiers",
                "evaluation.predict",
                |c| !c.training.loss.compares_goodness() && c.evaluation.predict == PredictKind::Energy,
                "`evaluation.predict = \"head\"`, or \"ensemble\": the head is the classifiers, and goodness tells no labels apart",
            ),
            Need(
                "a loss of classifiers",
                "network.label",
                |c| !c.training.loss.compares_goodness() && c.network.label != LabelPlacement::Auto,
                "`network.label = \"auto\"`: no label enters the network",
            ),
        ]);
        /// α of `symba`.
        alpha: f64 = 4.0, knob(Takes::Number(Positive), "network").no_effect(&[When(
            "training.loss",
            |c| c.training.loss != LossKind::Symba,
            "a `training.loss` other than \"symba\"",
        )]);
        /// How far apart the goodness of a pair is to be under `margin`.
        margin: f64 = 1.0, knob(Takes::Number(Positive), "network").no_effect(&[When(
            "training.loss",
            |c| c.training.loss != LossKind::Margin,
            "a `training.loss` other than \"margin\"",
        )]);
        /// β of `predsim`: the share of similarity matching in the loss.
        beta: f64 = 0.99, knob(Takes::Number(Fraction), "training").no_effect(&[When(
            "training.loss",
            |c| c.training.loss != LossKind::Predsim,
            "a `training.loss` other than \"predsim\"",
        )]);
        /// ε: classifiers that teach layers learn (1 − ε) onehot + ε / C instead of the label alone, and losses are of these
        /// targets; a head beside a network that compares goodness learns the label alone.
        label_smoothing: f64 = 0.0, knob(Takes::Number(Fraction), "training").no_effect(&[When(
            "training.loss",
            |c| c.training.loss.compares_goodness(),
            "a `training.loss` that compares goodness",
        )]);
        /// Similarities are those of a learned linear map of a layer's activities, as wide as the layer, instead of the
        /// activities themselves. The map learns by the layer's rule, and training alone reads it.
        similarity_map: bool = false, knob(Takes::Bool, "training").no_effect(&[When(
            "training.loss",
            |c| !matches!(c.training.loss, LossKind::Sim | LossKind::Predsim),
            "a `training.loss` other than \"sim\" and \"predsim\"",
        )]);
        /// Where negatives come from.
        negatives: NegativeKind = NegativeKind::Random,
            knob(Takes::Word(words::<NegativeKind>), "training").no_effect(&[CLASSIFIERS]).needs(&[
                Need(
                    "hard",
                    "head.enabled",
                    |c| c.training.negatives == NegativeKind::Hard && !c.head.enabled,
                    "`head.enabled = true`: wrong labels are drawn from the head's softmax",
                ),
                Need(
                    "hybrid",
                    "head.enabled",
                    |c| c.training.negatives == NegativeKind::Hybrid && !c.head.enabled,
                    "`head.enabled = true` and `evaluation.predict = \"head\"`: without labels in the network, the \
                     head is the linear probe that reads it",
                ),
                Need(
                    "hybrid",
                    "evaluation.predict",
                    |c| c.training.negatives == NegativeKind::Hybrid && c.evaluation.predict != PredictKind::Head,
                    "`evaluation.predict = \"head\"`: no label enters the network, so its energy cannot tell labels \
                     apart",
                ),
                Need(
                    "hybrid",
                    "network.label",
                    |c| c.training.negatives == NegativeKind::Hybrid && c.network.label != LabelPlacement::Auto,
                    "`network.label = \"auto\"`: no label enters the network",
                ),
            ]);
        /// k batches in which positive rows alone learn, then k with the negative rows alone, in turn (sleep); 0: both at once.
        sleep_every: usize = 0, knob(Takes::at_least(0), "training").no_effect(&[CLASSIFIERS]);
        /// λ: pulls every unit's running mean to the layer's.
        peer_normalization: f64 = 0.0, knob(Takes::Number(NotNegative), "training");
        /// How the step size changes over epochs.
        learning_rate_schedule: RateSchedule = RateSchedule::Cosine,
            knob(Takes::Word(words::<RateSchedule>), "training");
        /// The first epoch, from 1, after which weights count for a mean over epochs, which is evaluated and saved in
        /// their place (stochastic weight averaging); 0: none.
        average_from: usize = 0, knob(Takes::at_least(0), "training").needs(&[Need(
            "beyond the last epoch",
            "training.num_epochs",
            |c| c.training.average_from > c.training.num_epochs,
            "a `training.num_epochs` of at least as many",
        )]);
        /// Whether layers learn from one forward pass or each after the one below it.
        layer_schedule: LayerSchedule = LayerSchedule::Simultaneous,
            knob(Takes::Word(words::<LayerSchedule>), "training").no_effect(&[When(
                "training.loss",
                |c| c.training.loss == LossKind::Backprop,
                "`training.loss = \"backprop\"`: errors come from above",
            )]);
        /// Fraction of units silenced in training.
        dropout: f64 = 0.0, knob(Takes::Number(Fraction), "training");
        /// Fraction of an image's pixels silenced in training.
        input_dropout: f64 = 0.0, knob(Takes::Number(Fraction), "training");
        /// Skip work whose result is known: rows that have learned, units that are off, blank pixels of images that are not
        /// centered. On a CPU no bit differs; on a GPU sums are rounded in another order, and under `tf32` more of them go by
        /// tensor cores without.
        exact_shortcuts: bool = true, knob(Takes::Bool, "training").without_numbers().resumable();
        /// The one seed of all randomness.
        seed: u64 = 42, knob(Takes::Whole { least: 0, most: MOST_IN_A_FILE }, "training").flag("--seed");
    }

    /// The softmax read-out of the normalized activities.
    head: HeadConfig {
        /// Train a softmax read-out beside the network.
        enabled: bool = false, knob(Takes::Bool, "network");
        /// Step size of the head.
        learning_rate: f64 = 0.1, knob(Takes::Number(Positive), "training").no_effect(&[NO_HEAD]);
        /// Momentum of the head.
        momentum: f64 = 0.9, knob(Takes::Number(Fraction), "training").no_effect(&[NO_HEAD]);
        /// Weight decay of the head.
        weight_decay: f64 = 0.003, knob(Takes::Number(NotNegative), "training").no_effect(&[NO_HEAD]);
    }

    /// How accuracy is measured.
    evaluation: EvaluationConfig {
        /// Rows of one evaluation product.
        batch_size: usize = 1000, knob(Takes::at_least(1), "evaluation").flag("--eval-batch-size").resumable();
        /// What decides a prediction.
        predict: PredictKind = PredictKind::Energy,
            knob(Takes::Word(words::<PredictKind>), "evaluation").flag("--predict").needs(&[
                Need(
                    "head or ensemble",
                    "head.enabled",
                    |c| c.evaluation.predict != PredictKind::Energy && !c.head.enabled,
                    "`head.enabled = true`",
                ),
                Need(
                    "ensemble",
                    "training.loss",
                    |c| c.evaluation.predict == PredictKind::Ensemble && c.training.loss == LossKind::Backprop,
                    "another `training.loss`: under `backprop` there is one classifier",
                ),
            ]);
        /// The first layer, from 1, whose goodness counts for a label and that the head reads: 2 is all but the first, as in
        /// the paper; a network of one layer is read at it.
        first_layer: usize = 2,
            knob(Takes::Whole { least: 1, most: 2 }, "network").no_effect(&[CLASSIFIERS, ONE_LAYER, ALL_LAYERS]);
        /// The first step, from 1, whose goodness counts for a label under `network.top_down`.
        first_step: usize = 3, knob(Takes::at_least(1), "evaluation").no_effect(&[ONE_PASS]);
        /// The last one, of `network.steps` at most; goodness is averaged from the first to the last.
        last_step: usize = 5, knob(Takes::at_least(1), "evaluation").no_effect(&[ONE_PASS]);
    }

    /// Where arithmetic runs.
    backend: BackendConfig {
        /// What computes.
        name: String = "auto".into(),
            knob(Takes::Pattern { choices: backends, fits: crate::backends::is_device, hint: backend_hint }, "backends").flag("--backend").without_numbers().resumable();
        /// Arithmetic of products.
        precision: Precision = Precision::Fp32,
            knob(Takes::Word(words::<Precision>), "backends").flag("--precision").resumable().needs(&[Need(
                "tf32",
                "backend.name",
                |c| c.backend.precision == Precision::Tf32 && !crate::backends::has_tf32(&c.backend.name),
                "a GPU; this `backend.name` has none",
            )]);
        /// Threads of the CPU backend; 0: one per core.
        threads: usize = 0,
            knob(Takes::Whole { least: 0, most: 4096 }, "backends").flag("--threads").without_numbers().resumable();
    }

    /// What is written down, and how often. A cadence counts epochs; 0 means never.
    logging: LoggingConfig {
        /// The run directory.
        log_dir: String = "runs/forward_forward".into(),
            knob(Takes::Folder { may_be_empty: false }, "run").flag("--log-dir").without_numbers().resumable();
        /// Seconds of training that a kill may cost: epochs that take less together share a checkpoint, which is written
        /// beside the training; 0: training waits for one after every epoch.
        checkpoint_seconds: f64 = 0.0, knob(Takes::Number(NotNegative), "training").without_numbers().resumable();
        /// Write TensorBoard events.
        tensorboard: bool = true, knob(Takes::Bool, "observers").without_numbers().resumable();
        /// Epochs between scalars in TensorBoard.
        scalars_every: usize = 1, knob(Takes::at_least(0), "observers").without_numbers().resumable();
        /// Epochs between histograms, confusion matrix and class accuracy in TensorBoard.
        histograms_every: usize = 5, knob(Takes::at_least(0), "observers").without_numbers().resumable();
        /// Epochs between prediction grids in TensorBoard; 0: a tenth of the run, but at least 5; in the cells of a sweep
        /// never.
        images_every: usize = 0, knob(Takes::at_least(0), "observers").without_numbers().resumable();
        /// Epochs between redraws of the figures; 0: at the end only.
        figures_every: usize = 0, knob(Takes::at_least(0), "observers").without_numbers().resumable();
        /// Draw figures at all; of a sweep its own, and none of its cells', which `ff plot` draws.
        figures: bool = true, knob(Takes::Bool, "figures").without_numbers().resumable();
    }
}

/// One number for layers of one width, else the list.
fn width(config: &Config) -> Option<Value> {
    let sizes = &config.network.layer_sizes;
    let first = sizes.first()?;
    if sizes.iter().all(|size| size == first) {
        Value::try_from(first).ok()
    } else {
        Value::try_from(sizes).ok()
    }
}
