//! Training: steps on the device, epochs, resume; and [`run`], the one call that does it all.

mod classified;
mod end_to_end;
mod error;
mod limits;
mod local;
mod neutral;
mod pairs;
mod phase;
mod resume;
mod run;
mod samples;
mod saver;
mod similarities;
mod step;
mod stepper;
mod top_down;
mod trainer;

pub use error::TrainError;
pub use limits::Limits;
pub use run::{About, Options, run};
pub use step::TrainTally;
pub use stepper::Stepper;
