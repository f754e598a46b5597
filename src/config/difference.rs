//! What differs between two configurations.

use super::schema::Config;

/// Knobs that may change when a run is resumed: its length, and where and how it is run and logged.
const FREE: [&str; 9] = [
    "recipe",
    "training.num_epochs",
    "evaluation.batch_size",
    "data.data_dir",
    "backend.name",
    "backend.threads",
    "backend.precision",
    "logging",
    "training.exact_shortcuts",
];

/// The first knob, by its dotted name, that makes `a` another run than `b`.
pub fn first_difference(a: &Config, b: &Config) -> Option<String> {
    let (a, b) = (a.to_table(), b.to_table());
    for (table, values) in &a {
        let Some(values) = values.as_table() else { continue };
        for (key, value) in values {
            let knob = format!("{table}.{key}");
            let free = FREE.contains(&knob.as_str()) || FREE.contains(&table.as_str());
            let other = b.get(table).and_then(|values| values.get(key));
            if !free && other != Some(value) {
                return Some(knob);
            }
        }
    }
    None
}
