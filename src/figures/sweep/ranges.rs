//! The scales of the ranges that an experiment names.

use serde::Deserialize;
use toml::{Table, Value};

/// What a sweep was planned from, as far as figures need it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Source {
    /// The text of the experiment file.
    text: String,
    /// What was set over it: `key=value`.
    set: Vec<String>,
}

/// Keys with a range of values, and whether its scale is logarithmic; of a key that is there twice the last one counts.
#[derive(Clone, Debug, Default)]
pub struct Ranges(Vec<(String, bool)>);

impl Ranges {
    /// The ranges of `[sweep]`, `[search]` and `--set`. What cannot be read has none.
    pub fn of(source: &Source) -> Self {
        let mut ranges = Self::default();
        let file: Table = toml::from_str(&source.text).unwrap_or_default();
        for part in ["sweep", "search"] {
            ranges.collect("", file.get(part));
        }
        for set in &source.set {
            let Some((key, value)) = set.split_once('=') else { continue };
            let parsed: Option<Table> = toml::from_str(&format!("value = {value}")).ok();
            ranges.0.retain(|(known, _)| !same(known, key.trim()));
            ranges.collect(key.trim(), parsed.as_ref().and_then(|table| table.get("value")));
        }
        ranges
    }

    fn collect(&mut self, key: &str, value: Option<&Value>) {
        let Some(table) = value.and_then(Value::as_table) else { return };
        if table.contains_key("from") && table.contains_key("to") {
            let log = table.get("scale").and_then(Value::as_str) == Some("log");
            return self.0.push((key.to_owned(), log));
        }
        for (name, value) in table {
            let below = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
            self.collect(&below, Some(value));
        }
    }

    /// Whether the range of a key has a log scale; `None` without a range.
    pub fn is_log(&self, key: &str) -> Option<bool> {
        self.0.iter().rev().find(|(known, _)| same(known, key)).map(|(_, log)| *log)
    }
}

/// Whether two names are of one knob, written whole or by its last part, `-` and `_` being the same.
fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.replace('-', "_"), b.replace('-', "_"));
    let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    a == b || (!(a.contains('.') && b.contains('.')) && last(&a) == last(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_are_those_of_the_file_and_of_what_was_set() {
        let text = "[sweep]\nthreshold = [1, 2]\nbatch-size = { from = 1, to = 9, steps = 3 }\n[sweep.training]\n\
                    alpha = { from = 1, to = 9, scale = 'log' }\n[search]\ncells = 3\n\
                    'training.learning_rate' = { from = 1e-4, to = 1e-2, scale = 'log' }\n";
        let of = |set: &[&str]| {
            let set = set.iter().map(|&set| set.to_owned()).collect();
            Ranges::of(&Source { text: text.to_owned(), set })
        };
        let ranges = of(&["dropout={ from = 0.1, to = 0.5, scale = 'log' }"]);
        assert_eq!(ranges.is_log("threshold"), None);
        assert_eq!(ranges.is_log("training.batch_size"), Some(false));
        assert_eq!(ranges.is_log("alpha"), Some(true));
        assert_eq!(ranges.is_log("learning_rate"), Some(true));
        assert_eq!(ranges.is_log("head.learning_rate"), None);
        assert_eq!(ranges.is_log("training.dropout"), Some(true));
        assert_eq!(of(&["learning_rate=[0.1, 0.2]"]).is_log("training.learning_rate"), None);
        assert!(Ranges::of(&Source { text: "[".into(), set: vec!["x".into()] }).0.is_empty());
    }
}
