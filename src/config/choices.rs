//! The words that knobs take, and θ.

use std::fmt;

use clap::ValueEnum;
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::nearest::did_you_mean;
use super::takes::Choice;

/// How a row is rescaled; no mean is subtracted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum LabelPlacement {
    /// `overlay` where the pixels under the label are blank (below 1 % of full brightness on average over the training
    /// images), else `prepend` (`digits`); decided before a run starts. Stays for `hybrid` negatives and for losses of
    /// classifiers: no label enters.
    Auto,
    /// The first C pixels are replaced.
    Overlay,
    /// C features are put before the image.
    Prepend,
    /// As `prepend`, and C features before the input of every deeper layer too.
    EveryLayer,
}

/// Distribution of the initial weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Initialization {
    /// Normal of variance 1/fan_in, truncated at two standard deviations.
    LecunNormal,
    /// N(0, 1) / sqrt(fan_in), not truncated.
    ScaledNormal,
}

/// The goodness G of a row of activities h.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
#[value(rename_all = "lower")]
pub enum GoodnessFunction {
    /// Σ h².
    Sum,
    /// Σ h² / n.
    Mean,
    /// Σ h² / k over the k most active units (arXiv 2604.13081).
    TopK,
    /// Σ h, the activities as they are.
    L1,
    /// Σ p h², p = 1.5-entmax of h (arXiv 2604.13081).
    Entmax,
}

/// Whether positives are to be active.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Sign {
    /// High activity for positives, low for negatives.
    Maximize,
    /// Low activity for positives, high for negatives (arXiv 2212.13345, section 4): G is the negated sum.
    Minimize,
}

/// θ: a number, or the layer's width.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Threshold {
    /// The same number for every layer.
    Value(f64),
    /// θ = n, the number of units of the layer.
    Width,
}

/// Update rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum OptimizerKind {
    /// β 0.9, 0.999, ε 1e-8, bias-corrected.
    Adam,
    /// v ← μ v + (1−μ) g, w ← w + factor · ε (v − decay · w).
    Momentum,
}

/// What layers minimize: a comparison of goodness, or the cross-entropy of classifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum LossKind {
    /// softplus(−u) on positives, softplus(u) on negatives.
    Bce,
    /// softplus(−α (G⁺ − G⁻)) on pairs (arXiv 2303.08418).
    Symba,
    /// max(0, margin − (G⁺ − G⁻)) on pairs.
    Margin,
    /// Cross-entropy of a softmax on each layer, whose gradient ends there (arXiv 1901.06656, 2501.09238). No negatives.
    Pred,
    /// Similarity matching: rows of one label alike, others not, in each layer by itself (arXiv 1901.06656). A softmax on
    /// each layer reads it and teaches nothing. No negatives.
    Sim,
    /// `pred` and `sim` together: (1 − β) of the one, β of the other. No negatives.
    Predsim,
    /// Cross-entropy of a softmax on the last layer, sent back through all layers: backpropagation. No negatives.
    Backprop,
}

impl LossKind {
    /// Whether positives and negatives are compared by their goodness.
    pub fn compares_goodness(self) -> bool {
        matches!(self, LossKind::Bce | LossKind::Symba | LossKind::Margin)
    }
}

/// Where negatives come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum RateSchedule {
    /// Factor 1.
    Constant,
    /// Factor 1 until E/2, then (1 + 2 (E − epoch)) / E.
    Cooldown,
    /// Factor 1 + cos(π (epoch − 1) / E): from 2 to 0, so that `learning_rate` is the mean of the run.
    Cosine,
}

/// The order of updates inside a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum LayerSchedule {
    /// One forward pass, every layer updated from it.
    Simultaneous,
    /// Layer l is updated before layer l+1 sees the batch.
    Greedy,
}

/// What decides a prediction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum PredictKind {
    /// One pass per label, the largest Σ G over the scored layers.
    Energy,
    /// One neutral pass, the head's argmax.
    Head,
    /// The mean of the probabilities of the layers' own classifiers, or of energy and head.
    Ensemble,
}

/// Arithmetic of products.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// IEEE single precision.
    Fp32,
    /// Tensor cores with 10-bit mantissas (NVIDIA sm_80 and later).
    Tf32,
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

/// The data sets by name.
pub(crate) fn datasets() -> Vec<Choice> {
    list(&crate::data::Source::names())
}

/// Whether a text is `idx:` and a folder.
pub(crate) fn is_folder_of_idx(text: &str) -> bool {
    text.strip_prefix("idx:").is_some_and(|folder| !folder.is_empty())
}

/// The data set that was probably meant.
pub(crate) fn dataset_hint(text: &str) -> String {
    crate::data::source::hint(text)
}

/// The backends by name.
pub(crate) fn backends() -> Vec<Choice> {
    crate::backends::choices().into_iter().map(|(name, meaning)| Choice { name, meaning }).collect()
}

/// The backend that was probably meant: what others call a GPU's is OpenCL's here.
pub(crate) fn backend_hint(text: &str) -> String {
    const OF_A_GPU: [&str; 6] = ["gpu", "cuda", "rocm", "hip", "metal", "mps"];
    let word = text.to_lowercase();
    match OF_A_GPU.iter().any(|gpu| word.starts_with(gpu)) {
        true => "; did you mean `opencl`?".into(),
        false => did_you_mean(text, backends().iter().map(|backend| backend.name.as_str())),
    }
}

fn list(choices: &[(&str, &str)]) -> Vec<Choice> {
    choices.iter().map(|&(name, meaning)| Choice { name: name.into(), meaning: meaning.into() }).collect()
}
