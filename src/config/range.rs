//! `{ from = 0.5, to = 8, steps = 5, scale = "log" }`: numbers between two ends.

use toml::Value;

use super::document::{Entry, Node};
use super::error::ConfigError;
use super::knobs::Knob;
use super::nearest::did_you_mean;

/// The most values that one axis may have, and the most cells that an experiment may have.
pub(crate) const MOST_CELLS: usize = 10_000;

/// Significant digits of a draw, where they are enough: what is drawn names a folder and stands in tables.
pub(crate) const DIGITS: usize = 4;
/// As many as tell any two numbers apart.
pub(crate) const MOST_DIGITS: usize = 17;
/// The largest whole number of a range: all up to it are floats of 64 bits.
const MOST_IN_A_RANGE: u64 = 1 << 53;
/// So many draws at least are told apart between the ends of a range.
const FINENESS: f64 = 100.0;

/// A range of a knob's values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Range {
    from: f64,
    to: f64,
    logarithmic: bool,
    integer: bool,
}

impl Range {
    /// The values of `{ from, to, steps }`, both ends included. Whole numbers that rounding makes
    /// equal count once.
    pub(crate) fn steps(knob: &Knob, node: &Node) -> Result<Vec<Value>, ConfigError> {
        let range = Range::parse(knob, node, &["from", "to", "steps", "scale"])?;
        let written = required(node, "steps")?;
        let steps = written.value().as_integer().and_then(|steps| usize::try_from(steps).ok());
        let Some(steps) = steps.filter(|steps| (1..=MOST_CELLS).contains(steps)) else {
            return Err(written.error(format!("`steps` must be a whole number from 1 to {MOST_CELLS}")));
        };
        let last = steps.max(2) - 1;
        let mut values: Vec<_> = (0..steps).map(|i| range.at(i as f64 / last as f64)).collect();
        values.dedup();
        Ok(values)
    }

    /// A `{ from, to }` to draw from.
    pub(crate) fn to_draw_from(knob: &Knob, node: &Node) -> Result<Range, ConfigError> {
        let range = Range::parse(knob, node, &["from", "to", "scale"])?;
        match range.from < range.to {
            true => Ok(range),
            false => Err(node.error(format!("the range of `{}` must have `from` below `to`", knob.name))),
        }
    }

    fn parse(knob: &Knob, node: &Node, keys: &[&str]) -> Result<Range, ConfigError> {
        if !knob.takes.is_number() {
            return Err(node.error(format!("`{}` is not a number: list its values", knob.name)));
        }
        let unknown = |entry: &&Entry| !keys.contains(&entry.key.as_str());
        if let Some(entry) = node.entries().unwrap_or_default().iter().find(unknown) {
            let hint = did_you_mean(&entry.key, keys.iter().copied());
            return Err(entry.error(format!("unknown key `{}` in a range{hint}", entry.key)));
        }
        let integer = knob.takes.is_whole();
        let logarithmic = match node.get("scale").map(|scale| (scale, scale.value())) {
            None => false,
            Some((_, Value::String(name))) if name == "linear" => false,
            Some((_, Value::String(name))) if name == "log" => true,
            Some((scale, _)) => return Err(scale.error("`scale` must be \"linear\" or \"log\"")),
        };
        let end = |key| {
            let end = required(node, key)?;
            let fail = |what: &str| Err(end.error(format!("`{key}` of `{}` must be {what}", knob.name)));
            match end.value() {
                Value::Float(_) if integer => fail("a whole number"),
                Value::Float(x) if !x.is_finite() => fail("finite"),
                Value::Float(x) if logarithmic && x <= 0.0 => fail("above 0 on a log scale"),
                Value::Integer(n) if logarithmic && n <= 0 => fail("above 0 on a log scale"),
                Value::Float(x) => Ok(x),
                // Beyond, not every whole number is a float.
                Value::Integer(n) if n.unsigned_abs() > MOST_IN_A_RANGE => {
                    fail(&format!("at most {MOST_IN_A_RANGE}"))
                }
                Value::Integer(n) => Ok(n as f64),
                _ => fail("a number"),
            }
        };
        let (from, to) = (end("from")?, end("to")?);
        Ok(Range { from, to, logarithmic, integer })
    }

    /// How many values it has, if they are whole.
    pub(crate) fn count(&self) -> Option<usize> {
        self.integer.then(|| (self.to - self.from) as usize + 1)
    }

    /// The value at a fraction of the way.
    fn at(&self, fraction: f64) -> Value {
        self.value(self.between(self.from, self.to, fraction))
    }

    /// The value that a uniform draw from [0, 1) stands for; every whole number gets its share. It has so many
    /// significant digits, or more where the range is too narrow for them.
    pub(crate) fn draw(&self, uniform: f64, digits: usize) -> Value {
        let margin = if self.integer { 0.5 } else { 0.0 };
        let x = self.between(self.from - margin, self.to + margin, uniform);
        let fine = |digits: &usize| {
            let error = 10f64.powi(x.abs().log10().floor() as i32 - *digits as i32 + 1);
            error * FINENESS <= self.to - self.from && self.holds(rounded(x, *digits))
        };
        let digits = (digits..=MOST_DIGITS).find(fine).unwrap_or(MOST_DIGITS);
        let x = rounded(x, digits).clamp(self.from, self.to);
        if self.integer { self.value(x) } else { Value::Float(x) }
    }

    fn holds(&self, x: f64) -> bool {
        // A whole number is rounded into its range later on.
        self.integer || (self.from..=self.to).contains(&x)
    }

    fn between(&self, from: f64, to: f64, fraction: f64) -> f64 {
        let linear = |from: f64, to: f64| from * (1.0 - fraction) + to * fraction;
        match self.logarithmic {
            _ if fraction == 0.0 => from,
            _ if fraction == 1.0 => to,
            true => linear(from.ln(), to.ln()).exp(),
            false => linear(from, to),
        }
    }

    fn value(&self, x: f64) -> Value {
        if self.integer {
            return Value::Integer(x.round() as i64);
        }
        // 1.0000000000000002 is meant as 1, and names a folder.
        let short = rounded(x, 12);
        let (low, high) = (self.from.min(self.to), self.from.max(self.to));
        Value::Float(if (low..=high).contains(&short) { short } else { x })
    }
}

fn rounded(x: f64, digits: usize) -> f64 {
    format!("{x:.0$e}", digits - 1).parse().unwrap_or(x)
}

fn required<'a>(node: &'a Node, key: &str) -> Result<&'a Node, ConfigError> {
    node.get(key).ok_or_else(|| node.error(format!("a range needs `{key}`")))
}
