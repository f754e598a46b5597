//! What is asked for of a sweep.

/// Which figures of a sweep are drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// Figures along these knobs only; along all that vary if there are none.
    pub axes: Vec<String>,
    /// A column of results.csv with accuracies, rather than the one that ranks.
    pub metric: Option<String>,
    /// Settings that the others are compared with, each in a figure of its own: a cell's name, or a value of a knob that
    /// varies, with `KEY=` before it where several knobs have it.
    pub against: Vec<String>,
}
