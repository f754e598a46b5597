//! What tells runs apart.

use serde::Deserialize;
use serde_json::Value;

use super::record::{Record, columns};
use crate::config::{LayerKind, layers_in_short};

/// The columns whose values differ between the records; one that only some of them know differs.
pub fn differing(records: &[Record]) -> Vec<String> {
    let Some((first, rest)) = records.split_first() else { return Vec::new() };
    let differs = |column: &String| rest.iter().any(|record| record.get(column) != first.get(column));
    columns(records).into_iter().filter(differs).collect()
}

/// A value in a few letters: lists of sizes as `500x500`, other lists with commas.
pub fn shown_value(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.replace(char::is_control, " "),
        Value::Array(items) if items.iter().any(Value::is_object) => {
            let layers = Vec::<LayerKind>::deserialize(value);
            layers.map_or_else(|_| value.to_string(), |layers| layers_in_short(&layers))
        }
        Value::Array(items) => {
            let separator = if items.iter().all(Value::is_number) { "x" } else { "," };
            items.iter().map(shown_value).collect::<Vec<_>>().join(separator)
        }
        Value::Number(number) => match number.as_f64() {
            Some(x) if number.is_f64() && x != 0.0 && !(1e-4..1e9).contains(&x.abs()) => format!("{x:e}"),
            Some(x) if number.is_f64() => x.to_string(),
            _ => number.to_string(),
        },
        other => other.to_string(),
    }
}
