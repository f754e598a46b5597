//! Mean of a group of cells, and what its error bars say.

use super::super::caption::counted;
use super::axis::Axis;
use super::cell::Cell;
use super::table::Table;

pub use crate::metrics::Mean as Statistics;

/// What error bars say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bars {
    /// How far repeats lie apart.
    Deviation,
    /// Where the true mean lies, by Student's t over the repeats.
    Interval,
}

impl Bars {
    /// What is compared has intervals; along numbers a curve is read, with the scatter around it.
    pub fn along(axis: &Axis) -> Self {
        if axis.is_ordered() { Bars::Deviation } else { Bars::Interval }
    }

    /// Half of the error bar of a mean; none of a single value.
    pub fn half(self, statistics: &Statistics) -> Option<f64> {
        match self {
            Bars::Deviation => statistics.deviation,
            Bars::Interval => statistics.interval(),
        }
    }

    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Bars::Deviation => "sd",
            Bars::Interval => "95 % interval",
        }
    }
}

/// Of the final accuracies of cells with all their epochs, in percent; `None` if there is none.
pub fn of<'a>(cells: impl Iterator<Item = &'a Cell>) -> Option<Statistics> {
    Statistics::of(cells.filter_map(Cell::final_accuracy))
}

/// The same of cells that are repeats of one setting; a mean over different settings has no deviation that would say
/// anything of chance.
pub fn of_repeats<'a>(cells: impl Iterator<Item = &'a Cell>, pooled: &[&Axis]) -> Option<Statistics> {
    of_values(cells.filter_map(Cell::final_accuracy), pooled)
}

/// The same of any values of such cells.
pub fn of_values(values: impl Iterator<Item = f64>, pooled: &[&Axis]) -> Option<Statistics> {
    let statistics = Statistics::of(values)?;
    Some(if pooled.is_empty() { statistics } else { Statistics { deviation: None, ..statistics } })
}

/// What means and their error bars are taken over, in words: seeds alone, or cells that differ in other axes too.
pub fn over(table: &Table, pooled: &[&Axis], shown: &[Statistics], bars: Bars) -> Option<String> {
    let most = shown.iter().map(|statistics| statistics.count).max()?;
    if most == 1 {
        return (bars == Bars::Interval && pooled.is_empty()).then(|| "one seed, no interval".to_owned());
    }
    let up_to = if shown.iter().all(|statistics| statistics.count == most) { "" } else { "up to " };
    let parts =
        pooled.iter().map(|axis| axis.words.clone()).chain(table.seed.iter().map(|_| "seeds".to_owned()));
    let parts: Vec<String> = parts.collect();
    Some(match pooled {
        [] => format!("mean ± {} over {up_to}{}", bars.words(), counted(most, "seed")),
        _ => format!("mean over {up_to}{most} cells: {}", joined(&parts)),
    })
}

/// `a, b and c`.
fn joined(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
