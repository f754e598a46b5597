//! What is written of a run: the schema of metrics.jsonl, summary.json and evaluation.json.

use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::data::ImageShape;
use crate::metrics::{ConfusionMatrix, GoodnessHistogram};

/// Losses of one layer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerLosses {
    /// Mean over the epoch's batches, while weights were changing.
    pub train_loss: f64,
    /// Mean over held-out images, after the epoch.
    pub val_loss: f64,
}

/// Mean goodness of one layer over the epoch's batches.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerGoodness {
    /// Of positive rows.
    pub positive: f64,
    /// Of negative rows.
    pub negative: f64,
}

/// Seconds that a part of an epoch took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Seconds {
    /// Training.
    pub train: f64,
    /// Evaluation.
    pub eval: f64,
}

/// One line of metrics.jsonl. Accuracies are fractions, measured on the validation rows if there are any,
/// else on the test set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// From 1.
    pub epoch: usize,
    /// Sum of the layers' losses; the network's, where it learns end to end.
    pub train_loss: f64,
    /// Sum of the layers' losses on held-out images.
    pub val_loss: f64,
    /// Losses of each layer; empty where the network learns end to end.
    pub layers: Vec<LayerLosses>,
    /// Accuracy after the epoch.
    pub accuracy: f64,
    /// Best accuracy so far.
    pub best_accuracy: f64,
    /// Accuracy of each true class; null where no row has it.
    pub class_accuracy: Vec<Option<f64>>,
    /// Accuracy of the head's argmax, where there is a head.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head_accuracy: Option<f64>,
    /// Accuracy by energy, where it is part of an ensemble.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_accuracy: Option<f64>,
    /// Mean cross-entropy of the head in training, where there is a head.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head_loss: Option<f64>,
    /// Accuracy by each layer alone, by its goodness or its classifier; empty where it has neither.
    pub layer_accuracy: Vec<f64>,
    /// Mean goodness of each layer; this and `pairwise_errors` are empty where layers do not learn by it.
    pub goodness: Vec<LayerGoodness>,
    /// Fraction of training pairs in each layer whose negative has more goodness.
    pub pairwise_errors: Vec<f64>,
    /// Fraction of units above 0 in each layer, in the epoch's last batch.
    pub active: Vec<f64>,
    /// Step size of the epoch, schedule included.
    pub learning_rate: f64,
    /// Time it took.
    pub seconds: Seconds,
    /// Rows that accuracies and `val_loss` are measured on: `validation`, or `test` where no rows are held out.
    #[serde(default)]
    pub split: String,
}

/// How a run ended, or that it has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Epochs are still to come.
    Running,
    /// All epochs are done.
    Done,
    /// It was asked to stop; it can be resumed.
    Interrupted,
    /// It failed.
    Failed,
    /// A sweep's halving ended it early.
    Pruned,
}

/// summary.json: where a run stands, and its best and final results.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// How it ended.
    pub status: Status,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The preset underneath.
    pub recipe: String,
    /// The data.
    pub dataset: String,
    /// What to know beside figures of it; left out where there is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_note: Option<String>,
    /// Number of labels.
    pub classes: usize,
    /// What they are called; left out where their numbers are their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub class_names: Vec<String>,
    /// Units of each hidden layer.
    pub layer_sizes: Vec<usize>,
    /// Trained numbers, the head's included.
    pub parameters: usize,
    /// The one seed.
    pub seed: u64,
    /// The backend that ran it.
    pub backend: String,
    /// Its device.
    pub device: String,
    /// Arithmetic of its products, whatever was asked for: `fp32` or `tf32`.
    #[serde(default)]
    pub precision: String,
    /// Finished epochs.
    pub epochs: usize,
    /// Epochs asked for.
    pub num_epochs: usize,
    /// Rows that `accuracy`, `best_accuracy`, `head_accuracy` and `val_loss` are measured on: `validation` or
    /// `test`.
    pub split: String,
    /// Accuracy after the last epoch; this and what follows is null where no epoch was finished.
    pub accuracy: Option<f64>,
    /// Best accuracy of all epochs.
    pub best_accuracy: Option<f64>,
    /// The epoch it was reached in; 0 where no epoch was finished.
    pub best_epoch: usize,
    /// Accuracy of the head after the last epoch, where there is a head.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head_accuracy: Option<f64>,
    /// Accuracy on the test set: of the last epoch's weights, or of the checkpoint chosen on validation rows.
    /// Null where the run failed before it was measured.
    pub test_accuracy: Option<f64>,
    /// The same of the head, where there is a head.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_head_accuracy: Option<f64>,
    /// Training loss of the last epoch.
    pub train_loss: Option<f64>,
    /// Held-out loss of the last epoch.
    pub val_loss: Option<f64>,
    /// Losses of each layer in the last epoch.
    pub layers: Vec<LayerLosses>,
    /// Rows that `class_accuracy` and `confusion_matrix` are of: always `test`, as `test_accuracy` is.
    #[serde(default)]
    pub evaluated_split: String,
    /// The epoch whose weights they are of: the last, or the best where validation rows chose it.
    #[serde(default)]
    pub evaluated_epoch: Option<usize>,
    /// Accuracy of each true class; null where no row has it.
    pub class_accuracy: Vec<Option<f64>>,
    /// Predictions, rows: true class.
    pub confusion_matrix: ConfusionMatrix,
    /// Time of all epochs.
    pub seconds: Seconds,
    /// The run directory.
    pub run_dir: String,
    /// Version of the program.
    pub version: String,
}

/// The rows that a run's last evaluation is of.
pub(crate) const EVALUATED: &str = "test";

impl Summary {
    /// A run that failed before it could say more.
    pub fn failed(config: &Config, error: String) -> Self {
        Summary {
            status: Status::Failed,
            error: Some(error),
            recipe: config.recipe.clone(),
            dataset: config.data.dataset.clone(),
            data_note: None,
            classes: 0,
            class_names: Vec::new(),
            layer_sizes: config.network.layer_sizes.clone(),
            parameters: 0,
            seed: config.training.seed,
            backend: config.backend.name.clone(),
            device: String::new(),
            precision: String::new(),
            epochs: 0,
            num_epochs: config.training.num_epochs,
            split: String::new(),
            accuracy: None,
            best_accuracy: None,
            best_epoch: 0,
            head_accuracy: None,
            test_accuracy: None,
            test_head_accuracy: None,
            train_loss: None,
            val_loss: None,
            layers: Vec::new(),
            evaluated_split: EVALUATED.into(),
            evaluated_epoch: None,
            class_accuracy: Vec::new(),
            confusion_matrix: ConfusionMatrix::new(0, &[], &[]),
            seconds: Seconds::default(),
            run_dir: config.logging.log_dir.clone(),
            version: env!("CARGO_PKG_VERSION").into(),
        }
    }
}

/// A test image and what the network made of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SampleRecord {
    /// Values, as [`ImageShape`] lays them out.
    pub pixels: Vec<u8>,
    /// True class.
    pub label: u32,
    /// Predicted class.
    pub prediction: u32,
}

/// evaluation.json: what figures show beside curves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvaluationRecord {
    /// Height, width and, unless it is one, channels of an image.
    #[serde(flatten)]
    pub image: ImageShape,
    /// Test images.
    pub images: usize,
    /// Those of them that were taken for another class.
    pub errors: usize,
    /// Some of the test images: errors, the most confident first, then images that are right.
    pub samples: Vec<SampleRecord>,
    /// Goodness of held-out rows in each layer.
    pub goodness: Vec<GoodnessHistogram>,
    /// Mean activity of each unit of the first layer, in a neutral pass over test images.
    pub activity: Vec<f64>,
}
