//! Finding a knob by what was written, and its place in a table of TOML.

use toml::{Table, Value};

use super::knobs::{KNOBS, Knob};
use super::nearest::{did_you_mean, known_elsewhere};

/// Every dotted name that `--set` and axes understand.
pub fn all() -> impl Iterator<Item = &'static str> {
    KNOBS.iter().map(|knob| knob.name)
}

/// The knobs that a resolved configuration shows: all but the short forms.
pub(crate) fn resolved() -> impl Iterator<Item = &'static str> {
    KNOBS.iter().filter(|knob| !knob.is_short()).map(|knob| knob.name)
}

/// The names of the tables, in order.
pub(crate) fn tables() -> impl Iterator<Item = &'static str> {
    let tables: Vec<_> = all().filter_map(|knob| knob.split_once('.')).map(|(table, _)| table).collect();
    tables.chunk_by(|a, b| a == b).filter_map(|same| same.first().copied()).collect::<Vec<_>>().into_iter()
}

/// Whether a table of knobs has this name.
pub(crate) fn is_table(name: &str) -> bool {
    tables().any(|table| table == name)
}

/// The knob with this dotted name or last part, `-` and `_` being the same. Where several tables
/// have the part, `training` is meant.
pub fn find(written: &str) -> Result<&'static Knob, String> {
    let name = written.replace('-', "_");
    if let Some(knob) = KNOBS.iter().find(|knob| knob.name == name) {
        return Ok(knob);
    }
    let found: Vec<_> = KNOBS.iter().filter(|knob| last_part(knob.name) == name).collect();
    let in_training = found.iter().find(|knob| knob.name.starts_with("training."));
    match (found.as_slice(), in_training) {
        ([knob], _) | (_, Some(knob)) => Ok(knob),
        ([], _) if is_table(&name) => {
            let knobs: Vec<_> = all().filter(|knob| knob.starts_with(&format!("{name}."))).collect();
            Err(format!("`{written}` is a table, whose knobs are {}", knobs.join(", ")))
        }
        ([], _) => Err(format!("unknown knob `{written}`{}", nearest(&name))),
        (several, _) => {
            let names: Vec<_> = several.iter().map(|knob| knob.name).collect();
            Err(format!("`{written}` may be {}", names.join(" or ")))
        }
    }
}

fn nearest(name: &str) -> String {
    if let Some(ours) = known_elsewhere(last_part(name)) {
        return format!("; did you mean `{ours}`?");
    }
    let short = !name.contains('.');
    did_you_mean(name, all().map(|knob| if short { last_part(knob) } else { knob }))
}

/// `width` of `network.width`.
pub(crate) fn last_part(knob: &str) -> &str {
    knob.rsplit('.').next().unwrap_or(knob)
}

/// Gives a knob its value in a configuration.
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

/// Takes a knob out of a configuration.
pub(crate) fn remove(config: &mut Table, knob: &str) {
    match knob.split_once('.') {
        None => drop(config.remove(knob)),
        Some((table, key)) => {
            if let Some(table) = config.get_mut(table).and_then(Value::as_table_mut) {
                table.remove(key);
            }
        }
    }
}
