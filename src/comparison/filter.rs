//! `accuracy>0.98`: which runs to show.

use std::cmp::Ordering;

use serde_json::Value;

use super::difference::shown_value;
use super::record::{Record, column};

/// Why a filter cannot be understood.
#[derive(Debug, thiserror::Error)]
pub enum FilterError {
    /// There is no comparison in it.
    #[error(
        "`{0}` is no condition; write KEY and a value between them =, !=, <, <=, >, >= or ~ (contains), such as accuracy>0.98"
    )]
    NoComparison(String),
    /// The key is no column.
    #[error("{0}")]
    UnknownKey(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Equal,
    Different,
    Below,
    AtMost,
    Above,
    AtLeast,
    Contains,
}

/// Longer ones first: `>=` begins as `>` does.
const COMPARISONS: [(&str, Comparison); 8] = [
    ("!=", Comparison::Different),
    ("==", Comparison::Equal),
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("<", Comparison::Below),
    (">", Comparison::Above),
    ("=", Comparison::Equal),
    ("~", Comparison::Contains),
];

/// What joins conditions.
const JOINTS: [&str; 4] = [" and ", " AND ", "&&", ","];

/// A column compared with a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    column: String,
    comparison: Comparison,
    value: String,
}

impl Condition {
    /// The conditions of a filter; several are joined by `and`, `&&` or commas, and all must hold. A value in quotes may
    /// hold such words too.
    pub fn parse(text: &str, columns: &[String]) -> Result<Vec<Condition>, FilterError> {
        apart(text).into_iter().map(|part| Self::parse_one(part.trim(), columns)).collect()
    }

    fn parse_one(text: &str, columns: &[String]) -> Result<Condition, FilterError> {
        let places = COMPARISONS.iter().enumerate();
        let found = places.filter_map(|(order, (sign, comparison))| {
            text.find(sign).map(|at| (at, order, *sign, *comparison))
        });
        let first = found.min_by_key(|(at, order, ..)| (*at, *order));
        let (Some((at, _, sign, comparison)), false) = (first, text.is_empty()) else {
            return Err(FilterError::NoComparison(text.into()));
        };
        let (key, value) = (text.get(..at).unwrap_or_default(), text.get(at + sign.len()..));
        let value = value.unwrap_or_default().trim().trim_matches(['"', '\'']);
        if key.trim().is_empty() || value.is_empty() {
            return Err(FilterError::NoComparison(text.into()));
        }
        let column = column(columns, key.trim()).map_err(FilterError::UnknownKey)?;
        Ok(Condition { column: column.to_owned(), comparison, value: value.to_owned() })
    }

    /// Whether a run meets it. A run that does not know the value does not.
    pub fn holds(&self, record: &Record) -> bool {
        let Some(own) = record.get(&self.column) else { return false };
        if self.comparison == Comparison::Contains {
            return match own {
                Value::Array(items) => items.iter().any(|item| shown_value(item) == self.value),
                own => shown_value(own).contains(&self.value),
            };
        }
        let ordering = match (own.as_f64(), self.value.parse::<f64>()) {
            (Some(own), Ok(value)) => own.partial_cmp(&value),
            _ => Some(shown_value(own).cmp(&self.value)),
        };
        match (self.comparison, ordering) {
            (Comparison::Equal, ordering) => ordering == Some(Ordering::Equal),
            (Comparison::Different, ordering) => ordering != Some(Ordering::Equal),
            (Comparison::Below, ordering) => ordering == Some(Ordering::Less),
            (Comparison::Above, ordering) => ordering == Some(Ordering::Greater),
            (Comparison::AtMost, ordering) => matches!(ordering, Some(Ordering::Less | Ordering::Equal)),
            (Comparison::AtLeast, ordering) => matches!(ordering, Some(Ordering::Greater | Ordering::Equal)),
            (Comparison::Contains, _) => false,
        }
    }
}

/// What lies between the words that join conditions, and outside of quoted values.
fn apart(text: &str) -> Vec<&str> {
    let (mut parts, mut begin, mut quote, mut joined) = (Vec::new(), 0, None, 0);
    for (at, c) in text.char_indices() {
        if at < joined {
            continue;
        }
        let joint = JOINTS.into_iter().find(|joint| quote.is_none() && text[at..].starts_with(joint));
        if let Some(joint) = joint {
            parts.push(&text[begin..at]);
            joined = at + joint.len();
            begin = joined;
            continue;
        }
        // A quote begins a value, or is a letter of one.
        let begins = text[begin..at].trim_end().ends_with(['=', '<', '>', '~']);
        match quote {
            Some(open) if open == c => quote = None,
            None if begins && "'\"".contains(c) => quote = Some(c),
            _ => {}
        }
    }
    parts.push(&text[begin..]);
    parts
}
