//! How figures are drawn, and which.

use super::canvas::Look;
use super::format::Format;

/// How figures are drawn and written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Page {
    /// The kind of files.
    pub format: Format,
    /// How they look.
    pub look: Look,
    /// Whether the numbers of each figure are written beside it as CSV.
    pub data: bool,
}

/// Which figures of a sweep are drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// Figures along these knobs only; along all that vary if there are none.
    pub axes: Vec<String>,
    /// A column of results.csv with accuracies, rather than the one that ranks.
    pub metric: Option<String>,
}

impl From<Format> for Page {
    fn from(format: Format) -> Self {
        Page { format, ..Page::default() }
    }
}
