//! Where a value came from, so that every error can name it.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// Who gave a knob its value.
#[derive(Clone, Debug, PartialEq)]
pub enum Origin {
    /// Nobody: the built-in default.
    Default,
    /// A file, or a recipe.
    File(Span),
    /// `--set`, with its `key=value`.
    Set(String),
    /// A flag of the command line by its name, such as `--learning-rate`.
    Flag(String),
}

impl Origin {
    /// The lines of a file that show the span, each after a line break; nothing elsewhere.
    pub fn frame(&self) -> String {
        match self {
            Origin::File(span) => span.frame(),
            _ => String::new(),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("built-in default"),
            Origin::File(span) => span.fmt(f),
            Origin::Set(text) => write!(f, "--set {}", one_line(text)),
            Origin::Flag(name) => f.write_str(&one_line(name)),
        }
    }
}

/// A stretch of a configuration file.
#[derive(Clone)]
pub struct Span {
    source: Arc<Source>,
    range: Range<usize>,
}

/// A configuration file: what errors call it, and its text.
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) text: String,
}

impl Span {
    pub(crate) fn new(source: &Arc<Source>, range: Range<usize>) -> Self {
        let source = Arc::clone(source);
        Span { source, range }
    }

    /// Line and column, both from 1; columns count characters.
    fn position(&self) -> (usize, usize) {
        let before = self.source.text.get(..self.range.start);
        let before = before.unwrap_or(&self.source.text);
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
        (line, column)
    }

    /// The line with carets under what is meant.
    fn frame(&self) -> String {
        let (number, column) = self.position();
        let text = self.source.text.lines().nth(number - 1).unwrap_or("");
        let meant = self.source.text.get(self.range.clone()).unwrap_or("");
        let meant = meant.lines().next().unwrap_or("").chars().count().max(1);
        let gutter = " ".repeat(number.to_string().len());
        let indent = " ".repeat(column - 1);
        let carets = "^".repeat(meant);
        let text = one_line(text);
        format!("\n{gutter} |\n{number} | {text}\n{gutter} | {indent}{carets}")
    }
}

impl PartialEq for Span {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.source, &other.source) && self.range == other.range
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let (line, column) = self.position();
        write!(f, "{}:{line}:{column}", one_line(&self.source.name))
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Text that cannot break out of its line or drive the terminal.
pub(crate) fn one_line(text: &str) -> String {
    text.replace(|c: char| c.is_control(), " ")
}
