//! What layers learn from.

use crate::config::{LossKind, TrainingConfig};

/// What layers learn from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Learning {
    /// The goodness of positive and negative rows: Forward-Forward.
    Goodness,
    /// A softmax classifier on each layer, whose gradient ends there, and how alike rows of one label are.
    Local {
        /// β, the similarities' share of the loss; the rest is the classifier's cross-entropy.
        similarity: f64,
    },
    /// A softmax classifier on the last layer, whose gradient goes back through all: backpropagation.
    EndToEnd,
}

impl Learning {
    /// What a loss asks for.
    pub(super) fn of(training: &TrainingConfig) -> Self {
        match training.loss {
            LossKind::Bce | LossKind::Symba | LossKind::Margin => Learning::Goodness,
            LossKind::Pred => Learning::Local { similarity: 0.0 },
            LossKind::Sim => Learning::Local { similarity: 1.0 },
            LossKind::Predsim => Learning::Local { similarity: training.beta },
            LossKind::Backprop => Learning::EndToEnd,
        }
    }

    /// Whether each layer has a classifier of its own.
    pub fn is_local(self) -> bool {
        matches!(self, Learning::Local { .. })
    }
}
