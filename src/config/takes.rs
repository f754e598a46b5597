//! What a knob takes: the type of its values and their range.

use std::fmt;

use clap::ValueEnum;
use toml::Value;

use crate::files::home::expand_home;

/// More of anything that is counted than any run has time for.
pub(crate) const MOST: u64 = 1_000_000_000;
/// More units than any layer has memory for.
pub(crate) const MOST_UNITS: u64 = 1_000_000;
/// The most layers a network may have.
pub(crate) const MOST_LAYERS: u64 = 1000;
/// The largest whole number that a configuration file can hold.
pub(crate) const MOST_IN_A_FILE: u64 = i64::MAX as u64;

/// The type and the range of a knob's values.
#[derive(Clone, Copy, Debug)]
pub enum Takes {
    /// `true` or `false`.
    Bool,
    /// A folder.
    Folder {
        /// Whether the empty text is one: the default place.
        may_be_empty: bool,
    },
    /// A word from a list.
    Word(fn() -> Vec<Choice>),
    /// A word from a list, of which some are patterns, as `idx:DIR` is.
    Pattern {
        /// The words and the patterns.
        choices: fn() -> Vec<Choice>,
        /// Whether a text follows one of the patterns.
        fits: fn(&str) -> bool,
        /// `; did you mean …?` for a text that does not; or empty.
        hint: fn(&str) -> String,
    },
    /// A whole number of a range, both ends included.
    Whole {
        /// The smallest.
        least: u64,
        /// The largest.
        most: u64,
    },
    /// A number that single precision can hold.
    Number(Interval),
    /// A number of at least 0 that single precision can hold (no goodness is below 0), or the word `width`.
    NumberOrWidth,
    /// A list of whole numbers: the units of each layer.
    Sizes,
    /// A list of tables, kind and shape of each layer: whether it is one.
    Layers(fn(&Value) -> Result<(), String>),
}

/// Numbers between two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interval {
    /// x > 0.
    Positive,
    /// x ≥ 0.
    NotNegative,
    /// 0 ≤ x < 1.
    Fraction,
}

/// One value of a knob that takes a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The word.
    pub name: String,
    /// What it stands for.
    pub meaning: String,
}

/// The words of an enum, and the first lines of what its documentation says of them.
pub(crate) fn words<T: ValueEnum>() -> Vec<Choice> {
    let values = T::value_variants().iter().filter_map(T::to_possible_value);
    let choice = |value: clap::builder::PossibleValue| Choice {
        name: value.get_name().to_owned(),
        meaning: value.get_help().map(ToString::to_string).unwrap_or_default(),
    };
    values.map(choice).collect()
}

impl Takes {
    /// A whole number of at least `least`.
    pub(crate) const fn at_least(least: u64) -> Self {
        Takes::Whole { least, most: MOST }
    }

    /// The words and patterns it takes; none for other types.
    pub fn choices(&self) -> Vec<Choice> {
        match self {
            Takes::Word(choices) | Takes::Pattern { choices, .. } => choices(),
            _ => Vec::new(),
        }
    }

    /// Whether it takes whole numbers only.
    pub(crate) fn is_whole(&self) -> bool {
        matches!(self, Takes::Whole { .. })
    }

    /// Whether it takes numbers.
    pub(crate) fn is_number(&self) -> bool {
        matches!(self, Takes::Whole { .. } | Takes::Number(_) | Takes::NumberOrWidth)
    }

    /// The value with the home folder in the place of a leading `~`, where it is a path. If there is none: the end
    /// of a sentence that starts with the knob.
    pub(crate) fn at_home(&self, value: Value) -> Result<Value, String> {
        match (self, &value) {
            (Takes::Folder { .. }, Value::String(path)) => expand_home(path).map(Value::String),
            (Takes::Pattern { .. }, Value::String(text)) => match text.split_once(':') {
                Some((kind, path)) => expand_home(path).map(|path| Value::String(format!("{kind}:{path}"))),
                None => Ok(value),
            },
            _ => Ok(value),
        }
    }

    /// Whether a value is of this type. If not: the end of a sentence that starts with the knob.
    pub(crate) fn check_type(&self, value: &Value) -> Result<(), String> {
        if let Takes::Layers(check) = self {
            return check(value);
        }
        let is_whole = |value: &Value| value.as_integer().is_some_and(|n| n >= 0);
        let is_number = value.is_float() || value.is_integer();
        let fits = match self {
            Takes::Bool => value.is_bool(),
            Takes::Folder { .. } | Takes::Pattern { .. } => value.is_str(),
            Takes::Word(choices) => {
                value.as_str().is_some_and(|word| choices().iter().any(|choice| choice.name == word))
            }
            Takes::Whole { .. } => is_whole(value),
            Takes::Number(_) => is_number,
            Takes::NumberOrWidth => is_number || value.as_str() == Some("width"),
            Takes::Sizes => value.as_array().is_some_and(|sizes| sizes.iter().all(is_whole)),
            Takes::Layers(_) => true,
        };
        if fits {
            return Ok(());
        }
        match too_large(value).filter(|_| matches!(self, Takes::Whole { .. } | Takes::Sizes)) {
            Some(digits) => Err(format!("must be at most {MOST_IN_A_FILE}, found {digits}")),
            None => Err(format!("must be {}, found {}", self.expected(), describe(value))),
        }
    }

    /// Whether a value of this type is in range. If not: the end of a sentence that starts with the knob.
    pub(crate) fn check_range(&self, value: &Value) -> Result<(), String> {
        let problem = match (self, value) {
            (Takes::Folder { may_be_empty: false }, Value::String(folder)) if folder.is_empty() => {
                Some("must name a folder, found nothing".into())
            }
            (Takes::Pattern { fits, hint, .. }, Value::String(text)) if !fits(text) && !self.has(text) => {
                Some(format!("must be {}, found {text:?}{}", self.expected(), hint(text)))
            }
            (Takes::Whole { least, most }, Value::Integer(n)) => match u64::try_from(*n) {
                Ok(n) if n > *most => Some(format!("must be at most {most}, found {n}")),
                Ok(n) if n >= *least => None,
                _ => Some(format!("must be at least {least}, found {n}")),
            },
            (Takes::Number(interval), number) => as_number(number).and_then(|x| interval.problem(x)),
            (Takes::NumberOrWidth, number) => {
                as_number(number).and_then(|x| Interval::NotNegative.problem(x))
            }
            (Takes::Sizes, Value::Array(sizes)) => unusable_sizes(sizes),
            (Takes::Layers(check), layers) => check(layers).err(),
            _ => None,
        };
        problem.map_or(Ok(()), Err)
    }

    fn has(&self, word: &str) -> bool {
        self.choices().iter().any(|choice| choice.name == word)
    }

    /// What it takes, as messages say it.
    fn expected(&self) -> String {
        match self {
            Takes::Bool => "true or false".into(),
            Takes::Folder { .. } => "a string".into(),
            Takes::Word(_) | Takes::Pattern { .. } => {
                let quoted: Vec<_> =
                    self.choices().iter().map(|choice| format!("{:?}", choice.name)).collect();
                either(&quoted)
            }
            Takes::Whole { least, most } if *most < MOST => format!("a whole number from {least} to {most}"),
            Takes::Whole { least, .. } => format!("a whole number of at least {least}"),
            Takes::Number(_) => "a number".into(),
            Takes::NumberOrWidth => "a number or \"width\"".into(),
            Takes::Sizes => "a list of whole numbers".into(),
            Takes::Layers(_) => "a list of layers".into(),
        }
    }
}

/// In a few words: type and range.
impl fmt::Display for Takes {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Takes::Bool => f.write_str("true or false"),
            Takes::Folder { .. } => f.write_str("folder"),
            Takes::Word(_) | Takes::Pattern { .. } => {
                let names: Vec<_> = self.choices().into_iter().map(|choice| choice.name).collect();
                f.write_str(&either(&names))
            }
            Takes::Whole { least, most } if *most < MOST => write!(f, "whole number from {least} to {most}"),
            Takes::Whole { least, .. } => write!(f, "whole number of at least {least}"),
            Takes::Number(Interval::Positive) => f.write_str("number above 0"),
            Takes::Number(Interval::NotNegative) => f.write_str("number of at least 0"),
            Takes::Number(Interval::Fraction) => f.write_str("number of at least 0 and below 1"),
            Takes::NumberOrWidth => f.write_str("number of at least 0, or width"),
            Takes::Sizes => f.write_str("list of whole numbers"),
            Takes::Layers(_) => f.write_str("list of tables"),
        }
    }
}

impl Interval {
    fn problem(self, x: f64) -> Option<String> {
        let wrong = match self {
            _ if !x.is_finite() && self != Interval::Fraction => true,
            Interval::Positive => x <= 0.0,
            Interval::NotNegative => x < 0.0,
            Interval::Fraction => !(0.0..1.0).contains(&x),
        };
        let range = match self {
            Interval::Positive => "a finite number above 0",
            Interval::NotNegative => "a finite number of at least 0",
            Interval::Fraction => "at least 0 and below 1",
        };
        if wrong {
            return Some(format!("must be {range}, found {x}"));
        }
        let rounds_up = self == Interval::Fraction && x as f32 >= 1.0;
        rounds_up
            .then(|| format!("must be below 1 as a 32-bit float, found {x}"))
            .or_else(|| unlike_single(x))
    }
}

/// All arithmetic is in single precision: there, a number beyond its range would be infinite or 0.
fn unlike_single(x: f64) -> Option<String> {
    let single = x as f32;
    let lost = single.is_infinite() || (single == 0.0 && x != 0.0);
    lost.then(|| {
        format!("must be a number that 32-bit floats can hold, of size 1e-45 to 3.4e38, found {x:e}")
    })
}

fn as_number(value: &Value) -> Option<f64> {
    value.as_float().or_else(|| value.as_integer().map(|n| n as f64))
}

fn unusable_sizes(sizes: &[Value]) -> Option<String> {
    let units = |size: &Value| size.as_integer().and_then(|units| u64::try_from(units).ok());
    if sizes.is_empty() {
        return Some("must name at least one layer".into());
    }
    if sizes.len() as u64 > MOST_LAYERS {
        return Some(format!("must name at most {MOST_LAYERS} layers, found {}", sizes.len()));
    }
    let wrong = sizes.iter().find(|size| !units(size).is_some_and(|n| (1..=MOST_UNITS).contains(&n)))?;
    Some(format!("must have 1 to {MOST_UNITS} units in each layer, found {wrong}"))
}

/// The digits of a whole number that TOML has no integer for, and that is text therefore.
fn too_large(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            (digits && text.parse::<i64>().is_err()).then_some(text)
        }
        Value::Array(values) => values.iter().find_map(too_large),
        _ => None,
    }
}

/// `a, b or c`.
fn either(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [word] => word.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// A value as errors quote it.
pub(crate) fn describe(value: &Value) -> String {
    let text = match value {
        Value::String(text) => format!("string {text:?}"),
        Value::Array(_) => format!("list {value}"),
        Value::Table(_) => "a table".into(),
        Value::Datetime(_) => format!("date {value}"),
        number => number.to_string(),
    };
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
