//! Training: plans drawn on the host, steps on the device, epochs, schedules, resume.

mod plan;
mod schedule;
mod step;
mod trainer;

pub(crate) use plan::stack;
pub use plan::{EpochPlan, HeldOutNegatives, PlannedEpoch};
pub use schedule::{gain, head_rule, rule};
pub use step::{Batch, Stepper, TrainTally};
pub use trainer::{Limits, TrainError, Trainer};
