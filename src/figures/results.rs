//! What a run has saved: leniently, for it may still be running.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::FigureError;
use super::reading::{malformed, read_json, read_text, read_toml, told};
use crate::config::LayerKind;
use crate::data::{ImageShape, one};
use crate::run::Status;

/// One line of `metrics.jsonl`; a number that was not finite is absent.
#[derive(Clone, Debug, Deserialize)]
pub struct Epoch {
    pub epoch: u32,
    pub train_loss: Option<f64>,
    pub val_loss: Option<f64>,
    #[serde(default)]
    pub layers: Vec<LayerLoss>,
    pub accuracy: Option<f64>,
    pub best_accuracy: Option<f64>,
    pub head_accuracy: Option<f64>,
    #[serde(default)]
    pub class_accuracy: Vec<Option<f64>>,
}

/// The losses of one layer.
#[derive(Clone, Debug, Deserialize)]
pub struct LayerLoss {
    pub train_loss: Option<f64>,
    pub val_loss: Option<f64>,
}

/// What figures need of `summary.json`.
#[derive(Clone, Debug, Deserialize)]
pub struct Summary {
    pub status: Status,
    /// Why it failed.
    pub error: Option<String>,
    pub dataset: Option<String>,
    pub recipe: Option<String>,
    #[serde(default)]
    pub layer_sizes: Vec<u64>,
    /// Empty where the classes' numbers are their names.
    #[serde(default)]
    pub class_names: Vec<String>,
    /// Epochs it speaks of.
    pub epochs: Option<u32>,
    pub num_epochs: Option<u32>,
    /// Rows that accuracies of epochs are measured on.
    #[serde(default)]
    pub split: String,
    pub test_accuracy: Option<f64>,
    /// Rows that the confusion matrix is of.
    #[serde(default)]
    pub evaluated_split: String,
    pub evaluated_epoch: Option<u32>,
    /// Rows are true classes.
    #[serde(default)]
    pub confusion_matrix: Vec<Vec<u64>>,
    /// Time of all epochs.
    #[serde(default)]
    pub seconds: Seconds,
}

/// Where the time of a run went.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Seconds {
    /// Spent on training.
    pub train: Option<f64>,
}

/// What figures need of `config.toml`, which is there from the first moment of a run.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Config {
    pub recipe: Option<String>,
    pub data: Data,
    pub network: Network,
    pub training: Training,
    pub evaluation: Predicting,
}

/// Table `data`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Data {
    pub dataset: Option<String>,
    pub validation_size: Option<u64>,
}

/// Table `network`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Network {
    pub layer_sizes: Vec<u64>,
    pub layers: Vec<LayerKind>,
    /// `auto` where no label enters.
    pub label: Option<String>,
}

/// Table `training`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Training {
    pub num_epochs: Option<u32>,
}

/// Table `evaluation`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Predicting {
    pub predict: Option<String>,
}

/// `evaluation.json`: what the last evaluation looked like.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Evaluation {
    pub height: usize,
    pub width: usize,
    #[serde(default = "one")]
    pub channels: usize,
    /// How many images there are, and how many of them are taken for another class. Earlier versions kept the first
    /// images instead, and said neither.
    pub images: Option<usize>,
    pub errors: Option<usize>,
    /// Errors, the most confident first, then images that are right.
    pub samples: Vec<Sample>,
    pub goodness: Vec<Goodness>,
    /// Of each unit of the first layer.
    pub activity: Vec<Option<f64>>,
}

impl Evaluation {
    /// Values of an image, if they can be counted.
    pub fn values(&self) -> Option<usize> {
        self.height.checked_mul(self.width)?.checked_mul(self.channels)
    }
}

/// One image and what the network took it for.
#[derive(Clone, Debug, Deserialize)]
pub struct Sample {
    pub pixels: Vec<u8>,
    pub label: u64,
    pub prediction: u64,
}

/// Histograms of one layer's goodness.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Goodness {
    pub threshold: Option<f64>,
    /// One more than there are bins.
    pub edges: Vec<Option<f64>>,
    pub positive: Vec<u64>,
    pub negative: Vec<u64>,
}

/// All that a run directory holds so far.
#[derive(Clone, Debug)]
pub struct Run {
    pub folder: PathBuf,
    pub config: Config,
    pub epochs: Vec<Epoch>,
    pub summary: Option<Summary>,
    pub evaluation: Option<Evaluation>,
}

impl Run {
    /// Reads a run directory; only what is there.
    pub fn read(folder: &Path) -> Result<Self, FigureError> {
        let path = folder.join("evaluation.json");
        let evaluation: Option<Evaluation> = read_json(&path)?;
        if let Some(evaluation) = &evaluation {
            if !ImageShape::CHANNELS.contains(&evaluation.channels) {
                return Err(malformed(&path, 0, "`channels` must be 1, 3 or 4"));
            }
            let values = evaluation.values();
            if let Some(index) = evaluation.samples.iter().position(|s| Some(s.pixels.len()) != values) {
                let message =
                    format!("sample {index} must have as many pixels as height × width of an image has");
                return Err(malformed(&path, 0, &message));
            }
        }
        Ok(Self { evaluation, ..Self::read_progress(folder)? })
    }

    /// The same without the last evaluation, which the figures of a sweep do not need.
    pub fn read_progress(folder: &Path) -> Result<Self, FigureError> {
        let path = folder.join("summary.json");
        let summary: Option<Summary> = read_json(&path)?;
        let matrix = summary.as_ref().map(|summary| summary.confusion_matrix.as_slice()).unwrap_or_default();
        if let Some(row) = matrix.iter().position(|row| row.len() != matrix.len()) {
            let message = format!("row {row} of `confusion_matrix` must have a count for each of its rows");
            return Err(malformed(&path, 0, &message));
        }
        Ok(Self {
            folder: folder.to_owned(),
            config: read_toml(&folder.join("config.toml"))?.unwrap_or_default(),
            epochs: read_metrics(&folder.join("metrics.jsonl"))?,
            summary,
            evaluation: None,
        })
    }

    /// Counts of the last evaluation, rows: true class; empty where there was none.
    pub fn confusion(&self) -> &[Vec<u64>] {
        self.summary.as_ref().map(|summary| summary.confusion_matrix.as_slice()).unwrap_or_default()
    }

    /// What a class is called: its name, if it has one, else its number.
    pub fn class_name(&self, class: u64) -> String {
        let names = self.summary.as_ref().map(|summary| summary.class_names.as_slice()).unwrap_or_default();
        class_name(names, class)
    }

    /// Classes of the data set, as far as results tell.
    pub fn classes(&self) -> Option<usize> {
        let of_epoch = self.epochs.last().map(|epoch| epoch.class_accuracy.len());
        [Some(self.confusion().len()), of_epoch].into_iter().flatten().find(|classes| *classes > 0)
    }
}

/// What a class is called where `names` are the names of the first classes.
pub fn class_name(names: &[String], class: u64) -> String {
    let name = usize::try_from(class).ok().and_then(|class| names.get(class));
    name.cloned().unwrap_or_else(|| class.to_string())
}

/// Epochs in order. A repeated one, of a resumed run, counts as last written; a torn last line
/// is one still being written.
fn read_metrics(path: &Path) -> Result<Vec<Epoch>, FigureError> {
    let text = read_text(path)?.unwrap_or_default();
    let mut epochs = BTreeMap::new();
    let mut lines = text.lines().enumerate().peekable();
    while let Some((index, line)) = lines.next() {
        match serde_json::from_str::<Epoch>(line) {
            Ok(epoch) => drop(epochs.insert(epoch.epoch, epoch)),
            Err(error) if error.is_eof() && lines.peek().is_none() && !text.ends_with('\n') => break,
            Err(error) => {
                let message = format!("{}; a line must be the JSON object of one epoch", told(&error));
                return Err(malformed(path, index + 1, &message));
            }
        }
    }
    Ok(epochs.into_values().collect())
}
