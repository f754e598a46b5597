//! What only the dataset can decide.

use super::choices::{LabelPlacement, NegativeKind};
use super::error::Invalid;
use super::knobs::Config;

/// Decides `label = "auto"`: `overlay` where the pixels under the label are blank, else `prepend`. Networks that take no
/// label stay `auto`.
pub fn resolve_label(config: &mut Config, blank_under_label: bool) {
    if config.network.label == LabelPlacement::Auto && config.takes_label() {
        config.network.label = match blank_under_label {
            true => LabelPlacement::Overlay,
            false => LabelPlacement::Prepend,
        };
    }
}

impl Config {
    /// Whether labels enter the network with the image: not among hybrids, which have none, nor where classifiers learn
    /// from the labels, nor where they stand above the last layer.
    pub fn takes_label(&self) -> bool {
        let labelled =
            self.training.negatives != NegativeKind::Hybrid && self.training.loss.compares_goodness();
        labelled && !self.network.top_down
    }

    /// Whether this training set can be trained on: so many rows before any are held out, so many
    /// classes, so many features a row.
    pub fn check_against(&self, train_rows: usize, classes: usize, features: usize) -> Result<(), Invalid> {
        let held_out = self.data.validation_size;
        let batch = self.training.batch_size;
        if held_out >= train_rows {
            return Err(Invalid {
                knob: "data.validation_size",
                with: Some("data.dataset"),
                reason: format!("holds out {held_out} of {train_rows} training rows, which leaves none"),
            });
        }
        let rows = train_rows - held_out;
        if batch > rows {
            let left = if held_out > 0 { " left" } else { "" };
            return Err(Invalid {
                knob: "training.batch_size",
                with: Some(if held_out > 0 { "data.validation_size" } else { "data.dataset" }),
                reason: format!("is {batch}, but there are only {rows} training rows{left}"),
            });
        }
        let (awake, batches) = (self.training.sleep_every, rows / batch.max(1));
        if awake > 0 && awake >= batches {
            return Err(Invalid {
                knob: "training.sleep_every",
                with: Some("training.batch_size"),
                reason: format!(
                    "is {awake}, but an epoch has {batches} batches, of which none is left for the negative rows; it \
                     must be below {batches}"
                ),
            });
        }
        self.check_label(classes, features)
    }

    /// Whether the label fits into images of so many features.
    pub fn check_label(&self, classes: usize, features: usize) -> Result<(), Invalid> {
        if self.network.label == LabelPlacement::Overlay && classes >= features {
            return Err(Invalid {
                knob: "network.label",
                with: Some("data.dataset"),
                reason: format!(
                    "is \"overlay\", but {classes} label features would cover all {features} pixels; use \"prepend\""
                ),
            });
        }
        Ok(())
    }
}
