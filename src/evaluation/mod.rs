//! Evaluation: energy of every label, softmax head, validation loss, confusion matrix.

mod confusion;
mod evaluator;
mod loss;
mod probe;

pub use confusion::ConfusionMatrix;
pub use evaluator::{Evaluator, Predictions};
pub use loss::{GoodnessHistogram, ValidationLoss};
pub use probe::train_probe;
