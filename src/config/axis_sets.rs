//! `--set` on an experiment: a list or a range is an axis, and a value narrows the axis that is there.

use toml::Value;

use super::axes::SEARCH_KEYS;
use super::builder::parse_set;
use super::document::{Entry, Node};
use super::error::ConfigError;
use super::knobs::Knob;
use super::names;
use super::origin::Origin;
use super::takes::Takes;

/// Puts what concerns axes into the parts of an experiment; returns the other settings, which all cells share. Of two
/// with one key the later counts.
pub(crate) fn apply(sets: &[String], parts: &mut Vec<Entry>) -> Result<Vec<String>, ConfigError> {
    let mut shared: Vec<(&'static str, String)> = Vec::new();
    for text in sets {
        let origin = Origin::Set(text.clone());
        // What is wrong with it is told where all settings are read.
        let known =
            text.split_once('=').and_then(|(key, raw)| Some((names::find(key.trim()).ok()?, raw.trim())));
        let Some((knob, raw)) = known else {
            shared.push(("", text.clone()));
            continue;
        };
        if let Some(node) = axis_of(knob, raw, &origin) {
            shared.retain(|(earlier, _)| *earlier != knob.name);
            match find(parts, knob) {
                Some(entry) => entry.node = node,
                None => add(parts, Entry { key: knob.name.into(), origin, node }),
            }
        } else if let Some(entry) = find(parts, knob) {
            let value = parse_set(text)?.value;
            entry.node = Node::given(Value::Array(vec![value]), &origin);
        } else {
            shared.push((knob.name, text.clone()));
        }
    }
    Ok(shared.into_iter().map(|(_, text)| text).collect())
}

/// The values of an axis, if the text is a list or a range rather than one value of the knob.
fn axis_of(knob: &Knob, raw: &str, origin: &Origin) -> Option<Node> {
    let value = raw.parse::<Value>().ok().or_else(|| bare_words(raw))?;
    let is_axis = match (&value, &knob.takes) {
        (Value::Table(_), _) => true,
        // A list of sizes is one value, and so is one of layers.
        (Value::Array(items), Takes::Sizes | Takes::Layers(_)) => items.iter().any(Value::is_array),
        (Value::Array(_), _) => true,
        _ => false,
    };
    is_axis.then(|| Node::given(value, origin))
}

/// `[mnist, digits]`: a list whose words have no quotes.
fn bare_words(raw: &str) -> Option<Value> {
    let inside = raw.strip_prefix('[')?.strip_suffix(']')?;
    let word = |text: &str| text.parse().unwrap_or_else(|_| Value::String(text.into()));
    Some(Value::Array(inside.split(',').map(str::trim).filter(|text| !text.is_empty()).map(word).collect()))
}

/// The axis of a knob in `[sweep]` or `[search]`.
fn find<'a>(parts: &'a mut [Entry], knob: &Knob) -> Option<&'a mut Entry> {
    let names = |written: &str| names::find(written).is_ok_and(|found| found.name == knob.name);
    for part in parts.iter_mut().filter(|part| part.key == "sweep" || part.key == "search") {
        let is_search = part.key == "search";
        for entry in part.node.entries_mut().into_iter().flatten() {
            let own = is_search && SEARCH_KEYS.contains(&entry.key.as_str());
            if own || entry.key == "zip" {
                continue;
            }
            if !names::is_table(&entry.key) {
                if names(&entry.key) {
                    return Some(entry);
                }
                continue;
            }
            let table = entry.key.clone();
            let inside = entry.node.entries_mut().into_iter().flatten();
            if let Some(found) = inside.into_iter().find(|inner| names(&format!("{table}.{}", inner.key))) {
                return Some(found);
            }
        }
    }
    None
}

/// Adds an axis to `[sweep]`, which need not be there yet.
fn add(parts: &mut Vec<Entry>, axis: Entry) {
    if !parts.iter().any(|part| part.key == "sweep") {
        let (origin, empty) = (axis.origin.clone(), Value::Table(toml::Table::new()));
        parts.push(Entry { key: "sweep".into(), node: Node::given(empty, &origin), origin });
    }
    let sweep = parts.iter_mut().find(|part| part.key == "sweep");
    if let Some(entries) = sweep.and_then(|sweep| sweep.node.entries_mut()) {
        entries.push(axis);
    }
}
