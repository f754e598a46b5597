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
        /// Whether a learned linear map of the activities is matched in their place.
        mapped: bool,
    },
    /// A softmax classifier on the last layer, whose gradient goes back through all: backpropagation.
    EndToEnd,
}

impl Learning {
    /// What a loss asks for.
    pub(super) fn of(training: &TrainingConfig) -> Self {
        match training.loss {
            LossKind::Bce | LossKind::Symba | LossKind::Margin => Learning::Goodness,
            LossKind::Pred => Learning::Local { similarity: 0.0, mapped: false },
            LossKind::Sim => Learning::Local { similarity: 1.0, mapped: training.similarity_map },
            LossKind::Predsim => {
                let similarity = training.beta;
                Learning::Local { similarity, mapped: training.similarity_map && similarity > 0.0 }
            }
            LossKind::Backprop => Learning::EndToEnd,
        }
    }

    /// The similarities' share of the loss.
    pub fn similarity(self) -> f64 {
        if let Learning::Local { similarity, .. } = self { similarity } else { 0.0 }
    }

    /// Whether each layer has a linear map of its activities, whose similarities are matched.
    pub fn is_mapped(self) -> bool {
        matches!(self, Learning::Local { mapped: true, .. })
    }

    /// Whether each layer has a classifier of its own.
    pub fn is_local(self) -> bool {
        matches!(self, Learning::Local { .. })
    }
}
