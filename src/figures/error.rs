//! Why figures cannot be drawn.

use std::path::PathBuf;

/// Why figures could not be drawn.
#[derive(Debug, thiserror::Error)]
pub enum FigureError {
    /// Neither a run nor a sweep lies there.
    #[error("{}: no results of a {kind} here{}", path.display(), match *kind {
        "sweep" => " (results.csv); `ff sweep` with its experiment file writes them",
        _ => "",
    })]
    NoResults {
        /// The directory looked into.
        path: PathBuf,
        /// `run` or `sweep`.
        kind: &'static str,
    },
    /// A file of results could not be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file of results does not hold what it should.
    #[error("{}{}: {message}", path.display(), if *line > 0 { format!(":{line}") } else { String::new() })]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Line from 1; 0 where there are no lines.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// A knob that does not vary in a sweep.
    #[error("`{key}` does not vary in this sweep; its axes are {}", axes.join(", "))]
    NoAxis {
        /// The knob.
        key: String,
        /// Those that vary.
        axes: Vec<String>,
    },
    /// A setting that is none of a sweep's.
    #[error("`{asked}` is neither the name of a cell nor a value of a knob that varies in this sweep{hint}")]
    NoSetting {
        /// What was asked for.
        asked: String,
        /// What is near to it, or what there is.
        hint: String,
    },
    /// A value of several knobs.
    #[error("`{asked}` is a value of several knobs; write {}", settings.join(" or "))]
    ManySettings {
        /// What was asked for.
        asked: String,
        /// With the knobs before it.
        settings: Vec<String>,
    },
    /// The name of a figure does not say its format.
    #[error("{}: a figure must end in .png, .svg or .pdf", path.display())]
    UnknownFormat {
        /// The figure.
        path: PathBuf,
    },
    /// A figure could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The figure.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The drawing library failed.
    #[error("cannot draw: {0}")]
    Draw(String),
}
