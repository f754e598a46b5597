//! The batches of an epoch: which images, which labels, which negatives. Drawn on the host, so that every backend
//! trains on the same ones.

mod batch;
mod draws;
pub mod negatives;
mod plan;

pub use batch::Batch;
pub use draws::{Draws, Stream};
pub use negatives::Negatives;
pub use plan::{EpochPlan, PlannedEpoch, interleaved, shift, upload_images};
