//! The batches of an epoch: which images, which labels, which negatives. Drawn on the host, so that every backend
//! trains on the same ones.

mod draws;
pub mod negatives;
mod plan;

pub use draws::{Draws, Stream};
pub use negatives::Negatives;
pub use plan::{Batch, EpochPlan, PlannedEpoch, interleaved};
