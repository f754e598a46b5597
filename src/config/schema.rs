//! Every knob there is, in the tables that experiment files and `config.toml` show.
//!
//! A recipe is a preset of these values; no code asks which recipe is running.

use std::fmt;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// A whole experiment: one value for every knob.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The preset underneath: a built-in name or a path to a TOML file.
    pub recipe: String,
    /// Where images come from.
    pub data: DataConfig,
    /// The shape of the network and of its inputs.
    pub network: NetworkConfig,
    /// What a layer maximizes on positives and minimizes on negatives.
    pub goodness: GoodnessConfig,
    /// How weights change.
    pub training: TrainingConfig,
    /// The softmax read-out of the normalized activities.
    pub head: HeadConfig,
    /// How accuracy is measured.
    pub evaluation: EvaluationConfig,
    /// Where arithmetic runs.
    pub backend: BackendConfig,
    /// What is written down, and how often.
    pub logging: LoggingConfig,
}

/// Table `data`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// `mnist`, `fashion-mnist`, `digits` or `idx:DIR`.
    pub dataset: String,
    /// Folder of IDX files; empty: `FF_DATA_DIR`, else the platform's cache folder.
    pub data_dir: String,
    /// Training rows held out to choose the best checkpoint on.
    pub validation_size: usize,
    /// Training images are shifted by up to ± this many pixels in x and y.
    pub jitter: usize,
}

/// Table `network`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkConfig {
    /// Units of each hidden layer. `depth` + `width` in a file or override resolve to this.
    pub layer_sizes: Vec<usize>,
    /// Normalization of the labelled image.
    pub input_normalization: Normalization,
    /// Normalization of activities between layers.
    pub normalization: Normalization,
    /// Where the label enters.
    pub label: LabelPlacement,
    /// Value of the active label feature.
    pub label_strength: f64,
    /// Distribution of the initial weights; biases start at 0.
    pub initialization: Initialization,
    /// What the initial weights are multiplied by.
    pub initial_scale: f64,
}

/// How a row is rescaled; no mean is subtracted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normalization {
    /// Left as it is.
    None,
    /// h / sqrt(Σh² + 1e-8).
    Unit,
    /// h / (tiny + sqrt(Σh² / n)).
    Rms,
}

/// Where a label enters the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LabelPlacement {
    /// `prepend` where pixels under the label are not blank in every image (`digits`), else
    /// `overlay`; decided before a run starts. Stays for `hybrid` negatives: no label enters.
    Auto,
    /// The first C pixels are replaced.
    Overlay,
    /// C features are put before the image.
    Prepend,
    /// As `prepend`, and C features before the input of every deeper layer too.
    EveryLayer,
}

/// Distribution of the initial weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Initialization {
    /// Normal of variance 1/fan_in, truncated at two standard deviations.
    LecunNormal,
    /// N(0, 1) / sqrt(fan_in), not truncated.
    ScaledNormal,
}

/// Table `goodness`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoodnessConfig {
    /// Which activities count, and how they are summed.
    pub function: GoodnessFunction,
    /// θ of the logit (G − θ) / T.
    pub threshold: Threshold,
    /// T of the logit (G − θ) / T.
    pub temperature: f64,
    /// Units that count for `topk`.
    pub top_k: usize,
}

/// The goodness G of a row of activities h.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GoodnessFunction {
    /// Σ h².
    Sum,
    /// Σ h² / n.
    Mean,
    /// Σ h² / k over the k most active units (arXiv 2604.13081).
    TopK,
}

/// θ: a number, or the layer's width.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Threshold {
    /// The same number for every layer.
    Value(f64),
    /// θ = n, the number of units of the layer.
    Width,
}

/// Table `training`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingConfig {
    /// Passes over the training set.
    pub num_epochs: usize,
    /// Positive rows of a batch; as many negative rows go with them.
    pub batch_size: usize,
    /// Step size ε.
    pub learning_rate: f64,
    /// Update rule.
    pub optimizer: OptimizerKind,
    /// μ of the momentum rule.
    pub momentum: f64,
    /// Pulls weights (not biases) to 0 in the momentum rule.
    pub weight_decay: f64,
    /// Adam steps on a zero gradient after each real one (the original toolkit's accident).
    pub idle_steps: usize,
    /// Factor of the goodness gradient; 0.5 steps along h, as the official code does.
    pub gradient_scale: f64,
    /// What compares goodness with θ or with the other row.
    pub loss: LossKind,
    /// α of `symba`.
    pub alpha: f64,
    /// Where negatives come from.
    pub negatives: NegativeKind,
    /// λ: pulls every unit's running mean to the layer's.
    pub peer_normalization: f64,
    /// How the step size changes over epochs.
    pub learning_rate_schedule: RateSchedule,
    /// Whether layers learn from one forward pass or each after the one below it.
    pub layer_schedule: LayerSchedule,
    /// Fraction of units silenced in training.
    pub dropout: f64,
    /// Skip work whose result is known exactly: rows that have learned, what rows have in common, blank pixels.
    pub exact_shortcuts: bool,
    /// The one seed of all randomness.
    pub seed: u64,
}

/// Update rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OptimizerKind {
    /// β 0.9, 0.999, ε 1e-8, bias-corrected.
    Adam,
    /// v ← μ v + (1−μ) g, w ← w + gain · ε (v − decay · w).
    Momentum,
}

/// What compares goodness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LossKind {
    /// softplus(−u) on positives, softplus(u) on negatives.
    Bce,
    /// softplus(−α (G⁺ − G⁻)) on pairs (arXiv 2303.08418).
    Symba,
}

/// Where negatives come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NegativeKind {
    /// A uniform wrong label.
    Random,
    /// A wrong label drawn from the head's softmax.
    Hard,
    /// Two images mixed through a blurred random mask; no labels (unsupervised).
    Hybrid,
}

/// How the step size changes over epochs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RateSchedule {
    /// Gain 1.
    Constant,
    /// Gain 1 until E/2, then (1 + 2 (E − epoch)) / E.
    Cooldown,
    /// Gain 1 + cos(π (epoch − 1) / E): from 2 to 0, so that `learning_rate` is the mean of the run.
    Cosine,
}

/// The order of updates inside a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LayerSchedule {
    /// One forward pass, every layer updated from it.
    Simultaneous,
    /// Layer l is updated before layer l+1 sees the batch.
    Greedy,
}

/// Table `head`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadConfig {
    /// Train a softmax read-out beside the network.
    pub enabled: bool,
    /// Its step size.
    pub learning_rate: f64,
    /// Its momentum.
    pub momentum: f64,
    /// Its weight decay.
    pub weight_decay: f64,
}

/// Table `evaluation`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluationConfig {
    /// Rows of one evaluation product.
    pub batch_size: usize,
    /// What decides a prediction.
    pub predict: PredictKind,
}

/// What decides a prediction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PredictKind {
    /// One pass per label, the largest Σ G over all layers but the first.
    Energy,
    /// One neutral pass, the head's argmax.
    Head,
}

/// Table `backend`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackendConfig {
    /// `auto`, `cpu`, `opencl` or `opencl:P.D`.
    pub name: String,
    /// Arithmetic of products.
    pub precision: Precision,
    /// Threads of the CPU backend; 0: one per core.
    pub threads: usize,
}

/// Arithmetic of products.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// IEEE single precision.
    Fp32,
    /// Tensor cores with 10-bit mantissas (NVIDIA sm_80 and later).
    Tf32,
}

/// Table `logging`. A cadence counts epochs; 0 means never.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoggingConfig {
    /// The run directory.
    pub log_dir: String,
    /// Write TensorBoard events.
    pub tensorboard: bool,
    /// Epochs between scalars in TensorBoard.
    pub scalars_every: usize,
    /// Epochs between histograms, confusion matrix and class accuracy in TensorBoard.
    pub histograms_every: usize,
    /// Epochs between prediction grids in TensorBoard; 0: a tenth of the run.
    pub images_every: usize,
    /// Epochs between redraws of the figures; 0: at the end only.
    pub figures_every: usize,
    /// Draw figures at all.
    pub figures: bool,
}

impl Serialize for Threshold {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Threshold::Value(value) => serializer.serialize_f64(*value),
            Threshold::Width => serializer.serialize_str("width"),
        }
    }
}

impl<'de> Deserialize<'de> for Threshold {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrWidth;
        impl Visitor<'_> for NumberOrWidth {
            type Value = Threshold;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a number or \"width\"")
            }
            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Threshold, E> {
                Ok(Threshold::Value(value))
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Threshold, E> {
                Ok(Threshold::Value(value as f64))
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Threshold, E> {
                Ok(Threshold::Value(value as f64))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Threshold, E> {
                if text == "width" {
                    Ok(Threshold::Width)
                } else {
                    Err(E::invalid_value(de::Unexpected::Str(text), &self))
                }
            }
        }
        deserializer.deserialize_any(NumberOrWidth)
    }
}
