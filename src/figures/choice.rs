//! What is asked for of a sweep.

/// Which figures of a sweep are drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// Figures along these knobs only; along all that vary if there are none.
    pub axes: Vec<String>,
    /// A column of results.csv with accuracies, rather than the one that ranks.
    pub metric: Option<String>,
}
