//! Evaluation: energy of every label, softmax head, linear probe, held-out loss.

mod evaluator;
mod loss;
mod probability;
mod probe;

pub use evaluator::{Evaluator, Predictions};
pub use loss::ValidationLoss;
pub use probability::{probabilities, temperature};
pub use probe::train_probe;
