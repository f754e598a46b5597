//! Axes: a range, its ticks, and where a value lies.

pub use super::numbers::drawable;
use super::numbers::{exact, labels, number, rounded};

/// More names than this are not all written.
const NAMES: usize = 40;
/// More given numbers than this are not labelled one by one.
const LABELLED: usize = 14;

/// One axis of a panel.
#[derive(Clone, Debug)]
pub struct Axis {
    /// What is measured, with its unit.
    pub title: String,
    /// Values that carry a label.
    pub ticks: Vec<(f64, String)>,
    /// What places 0, 1, 2, … are called, where these are all that the axis has; none of them may be left out.
    pub names: Vec<String>,
    /// The ends, as the scale has them.
    low: f64,
    high: f64,
    scale: Scale,
}

/// How values are spread along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scale {
    Linear,
    Log,
    /// Percentages by the logarithm of what is missing to 100.
    Rest,
}

impl Scale {
    fn of(self, value: f64) -> f64 {
        match self {
            Scale::Linear => value,
            Scale::Log => value.log10(),
            Scale::Rest => -(100.0 - value).log10(),
        }
    }
}

fn extent(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    values
        .into_iter()
        .filter(|value| drawable(*value))
        .map(|value| (value, value))
        .reduce(|(low, high), (a, b)| (low.min(a), high.max(b)))
}

impl Axis {
    /// A linear axis around the values, with `count` or so ticks; without a finite value it
    /// has none.
    pub fn linear(title: &str, values: impl IntoIterator<Item = f64>, count: usize) -> Self {
        let range = extent(values).map(|(low, high)| {
            let pad = if high > low { 0.05 * (high - low) } else { 0.1 * low.abs().max(1e-3) };
            (low - pad, high + pad)
        });
        Self::spanning(title, range, count)
    }

    /// As [`Axis::linear`], for percentages.
    pub fn percent(title: &str, values: impl IntoIterator<Item = f64>) -> Self {
        let range = extent(values).map(|(low, high)| {
            let pad = (0.06 * (high - low)).max(0.5);
            ((low - pad).max(0.0), (high + pad).min(100.0).max(low + 0.1))
        });
        Self::spanning(title, range, 5)
    }

    /// As [`Axis::percent`], for accuracies over epochs: by the logarithm of the errors where those of the first epochs
    /// would press the others flat.
    pub fn accuracy(title: &str, values: impl IntoIterator<Item = f64>) -> Self {
        let values: Vec<f64> = values.into_iter().collect();
        let errors: Vec<f64> = values.iter().map(|value| 100.0 - value).collect();
        match extent(errors.iter().copied()) {
            Some((low, high)) if low > 0.0 && presses_flat(&errors, low, high) => {
                let (low, high) = (low / 1.2, (high * 1.2).min(100.0));
                // As many digits as tell it from 100.
                let short = |value| (4..15).map(|digits| rounded(value, digits)).find(|short| *short < 100.0);
                let label = |value: f64| exact(short(value).unwrap_or(value));
                let tick = |(error, _)| (100.0 - error, label(100.0 - error));
                Self {
                    title: format!("{title}, log scale of errors"),
                    ticks: log_ticks(low, high).into_iter().map(tick).rev().collect(),
                    low: Scale::Rest.of(100.0 - high),
                    high: Scale::Rest.of(100.0 - low),
                    scale: Scale::Rest,
                    names: Vec::new(),
                }
            }
            _ => Self::percent(title, values),
        }
    }

    /// From zero to just above the largest value.
    pub fn from_zero(title: &str, values: impl IntoIterator<Item = f64>) -> Self {
        let range = extent(values).map(|(_, high)| (0.0, if high > 0.0 { 1.06 * high } else { 1.0 }));
        Self::spanning(title, range, 3)
    }

    /// Linear; logarithmic where positive values span more than a factor of fifty, or where a few large ones, those of
    /// the first epochs, would press the others flat.
    pub fn loss(title: &str, values: impl IntoIterator<Item = f64>) -> Self {
        let values: Vec<f64> = values.into_iter().collect();
        match extent(values.iter().copied()) {
            Some((low, high)) if low > 0.0 && (high / low > 50.0 || presses_flat(&values, low, high)) => {
                Self::log(title, low / 1.2, high * 1.2)
            }
            _ => Self::linear(title, values, 5),
        }
    }

    /// Positive values: logarithmic where they span more than a factor of ten.
    pub fn positive(title: &str, values: impl IntoIterator<Item = f64>) -> Self {
        let values: Vec<f64> = values.into_iter().collect();
        match extent(values.iter().copied()) {
            Some((low, high)) if low > 0.0 && high / low > 10.0 => Self::log(title, low / 1.2, high * 1.2),
            _ => Self::linear(title, values, 6),
        }
    }

    /// Whole epochs.
    pub fn epochs(values: impl IntoIterator<Item = f64>) -> Self {
        let (low, high) = extent(values).unwrap_or((1.0, 1.0));
        let pad = (0.03 * (high - low)).max(if high > low { 0.0 } else { 0.5 });
        let step = nice_step((high - low) / 6.0).max(1.0).round();
        Self {
            title: "Epoch".to_owned(),
            ticks: multiples(low, high, step),
            low: low - pad,
            high: high + pad,
            scale: Scale::Linear,
            names: Vec::new(),
        }
    }

    /// Exactly from `low` to `high`.
    pub fn exact(title: &str, low: f64, high: f64, count: usize) -> Self {
        let range = (drawable(low) && drawable(high) && low < high).then_some((low, high));
        Self::spanning(title, range, count)
    }

    /// Evenly spaced named places 0, 1, 2, ….
    pub fn places(title: &str, labels: &[String]) -> Self {
        let step = labels.len().div_ceil(NAMES).max(1);
        Self {
            title: title.to_owned(),
            ticks: (labels.iter().enumerate().step_by(step))
                .map(|(index, label)| (index as f64, label.clone()))
                .collect(),
            low: -0.5,
            high: labels.len().max(1) as f64 - 0.5,
            scale: Scale::Linear,
            names: labels.to_vec(),
        }
    }

    /// Given, different numbers in order, each at its place: on the scale of the range that they are from, else on a log
    /// scale if that spreads them more evenly. `None` where a few of them, from no range, would lie on one another.
    pub fn numbers(title: &str, values: &[f64], from_range: Option<bool>) -> Option<Self> {
        let (low, high) = extent(values.iter().copied())?;
        let middle = *values.get(values.len() / 2)? / 2.0 + *values.get((values.len() - 1) / 2)? / 2.0;
        let skew =
            |scale: fn(f64) -> f64| ((scale(middle) - scale(low)) / (scale(high) - scale(low)) - 0.5).abs();
        let spreads = || high / low >= 3.0 && skew(f64::log10) < skew(|value| value);
        let log = low > 0.0 && from_range.unwrap_or_else(spreads);
        let scale = if log { Scale::Log } else { Scale::Linear };
        let scaled = |value| scale.of(value);
        let range = scaled(high) - scaled(low);
        let gaps = values.windows(2).map(|pair| scaled(pair[1]) - scaled(pair[0]));
        let crowded = gaps.fold(range, f64::min) < 0.02 * range;
        if values.len() <= LABELLED && crowded && from_range.is_none() {
            return None;
        }
        let ticks = match values.len() {
            ..=LABELLED if !crowded => values.iter().copied().zip(labels(values)).collect(),
            _ if log => log_ticks(low / 1.2, high * 1.2),
            _ => multiples(low, high, nice_step(range / 8.0)),
        };
        let pad = if range > 0.0 { 0.05 * range } else { 0.5 };
        Some(Self {
            title: if log { format!("{title}, log scale") } else { title.to_owned() },
            ticks,
            names: Vec::new(),
            low: scaled(low) - pad,
            high: scaled(high) + pad,
            scale,
        })
    }

    fn log(title: &str, low: f64, high: f64) -> Self {
        Self {
            title: format!("{title}, log scale"),
            ticks: log_ticks(low, high),
            low: low.log10(),
            high: high.log10(),
            scale: Scale::Log,
            names: Vec::new(),
        }
    }

    fn spanning(title: &str, range: Option<(f64, f64)>, count: usize) -> Self {
        let (low, high) = range.unwrap_or((0.0, 1.0));
        let ticks = match range {
            Some(_) => multiples(low, high, nice_step((high - low) / count.max(1) as f64)),
            None => Vec::new(),
        };
        Self { title: title.to_owned(), ticks, low, high, scale: Scale::Linear, names: Vec::new() }
    }

    /// 0 at the lower end of the axis, 1 at the upper. What a log scale has no place for lies at its end.
    pub fn position(&self, value: f64) -> f64 {
        let scaled = self.scale.of(value);
        let beyond = if self.scale == Scale::Rest { 1.0 } else { 0.0 };
        if scaled.is_nan() { beyond } else { ((scaled - self.low) / (self.high - self.low)).clamp(0.0, 1.0) }
    }

    /// A value for other programs: the name of its place, else the number.
    pub fn told(&self, value: f64) -> String {
        let name = self.names.get(value as usize).filter(|_| value >= 0.0);
        name.cloned().unwrap_or_else(|| value.to_string())
    }

    /// The value has a place on this axis.
    pub fn shows(&self, value: f64) -> bool {
        drawable(value) && self.scale.of(value).is_finite()
    }
}

/// Whether three quarters of the values lie in the lowest eighth of their range, and not just because it is narrow.
fn presses_flat(values: &[f64], low: f64, high: f64) -> bool {
    let known = || values.iter().filter(|value| drawable(**value));
    let below = known().filter(|value| **value < low + (high - low) / 8.0).count();
    high / low > 3.0 && 4 * below > 3 * known().count()
}

/// Of 1, 2, 5 × 10ⁿ the one nearest to `step`.
fn nice_step(step: f64) -> f64 {
    if step <= 0.0 || !step.is_finite() {
        return 1.0;
    }
    let power = 10f64.powf(step.log10().floor());
    let factors = [10.0, 5.0, 2.0];
    let fits = factors.iter().find(|factor| *factor * power <= step * 1.45);
    fits.unwrap_or(&1.0) * power
}

fn multiples(low: f64, high: f64, step: f64) -> Vec<(f64, String)> {
    let decimals = (-step.log10()).ceil().clamp(0.0, 12.0) as usize;
    let slack = step * 1e-9;
    let first = ((low - slack) / step).ceil();
    let count = ((high + slack) / step).floor() - first;
    (0..=count.clamp(0.0, 50.0) as u32)
        .map(|index| (first + f64::from(index)) * step)
        .filter(|value| *value <= high + slack)
        .map(|value| (value, number(value, decimals)))
        .collect()
}

fn log_ticks(low: f64, high: f64) -> Vec<(f64, String)> {
    let decades = (low.log10().floor() as i32)..=(high.log10().ceil() as i32);
    let wide = decades.clone().count();
    let factors: &[f64] = match wide {
        _ if high / low < 15.0 => &[1.0, 2.0, 3.0, 5.0, 7.0],
        ..=4 => &[1.0, 2.0, 5.0],
        _ => &[1.0],
    };
    decades
        .step_by(wide.div_ceil(8).max(1))
        .flat_map(|decade| factors.iter().map(move |factor| factor * 10f64.powi(decade)))
        .filter(|value| (low..=high).contains(value))
        .map(|value| (value, exact(rounded(value, 2))))
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn place(values: &[f64], value: f64) -> f64 {
        let axis = Axis::numbers("x", values, None).unwrap();
        let at = |value| axis.position(value);
        (at(value) - at(values[0])) / (at(values[values.len() - 1]) - at(values[0]))
    }

    #[test]
    fn numbers_lie_where_they_are() {
        assert!((place(&[0.0, 16.0, 64.0], 16.0) - 0.25).abs() < 1e-9);
        assert!((place(&[1.0, 2.0, 3.0, 4.0], 2.0) - 1.0 / 3.0).abs() < 1e-9);
        assert!((place(&[0.5, 1.0, 2.0, 4.0], 1.0) - 1.0 / 3.0).abs() < 1e-9);
        assert!((place(&[1e-4, 1e-3, 1e-1], 1e-3) - 1.0 / 3.0).abs() < 1e-9);
        assert!(Axis::numbers("x", &[1.0, 10.0, 100.0], None).unwrap().title.ends_with("log scale"));
    }

    #[test]
    fn a_scale_that_is_known_is_taken() {
        let is_log = |values: &[f64], log| Axis::numbers("x", values, log).unwrap().scale == Scale::Log;
        // Drawn from a range with a log scale, and by chance evenly spread.
        assert!(!is_log(&[1.0, 4.0, 7.0], None) && is_log(&[1.0, 4.0, 7.0], Some(true)));
        assert!(is_log(&[1.0, 10.0, 100.0], None) && !is_log(&[1.0, 10.0, 100.0], Some(false)));
        assert!(!is_log(&[0.0, 1.0, 2.0], Some(true)));
        // Drawn close to one another: they keep their places, and ticks are round.
        let drawn = Axis::numbers("x", &[1.314, 1.351, 1.573, 5.174, 29.1], Some(true)).unwrap();
        let labels: Vec<&str> = drawn.ticks.iter().map(|(_, label)| label.as_str()).collect();
        assert_eq!(labels, ["2", "5", "10", "20"]);
    }

    #[test]
    fn first_epochs_do_not_press_the_others_flat() {
        let axis = |values: &[f64]| Axis::accuracy("Accuracy (%)", values.iter().copied());
        let steep = [60.0, 95.0, 97.0, 98.0, 98.5, 98.8, 99.0, 99.0, 99.1, 99.2];
        let found = axis(&steep);
        assert_eq!(found.title, "Accuracy (%), log scale of errors");
        let labels: Vec<&str> = found.ticks.iter().map(|(_, label)| label.as_str()).collect();
        assert_eq!(labels, ["80", "90", "95", "98", "99"]);
        // From 90 to 99 is as far as from 0 to 90.
        let far = |a, b| found.position(b) - found.position(a);
        assert!((far(80.0, 98.0) - far(90.0, 99.0)).abs() < 1e-12);
        assert!(!found.shows(100.0) && found.shows(99.9) && found.position(60.0) < found.position(61.0));
        assert_eq!(axis(&[60.0, 70.0, 80.0, 90.0]).scale, Scale::Linear);
        assert_eq!(axis(&[60.0, 95.0, 99.0, 99.5, 99.9, 100.0]).scale, Scale::Linear);
    }

    #[test]
    fn numbers_that_would_lie_on_one_another_have_no_scale() {
        assert!(Axis::numbers("x", &[0.0, 1e-4, 1e-3, 1.0], None).is_none());
    }

    #[test]
    fn many_numbers_have_round_ticks() {
        let values: Vec<f64> = (0..30).map(|i| 1e-4 * 1.15f64.powi(i)).collect();
        let ticks = Axis::numbers("x", &values, None).unwrap().ticks;
        let labels: Vec<&str> = ticks.iter().map(|(_, label)| label.as_str()).collect();
        assert_eq!(labels[..4], ["0.0001", "0.0002", "0.0005", "0.001"]);
    }
}
