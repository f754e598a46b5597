//! Cutting a random search short.

use super::axes::{table, whole};
use super::document::Entry;
use super::error::ConfigError;
use super::nearest::did_you_mean;

/// Successive halving: all cells train for `min_epochs`, the best 1 / `factor` of them for `factor`
/// times as many, and so on, judged by validation accuracy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Halving {
    /// Epochs after which cells are compared for the first time.
    pub min_epochs: usize,
    /// One of so many cells goes on.
    pub factor: usize,
}

impl Halving {
    /// Reads `halving` of `[search]`, if it is there.
    pub(crate) fn of(search: &Entry) -> Result<Option<(Halving, &Entry)>, ConfigError> {
        const KEYS: [&str; 2] = ["min_epochs", "factor"];
        let Some(entry) = table(search)?.iter().find(|entry| entry.key == "halving") else {
            return Ok(None);
        };
        let mut halving = Halving { min_epochs: 1, factor: 3 };
        for inner in table(entry)? {
            match inner.key.as_str() {
                "min_epochs" => halving.min_epochs = whole(inner, 1, usize::MAX)?,
                "factor" => halving.factor = whole(inner, 2, usize::MAX)?,
                key => {
                    let hint = did_you_mean(key, KEYS);
                    return Err(inner.error(format!("unknown key `{key}` in `halving`{hint}")));
                }
            }
        }
        Ok(Some((halving, entry)))
    }
}
