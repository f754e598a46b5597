//! Evaluation: energy of every label, softmax head, linear probe, held-out loss.

mod chunks;
mod cross_entropy;
mod evaluator;
mod held_out;
mod loss;
mod probability;
mod probe;
mod views;

pub use cross_entropy::CrossEntropy;
pub use evaluator::{Evaluator, Predictions};
pub use held_out::ValidationLoss;
pub use loss::PairLosses;
pub use probability::{largest, mean_log_probabilities, probabilities, temperature};
pub use probe::{ProbeTraining, train_probe};
pub use views::Views;
