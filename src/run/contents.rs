//! What a directory holds, and what may be done with it: decided in one place, from one look.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::RunError;
use super::names::{
    BEST, CHECKPOINTS, CONFIG, EVALUATION, EVENTS, FIGURES, LAST, METRICS, PREVIOUS, SUMMARY,
};
use super::reading::{read_metrics, read_summary};
use crate::files::{FileError, Logs, is_there, read_if_there};

/// What makes a directory that of a sweep.
const SWEEP: &str = "sweep.toml";

/// What to do with a directory that already holds a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// Refuse.
    New,
    /// Go on with it; begin where there is nothing yet to go on from.
    Resume,
    /// Remove the files of the earlier run.
    Force,
}

/// How a run begins in its directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beginning {
    /// There is nothing of a run.
    New,
    /// There is a run to be removed: `--force`, or one that ended before its first epoch was finished.
    Over,
    /// There are epochs to go on from.
    Resume,
}

/// What a directory holds, from one listing of it. A listing that fails is an error, never an empty directory.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// Training checkpoints, the last or the one before.
    training: bool,
    /// The best checkpoint.
    best: bool,
    config: bool,
    metrics: bool,
    summary: bool,
    /// Other files that runs write: evaluation.json, event files.
    other: bool,
    sweep: bool,
    /// Files and folders that no run writes; logs and hidden files do not count.
    foreign: bool,
}

impl Contents {
    /// Looks at `path`, which need not exist.
    pub(super) fn of(path: &Path) -> Result<Contents, RunError> {
        let mut contents = Contents::default();
        let entries = match fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(contents),
            Err(error) if error.kind() == ErrorKind::NotADirectory => {
                let source = ErrorKind::NotADirectory.into();
                return Err(RunError::NoDirectory { path: path.into(), source });
            }
            Err(error) => return Err(FileError::new(path, error).into()),
        };
        let logs = Logs::new();
        for entry in entries {
            let entry = entry.map_err(FileError::on(path))?;
            let name = entry.file_name();
            match name.to_str() {
                Some(CONFIG) => contents.config = true,
                Some(METRICS) => contents.metrics = true,
                Some(SUMMARY) => contents.summary = true,
                Some(SWEEP) => contents.sweep = true,
                Some(EVALUATION) => contents.other = true,
                Some(CHECKPOINTS) => {
                    contents.training = is_there(&path.join(LAST))? || is_there(&path.join(PREVIOUS))?;
                    contents.best = is_there(&path.join(BEST))?;
                }
                // Drawn again from what is saved: no sign of a run by itself.
                Some(FIGURES) => {}
                Some(name) if name.starts_with(EVENTS) => contents.other = true,
                _ => contents.foreign |= !logs.contain(&entry)?,
            }
        }
        Ok(contents)
    }

    /// Whether there is any sign of a run.
    pub(super) fn holds_run(&self) -> bool {
        self.training || self.best || self.config || self.metrics || self.summary || self.other
    }

    /// Whether there are epochs to go on from.
    pub(super) fn has_epochs(&self) -> bool {
        self.training
    }

    /// What may be done with the directory at `path` that holds this.
    pub(super) fn decide(&self, path: &Path, ownership: Ownership) -> Result<Beginning, RunError> {
        let not_a_run = || RunError::NotARun { path: path.into() };
        if self.sweep {
            return Err(not_a_run());
        }
        if !self.holds_run() {
            return if self.foreign { Err(not_a_run()) } else { Ok(Beginning::New) };
        }
        match ownership {
            Ownership::New => Err(RunError::Taken { path: path.into() }),
            Ownership::Force if self.is_certainly_a_run(path)? => Ok(Beginning::Over),
            Ownership::Force => Err(not_a_run()),
            Ownership::Resume if self.training => Ok(Beginning::Resume),
            Ownership::Resume => match self.finished(path)? {
                Some(epochs) => Err(RunError::CheckpointLost { path: path.into(), epochs }),
                None => Ok(Beginning::Over),
            },
        }
    }

    /// Whether the files are a run's, not only named like one's.
    fn is_certainly_a_run(&self, path: &Path) -> Result<bool, RunError> {
        if self.training || self.best || self.metrics {
            return Ok(true);
        }
        if self.summary && matches!(read_summary(path), Ok(Some(_))) {
            return Ok(true);
        }
        let config = read_if_there(&path.join(CONFIG))?.unwrap_or_default();
        let config = str::from_utf8(&config).ok().and_then(|text| text.parse::<toml::Table>().ok());
        Ok(config.is_some_and(|config| config.contains_key("run") && config.contains_key("training")))
    }

    /// What tells of finished epochs, where there is no checkpoint of them. A run that is stopped in its first epoch
    /// leaves the metrics of one at most, and no summary of it.
    fn finished(&self, path: &Path) -> Result<Option<String>, RunError> {
        let epochs = read_metrics(path)?.len();
        if epochs > 1 {
            return Ok(Some(format!("metrics of {epochs} epochs")));
        }
        let Some(summary) = read_summary(path)? else { return Ok(None) };
        let told = summary.epochs;
        // Earlier versions counted an epoch that could not be saved.
        let finished = told > 1 || told == 1 && summary.error.is_none();
        Ok(finished.then(|| format!("the summary of {told} epochs")))
    }
}
