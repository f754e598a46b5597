//! What of a run should make people look: a layer that is dead, a loss that does not move.

use crate::run::EpochRecord;

/// Epochs after which a loss should have moved.
const PATIENCE: usize = 3;
/// A loss has moved that is off its first value by more than this share of it.
const MOVED: f64 = 1e-3;

/// Watches the epochs of one run; each warning is told once.
#[derive(Debug, Default)]
pub struct Health {
    /// Epoch and loss of the first epoch seen.
    first: Option<(usize, f64)>,
    has_moved: bool,
    told_loss: bool,
    told_layers: Vec<usize>,
}

impl Health {
    /// What an epoch shows to be wrong.
    pub fn warnings(&mut self, record: &EpochRecord) -> Vec<String> {
        let mut warnings = Vec::new();
        let dead = record.active.iter().enumerate().filter(|(_, active)| **active == 0.0);
        for (layer, _) in dead {
            if !self.told_layers.contains(&layer) {
                self.told_layers.push(layer);
                warnings.push(format!(
                    "layer {layer} is dead: none of its units is above 0 after epoch {}; a smaller learning rate or \
                     another threshold may help",
                    record.epoch
                ));
            }
        }
        let (epoch, loss) = *self.first.get_or_insert((record.epoch, record.train_loss));
        self.has_moved |= (record.train_loss - loss).abs() > MOVED * loss.abs();
        if !self.has_moved && !self.told_loss && record.epoch >= epoch + PATIENCE - 1 {
            self.told_loss = true;
            warnings.push(format!(
                "the training loss has not moved since epoch {epoch} ({loss:.4}); another learning rate or threshold \
                 may help"
            ));
        }
        warnings
    }
}
