//! Figures that are computed in one way everywhere: confusion matrix, histogram of goodness, mean with its deviation and
//! interval.

mod confusion;
mod histogram;
mod mean;
mod student;

pub use confusion::ConfusionMatrix;
pub use histogram::GoodnessHistogram;
pub use mean::Mean;
