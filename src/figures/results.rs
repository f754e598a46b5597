//! Reading what a run has saved: leniently, for it may still be running.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::FigureError;

/// One line of `metrics.jsonl`; a number that was not finite is absent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Epoch {
    pub epoch: u32,
    pub train_loss: Option<f64>,
    pub val_loss: Option<f64>,
    pub layers: Vec<LayerLoss>,
    pub accuracy: Option<f64>,
    pub best_accuracy: Option<f64>,
    pub head_accuracy: Option<f64>,
    pub class_accuracy: Vec<Option<f64>>,
}

/// The losses of one layer.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct LayerLoss {
    pub train_loss: Option<f64>,
    pub val_loss: Option<f64>,
}

/// What figures need of `summary.json`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Summary {
    pub dataset: Option<String>,
    pub recipe: Option<String>,
    pub layer_sizes: Vec<u64>,
    /// Rows are true classes.
    pub confusion_matrix: Vec<Vec<u64>>,
}

/// `evaluation.json`: what the last evaluation looked like.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Evaluation {
    pub height: usize,
    pub width: usize,
    pub samples: Vec<Sample>,
    pub goodness: Vec<Goodness>,
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
    pub epochs: Vec<Epoch>,
    pub summary: Summary,
    pub evaluation: Option<Evaluation>,
}

impl Run {
    /// Reads a run directory; only what is there.
    pub fn read(folder: &Path) -> Result<Self, FigureError> {
        Ok(Self {
            folder: folder.to_owned(),
            epochs: read_metrics(&folder.join("metrics.jsonl"))?,
            summary: read_json(&folder.join("summary.json"))?.unwrap_or_default(),
            evaluation: read_json(&folder.join("evaluation.json"))?,
        })
    }

    /// The run in a few words: data set, recipe, layers; else the name of its directory.
    pub fn description(&self) -> String {
        let words: Vec<String> = [
            self.summary.dataset.clone(),
            self.summary.recipe.as_deref().map(recipe_name),
            layers_in_words(&self.summary.layer_sizes),
        ]
        .into_iter()
        .flatten()
        .collect();
        if words.is_empty() {
            let name = self.folder.file_name().unwrap_or_default();
            name.to_string_lossy().into_owned()
        } else {
            words.join(" · ")
        }
    }

    /// Classes of the data set, as far as results tell.
    pub fn classes(&self) -> Option<usize> {
        let of_epoch = self.epochs.last().map(|epoch| epoch.class_accuracy.len());
        [Some(self.summary.confusion_matrix.len()), of_epoch]
            .into_iter()
            .flatten()
            .find(|classes| *classes > 0)
    }
}

/// A recipe may be a path; its stem names it.
fn recipe_name(recipe: &str) -> String {
    let stem = Path::new(recipe).file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}

fn layers_in_words(sizes: &[u64]) -> Option<String> {
    let first = sizes.first()?;
    Some(if sizes.iter().all(|size| size == first) {
        format!("{} × {first} units", sizes.len())
    } else {
        let sizes: Vec<String> = sizes.iter().map(u64::to_string).collect();
        format!("{} units", sizes.join("–"))
    })
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, FigureError> {
    let Some(text) = read_text(path)? else {
        return Ok(None);
    };
    let value = serde_json::from_str(&text).map_err(|error| FigureError::Malformed {
        path: path.to_owned(),
        line: error.line(),
        message: error.to_string(),
    })?;
    Ok(Some(value))
}

/// Epochs in order. A repeated one, of a resumed run, counts as last written; a torn last line
/// is one still being written.
pub fn read_metrics(path: &Path) -> Result<Vec<Epoch>, FigureError> {
    let text = read_text(path)?.unwrap_or_default();
    let mut epochs = BTreeMap::new();
    let mut lines = text.lines().enumerate().peekable();
    while let Some((index, line)) = lines.next() {
        if line.trim().is_empty() {
            continue;
        }
        match serde_json::from_str::<Epoch>(line) {
            Ok(epoch) => drop(epochs.insert(epoch.epoch, epoch)),
            Err(_) if lines.peek().is_none() => break,
            Err(error) => {
                return Err(FigureError::Malformed {
                    path: path.to_owned(),
                    line: index + 1,
                    message: error.to_string(),
                });
            }
        }
    }
    Ok(epochs.into_values().collect())
}

fn read_text(path: &Path) -> Result<Option<String>, FigureError> {
    match std::fs::read(path) {
        // A torn line may end inside a character.
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(FigureError::Read { path: path.to_owned(), source }),
    }
}
