//! One run of an experiment.

use toml::Value;

use super::knobs::Config;
use super::layer_kinds::{LayerKind, layers_in_short};

/// One run of an experiment: the base with its own values of the varying knobs.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Its place in the experiment, from 0.
    pub index: usize,
    /// The knobs that vary between cells, as the file writes them, and their values here, whoever set them.
    pub varying: Vec<(String, Value)>,
    /// What the experiment file calls it, if it does.
    pub label: Option<String>,
    /// The checked configuration; its `log_dir` is the cell's own folder.
    pub config: Config,
    /// The name of the cell's folder: the values it sets itself and the start of [`Config::hash`].
    pub name: String,
}

impl Cell {
    /// The value of a varying knob in a few letters; nothing where the knob does not vary.
    pub fn value(&self, key: &str) -> String {
        let value = self.varying.iter().find(|(name, _)| name == key);
        value.map_or(String::new(), |(_, value)| short(value))
    }

    /// What the file calls it, or its varying knobs: `threshold=2 depth=3`.
    pub fn title(&self) -> String {
        self.label.clone().unwrap_or_else(|| tell(&self.varying, " "))
    }
}

/// The longest part of a folder's name that tells the values; the hash tells cells apart.
const LONGEST: usize = 120;

pub(crate) fn folder_name(varying: &[(String, Value)], config: &Config) -> String {
    let told = tell(varying, "_").replace(|c| !is_plain(c), "-");
    let told = if told.is_empty() { "run" } else { told.get(..LONGEST).unwrap_or(&told) };
    let hash = config.hash();
    format!("{told}-{}", hash.get(..8).unwrap_or(&hash))
}

/// `key=value` for every varying knob.
pub(crate) fn tell(varying: &[(String, Value)], separator: &str) -> String {
    let told = varying.iter().map(|(key, value)| format!("{key}={}", short(value)));
    told.collect::<Vec<_>>().join(separator)
}

/// Whether a file system and a shell take the character as it is.
fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._=+-".contains(c)
}

fn short(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Float(x) if *x != 0.0 && !(1e-4..1e9).contains(&x.abs()) => format!("{x:e}"),
        Value::Float(x) => x.to_string(),
        Value::Array(items) if items.iter().any(Value::is_table) => {
            let layers = LayerKind::parse_list(value);
            layers.map_or_else(|_| value.to_string(), |layers| layers_in_short(&layers))
        }
        Value::Array(items) => items.iter().map(short).collect::<Vec<_>>().join("x"),
        other => other.to_string(),
    }
}
