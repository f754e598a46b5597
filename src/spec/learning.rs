//! What layers learn from.

use crate::config::LossKind;

/// What layers learn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Learning {
    /// The goodness of positive and negative rows: Forward-Forward.
    Goodness,
    /// A softmax classifier on each layer, whose gradient ends there.
    Local,
    /// A softmax classifier on the last layer, whose gradient goes back through all: backpropagation.
    EndToEnd,
}

impl Learning {
    /// What a loss asks for.
    pub(super) fn of(loss: LossKind) -> Self {
        match loss {
            LossKind::Bce | LossKind::Symba | LossKind::Margin => Learning::Goodness,
            LossKind::Pred => Learning::Local,
            LossKind::Backprop => Learning::EndToEnd,
        }
    }
}
