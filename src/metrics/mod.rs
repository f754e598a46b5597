//! Figures that are computed in one way everywhere: confusion matrix, histogram of goodness, mean ± deviation.

mod confusion;
mod histogram;
mod mean;

pub use confusion::ConfusionMatrix;
pub use histogram::GoodnessHistogram;
pub use mean::Mean;
