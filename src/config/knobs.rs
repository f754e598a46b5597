//! The names of the knobs and the kind of value each takes, both read off the schema.

use std::sync::LazyLock;

use serde::Deserialize;
use toml::{Table, Value};

use super::nearest::did_you_mean;
use super::schema::Config;

/// The most layers a network may have.
const MOST_LAYERS: i64 = 1000;

/// All knobs with their built-in values.
pub(crate) static KNOBS: LazyLock<Knobs> = LazyLock::new(|| {
    let defaults = Config::default().to_table();
    let mut names = vec![RECIPE.to_string()];
    for (table, values) in &defaults {
        let keys = values.as_table().into_iter().flat_map(Table::keys);
        names.extend(keys.map(|key| format!("{table}.{key}")));
    }
    names.extend([DEPTH.into(), WIDTH.into()]);
    Knobs { defaults, names }
});

/// The knob that names the preset underneath.
pub(crate) const RECIPE: &str = "recipe";
/// The knob that says where a run is written.
pub(crate) const LOG_DIR: &str = "logging.log_dir";
/// The knob that `DEPTH` and `WIDTH` are short for.
pub(crate) const LAYER_SIZES: &str = "network.layer_sizes";
/// Short for layers of equal width: how many.
pub(crate) const DEPTH: &str = "network.depth";
/// Short for layers of equal width: how wide.
pub(crate) const WIDTH: &str = "network.width";

pub(crate) struct Knobs {
    /// The built-in configuration as TOML.
    pub(crate) defaults: Table,
    names: Vec<String>,
}

/// Every dotted name that `--set` and axes understand.
pub fn names() -> impl Iterator<Item = &'static str> {
    KNOBS.names.iter().map(String::as_str)
}

/// The knobs that a resolved configuration shows: all but the short forms.
pub(crate) fn resolved_names() -> impl Iterator<Item = &'static str> {
    names().filter(|&name| name != DEPTH && name != WIDTH)
}

/// The knob with this dotted name or last part, `-` and `_` being the same. Where several tables
/// have the part, `training` is meant.
pub(crate) fn find(written: &str) -> Result<&'static str, String> {
    let name = written.replace('-', "_");
    if let Some(knob) = names().find(|&knob| knob == name) {
        return Ok(knob);
    }
    let found: Vec<_> = names().filter(|&knob| last_part(knob) == name).collect();
    let in_training = found.iter().find(|knob| knob.starts_with("training."));
    match (found.as_slice(), in_training) {
        ([knob], _) | (_, Some(knob)) => Ok(knob),
        ([], _) => Err(format!("unknown knob `{written}`{}", nearest(&name))),
        (several, _) => Err(format!("`{written}` may be {}", several.join(" or "))),
    }
}

fn nearest(name: &str) -> String {
    let short = !name.contains('.');
    did_you_mean(name, names().map(|knob| if short { last_part(knob) } else { knob }))
}

/// `width` of `network.width`.
pub(crate) fn last_part(knob: &str) -> &str {
    knob.rsplit('.').next().unwrap_or(knob)
}

/// Whether the knob takes whole numbers only.
pub(crate) fn is_integer(knob: &str) -> bool {
    knob == DEPTH || knob == WIDTH || matches!(default_of(knob), Some(Value::Integer(_)))
}

/// Whether the knob takes any number.
pub(crate) fn is_number(knob: &str) -> bool {
    is_integer(knob) || matches!(default_of(knob), Some(Value::Float(_)))
}

/// Whether the knob takes whole numbers, one or a list of them.
fn is_count(knob: &str) -> bool {
    is_integer(knob) || knob == LAYER_SIZES
}

/// The digits of a whole number that TOML has no integer for, and that is text therefore.
fn beyond(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            (digits && text.parse::<i64>().is_err()).then_some(text)
        }
        Value::Array(values) => values.iter().find_map(beyond),
        _ => None,
    }
}

fn default_of(knob: &str) -> Option<&'static Value> {
    match knob.split_once('.') {
        Some((table, key)) => KNOBS.defaults.get(table)?.get(key),
        None => KNOBS.defaults.get(knob),
    }
}

/// Whether the knob takes such a value; if not, the end of a sentence that starts with the knob.
pub(crate) fn check_type(knob: &str, value: &Value) -> Result<(), String> {
    match expectation(knob, value) {
        None => Ok(()),
        Some(expected) => match beyond(value).filter(|_| is_count(knob)) {
            Some(digits) => Err(format!("must be at most {}, found {digits}", i64::MAX)),
            None => Err(format!("must be {expected}, found {}", describe(value))),
        },
    }
}

/// What the knob takes, if it is not this.
fn expectation(knob: &str, value: &Value) -> Option<String> {
    if knob == DEPTH || knob == WIDTH {
        let most = if knob == DEPTH { MOST_LAYERS } else { i64::MAX };
        let fits = value.as_integer().is_some_and(|n| (1..=most).contains(&n));
        return match (fits, knob == DEPTH) {
            (true, _) => None,
            (false, true) => Some(format!("a whole number from 1 to {MOST_LAYERS}")),
            (false, false) => Some("a whole number of at least 1".into()),
        };
    }
    let refusal = refusal(knob, value)?;
    let default = default_of(knob)?;
    if default.is_array() {
        return Some("a list of whole numbers".into());
    }
    // An enum tells its choices only to a string.
    let refusal = match value {
        _ if !default.is_str() => refusal,
        Value::String(_) => refusal,
        _ => super::knobs::refusal(knob, &Value::String(String::new()))
            .unwrap_or_else(|| ", expected a string".into()),
    };
    let expected = refusal.rsplit_once(", expected ").map_or("", |(_, text)| text);
    Some(match expected {
        "f64" => "a number".into(),
        "usize" | "u64" => "a whole number of at least 0".into(),
        "a boolean" => "true or false".into(),
        choices => choices.replace('`', "\""),
    })
}

/// What the schema says against the value.
fn refusal(knob: &str, value: &Value) -> Option<String> {
    let mut table = KNOBS.defaults.clone();
    put(&mut table, knob, value.clone());
    let refusal = Config::deserialize(Value::Table(table)).err()?;
    Some(refusal.message().to_string())
}

/// Gives a knob of the schema its value.
pub(crate) fn put(config: &mut Table, knob: &str, value: Value) {
    match knob.split_once('.') {
        None => drop(config.insert(knob.into(), value)),
        Some((table, key)) => {
            if let Some(table) = config.get_mut(table).and_then(Value::as_table_mut) {
                table.insert(key.into(), value);
            }
        }
    }
}

/// The value that a knob has in a configuration; widths that differ are a list.
pub(crate) fn value_in(config: &Table, knob: &str) -> Option<Value> {
    let get = |knob: &str| match knob.split_once('.') {
        Some((table, key)) => config.get(table)?.get(key),
        None => config.get(knob),
    };
    if knob != DEPTH && knob != WIDTH {
        return get(knob).cloned();
    }
    let sizes = get(LAYER_SIZES)?.as_array()?;
    if knob == DEPTH {
        return i64::try_from(sizes.len()).ok().map(Value::Integer);
    }
    let first = sizes.first()?;
    let equal = sizes.iter().all(|size| size == first);
    Some(if equal { first.clone() } else { Value::Array(sizes.clone()) })
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
