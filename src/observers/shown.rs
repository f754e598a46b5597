//! How progress is shown: as the terminal, the notebook or the log at the other end can take it.

use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};

use clap::ValueEnum;

/// How progress is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ProgressStyle {
    /// A bar on a terminal, one line that is rewritten in a notebook, lines elsewhere.
    #[default]
    Auto,
    /// A bar that moves below the lines of the epochs; without a terminal the lines alone.
    Bar,
    /// A line for each epoch.
    Plain,
    /// Nothing.
    None,
}

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// A bar that moves below lines that stay.
    Bar,
    /// Lines that stay.
    Lines,
    /// One line that is rewritten.
    OneLine,
    /// Nothing.
    Nothing,
}

impl ProgressStyle {
    /// What it comes to on this stderr and in this environment.
    pub fn shown(self) -> Shown {
        match self {
            ProgressStyle::None => Shown::Nothing,
            ProgressStyle::Plain => Shown::Lines,
            ProgressStyle::Bar if std::io::stderr().is_terminal() => Shown::Bar,
            // Where nothing can move, a bar would hide what is told above it, warnings too.
            ProgressStyle::Bar => Shown::Lines,
            // Jupyter tells its children whose they are; its output is a terminal that cannot move the cursor up.
            ProgressStyle::Auto if std::env::var_os("JPY_PARENT_PID").is_some() => Shown::OneLine,
            ProgressStyle::Auto if std::io::stderr().is_terminal() && moves_cursor() => Shown::Bar,
            ProgressStyle::Auto => Shown::Lines,
        }
    }
}

/// Whether the terminal says of itself that its cursor can be moved.
fn moves_cursor() -> bool {
    std::env::var("TERM").is_ok_and(|term| !term.is_empty() && term != "dumb")
}

/// Columns of the terminal at stderr; none where it is none.
pub fn width() -> Option<usize> {
    let size = std::io::stderr().is_terminal().then(|| terminal_size::terminal_size_of(std::io::stderr()));
    size.flatten().map(|(width, _)| usize::from(width.0))
}

/// The first of these texts that fits the terminal, else the last.
pub fn fitting(texts: impl IntoIterator<Item = String>) -> String {
    let width = width().unwrap_or(usize::MAX);
    let mut last = String::new();
    for text in texts {
        if text.chars().count() < width {
            return text;
        }
        last = text;
    }
    last
}

/// A line of stderr that each text overwrites.
#[derive(Debug, Default)]
pub struct RewrittenLine {
    /// Letters of the text that stands there.
    letters: Mutex<usize>,
}

impl RewrittenLine {
    /// Puts a text in the place of the one before.
    pub fn show(&self, text: &str) {
        let mut letters = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
        // A log that cannot be written is no reason to stop.
        let _ = write!(std::io::stderr(), "\r{text:width$}", width = *letters);
        let _ = std::io::stderr().flush();
        *letters = text.chars().count();
    }

    /// A line that stays, above the one that is rewritten from now on.
    pub fn keep(&self, text: &str) {
        self.show(text);
        self.end();
    }

    /// Leaves the text that stands there.
    pub fn end(&self) {
        let mut letters = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::take(&mut *letters) > 0 {
            let _ = writeln!(std::io::stderr());
        }
    }
}
