//! Who watches a run: each observer turns epochs into something a person or a program reads.

mod events;
mod figures;
mod health;
mod progress;
mod shown;
pub mod tensorboard;

use ff_backend::BackendError;

use crate::config::Config;
use crate::data::ImageShape;
use crate::figures::FigureError;
use crate::files::FileError;
use crate::metrics::ConfusionMatrix;
use crate::run::{EpochRecord, SampleRecord, Summary};
use crate::spec::Spec;

pub use events::TensorBoard;
pub use figures::Figures;
pub use health::Health;
pub use progress::{Progress, STOPPING};
pub use shown::{ProgressStyle, RewrittenLine, Shown, fitting, width};

/// Why an observer could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum ObserverError {
    /// The file system refused.
    #[error(transparent)]
    Io(#[from] FileError),
    /// The device refused to give up a layer's weights.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// A figure could not be drawn.
    #[error(transparent)]
    Figure(#[from] FigureError),
}

/// A run that begins.
pub struct Start<'a> {
    /// Every knob.
    pub config: &'a Config,
    /// The constants that follow from them and the data.
    pub spec: &'a Spec,
    /// Trained numbers, the head's included.
    pub parameters: usize,
    /// What the classes are called; empty where their numbers are their names.
    pub class_names: &'a [String],
    /// Epochs that are already done.
    pub finished_epochs: usize,
    /// Steps of an epoch.
    pub batches: usize,
    /// Best accuracy so far.
    pub best_accuracy: f64,
}

impl Start<'_> {
    /// The rows that accuracies and held-out losses of epochs are measured on: `validation`, or `test` where no
    /// rows are held out.
    pub fn split(&self) -> &'static str {
        if self.config.data.validation_size > 0 { "validation" } else { "test" }
    }
}

/// An epoch that ended.
pub struct EpochReport<'a> {
    /// Its line of metrics.jsonl.
    pub record: &'a EpochRecord,
    /// Epochs of the whole run.
    pub num_epochs: usize,
    /// Predictions of the split that accuracy is measured on.
    pub confusion: &'a ConfusionMatrix,
    /// Shape of an image.
    pub image: ImageShape,
    /// Scores the errors among that split's images: those, the most confident first, then images that are right.
    pub samples: &'a dyn Fn() -> Result<Vec<SampleRecord>, BackendError>,
    /// Fetches weights `[fan_in, fan_out]` and bias of a layer from the device.
    pub weights: &'a dyn Fn(usize) -> Result<(Vec<f32>, Vec<f32>), BackendError>,
}

/// Watches a run.
pub trait Observer {
    /// There is something that people must know of the run: a file that was damaged, data that changed.
    fn warned(&mut self, _warning: &str) {}
    /// The run begins.
    fn started(&mut self, _start: &Start) -> Result<(), ObserverError> {
        Ok(())
    }
    /// A step was enqueued; `done` of the epoch's.
    fn step(&mut self, _epoch: usize, _done: usize) {}
    /// An epoch ended: it is in metrics.jsonl, and in no checkpoint yet.
    fn epoch(&mut self, _report: &EpochReport) -> Result<(), ObserverError> {
        Ok(())
    }
    /// The epoch is over: if its checkpoint was due, it is written, or is being written beside the training.
    fn finished(&mut self, _epoch: usize) -> Result<(), ObserverError> {
        Ok(())
    }
    /// The run ended, well or not; its summary is on disk.
    fn ended(&mut self, _summary: &Summary) -> Result<(), ObserverError> {
        Ok(())
    }
}
