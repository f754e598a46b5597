//! A run on disk: everything needed to resume it, plot it again, or repeat it.

mod directory;
mod records;

pub use directory::{Ownership, RunDirectory, RunError, write_atomically};
pub(crate) use records::EVALUATED;
pub use records::{
    EpochRecord, EvaluationRecord, LayerGoodness, LayerLosses, SampleRecord, Seconds, Status, Summary,
};
