//! A run on disk: everything needed to resume it, plot it again, or repeat it.

mod contents;
mod directory;
mod error;
mod names;
mod reading;
mod records;

pub use contents::{Beginning, Ownership};
pub use directory::{RepairedMetrics, RunDirectory};
pub use error::RunError;
pub(crate) use names::{LAST, PREVIOUS};
pub(crate) use records::EVALUATED;
pub use records::{
    EpochRecord, EvaluationRecord, LayerGoodness, LayerLosses, SampleRecord, Seconds, Status, Summary,
};
