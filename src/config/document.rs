//! A TOML file as a tree in which every key and value knows where it stands.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use toml::de::{DeTable, DeValue, ValueDeserializer};
use toml::{Spanned, Value};

use super::error::ConfigError;
use super::origin::{Origin, Source, Span};
use crate::files::reading;

/// A value and who gave it.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) origin: Origin,
    pub(crate) content: Content,
}

#[derive(Clone)]
pub(crate) enum Content {
    Table(Vec<Entry>),
    List(Vec<Node>),
    Scalar(Value),
}

/// One key of a table.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) key: String,
    /// Where the key stands.
    pub(crate) origin: Origin,
    pub(crate) node: Node,
}

/// More than any list of values that someone means.
const MOST_BYTES: u64 = 10 << 20;

/// Reads a file that `origin` asked for.
pub(crate) fn read(path: &Path, origin: &Origin) -> Result<Vec<Entry>, ConfigError> {
    let name = path.display().to_string();
    match reading::read_text(path, MOST_BYTES) {
        Ok(text) => parse(name, text),
        Err(error) => Err(ConfigError::new(origin, format!("cannot read {name}: {error}"))),
    }
}

/// The top level of a TOML text.
pub(crate) fn parse(name: String, text: String) -> Result<Vec<Entry>, ConfigError> {
    let source = Arc::new(Source { name, text });
    let fail = |error: toml::de::Error| {
        let at = Span::new(&source, error.span().unwrap_or_default());
        ConfigError::new(at, error.message())
    };
    let root = DeTable::parse(&source.text).map_err(fail)?;
    table(&source, root.into_inner()).map_err(fail)
}

fn table(source: &Arc<Source>, table: DeTable) -> Result<Vec<Entry>, toml::de::Error> {
    let entry = |(key, value): (Spanned<_>, _)| {
        Ok(Entry {
            origin: Span::new(source, key.span()).into(),
            key: String::from(key.into_inner()),
            node: node(source, value)?,
        })
    };
    table.into_iter().map(entry).collect()
}

fn node(source: &Arc<Source>, value: Spanned<DeValue>) -> Result<Node, toml::de::Error> {
    let span: Range<usize> = value.span();
    let content = match value.into_inner() {
        DeValue::Table(entries) => Content::Table(table(source, entries)?),
        DeValue::Array(items) => {
            let nodes = items.into_iter().map(|item| node(source, item));
            Content::List(nodes.collect::<Result<_, _>>()?)
        }
        scalar => {
            let scalar = ValueDeserializer::from(Spanned::new(span.clone(), scalar));
            Content::Scalar(Value::deserialize(scalar)?)
        }
    };
    let origin = Span::new(source, span).into();
    Ok(Node { origin, content })
}

impl Node {
    /// A value that stands in no file.
    pub(crate) fn given(value: Value, origin: &Origin) -> Node {
        let content = match value {
            Value::Array(items) => {
                Content::List(items.into_iter().map(|item| Node::given(item, origin)).collect())
            }
            Value::Table(table) => {
                let entry =
                    |(key, value)| Entry { key, origin: origin.clone(), node: Node::given(value, origin) };
                Content::Table(table.into_iter().map(entry).collect())
            }
            scalar => Content::Scalar(scalar),
        };
        Node { origin: origin.clone(), content }
    }

    /// The value without its places.
    pub(crate) fn value(&self) -> Value {
        match &self.content {
            Content::Scalar(value) => value.clone(),
            Content::List(items) => Value::Array(items.iter().map(Node::value).collect()),
            Content::Table(entries) => {
                let values = entries.iter().map(|e| (e.key.clone(), e.node.value()));
                Value::Table(values.collect())
            }
        }
    }

    /// The keys of a table.
    pub(crate) fn entries(&self) -> Option<&[Entry]> {
        match &self.content {
            Content::Table(entries) => Some(entries),
            _ => None,
        }
    }

    /// The same, to be changed.
    pub(crate) fn entries_mut(&mut self) -> Option<&mut Vec<Entry>> {
        match &mut self.content {
            Content::Table(entries) => Some(entries),
            _ => None,
        }
    }

    /// The value of a table's key.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        let mut entries = self.entries()?.iter();
        entries.find(|entry| entry.key == key).map(|entry| &entry.node)
    }

    /// The items of a list.
    pub(crate) fn items(&self) -> Option<&[Node]> {
        match &self.content {
            Content::List(items) => Some(items),
            _ => None,
        }
    }

    /// An error about this value.
    pub(crate) fn error(&self, message: impl AsRef<str>) -> ConfigError {
        ConfigError::new(self.origin.clone(), message)
    }
}

impl Entry {
    /// An error about this key.
    pub(crate) fn error(&self, message: impl AsRef<str>) -> ConfigError {
        ConfigError::new(self.origin.clone(), message)
    }
}
