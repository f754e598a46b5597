//! The sweep directory: its spec, its lock, its results.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use super::error::SweepError;
use super::spec::Spec;
use crate::config::Cell;
use crate::run::write_atomically;

const SPEC: &str = "sweep.toml";
const LOCK: &str = ".lock";

/// The directory of a sweep, shared by all processes that work on it.
#[derive(Clone, Debug)]
pub struct SweepDirectory {
    path: PathBuf,
}

impl SweepDirectory {
    /// The directory at `path`, which need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        SweepDirectory { path: path.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The run directory of a cell.
    pub fn cell(&self, cell: &Cell) -> PathBuf {
        self.path.join(&cell.name)
    }

    /// Whether the directory may be used for a sweep, without touching it. The spec that holds is the one
    /// that is there already, if it is of the same sweep.
    pub fn check(&self, spec: &Spec, replace: bool) -> Result<Spec, SweepError> {
        if self.path.exists() && !self.path.is_dir() {
            let source = std::io::ErrorKind::NotADirectory.into();
            return Err(SweepError::NoDirectory { path: self.path.clone(), source });
        }
        let Some(earlier) = self.spec()? else {
            return match self.is_vacant() {
                true => Ok(spec.clone()),
                false => Err(SweepError::NotASweep { path: self.path.clone() }),
            };
        };
        match spec.change_from(&earlier) {
            None => Ok(earlier),
            Some(_) if replace => Ok(Spec { threads: earlier.threads, ..spec.clone() }),
            Some(change) => Err(SweepError::Changed { path: self.path.clone(), change }),
        }
    }

    /// Creates the directory, or takes part in the sweep that is there.
    pub fn adopt(&self, spec: &Spec, replace: bool) -> Result<Spec, SweepError> {
        self.check(spec, replace)?;
        let none = |source| SweepError::NoDirectory { path: self.path.clone(), source };
        std::fs::create_dir_all(&self.path).map_err(none)?;
        let _lock = self.lock().map_err(|error| match error {
            SweepError::Io { source, .. } => none(source),
            other => other,
        })?;
        let holds = self.check(spec, replace)?;
        let path = self.path.join(SPEC);
        let broken =
            |error: toml::ser::Error| SweepError::Broken { path: path.clone(), reason: error.to_string() };
        let text = toml::to_string(&holds).map_err(broken)?;
        write_atomically(&path, text.as_bytes()).map_err(|source| self.io(&path, source))?;
        Ok(holds)
    }

    /// Waits until no other process writes results. Held until dropped.
    pub(super) fn lock(&self) -> Result<File, SweepError> {
        let path = self.path.join(LOCK);
        let open = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        open.and_then(|file| file.lock().map(|()| file)).map_err(|source| self.io(&path, source))
    }

    fn spec(&self) -> Result<Option<Spec>, SweepError> {
        let path = self.path.join(SPEC);
        match std::fs::read_to_string(&path) {
            Ok(text) => toml::from_str(&text)
                .map(Some)
                .map_err(|error| SweepError::Broken { path, reason: error.message().to_owned() }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            // The directory would be below a file.
            Err(source) if source.kind() == std::io::ErrorKind::NotADirectory => {
                Err(SweepError::NoDirectory { path: self.path.clone(), source })
            }
            Err(source) => Err(self.io(&path, source)),
        }
    }

    fn is_vacant(&self) -> bool {
        let Ok(entries) = std::fs::read_dir(&self.path) else { return !self.path.exists() };
        // A process that was killed at its first step leaves no more than this.
        entries.flatten().all(|entry| entry.file_name().as_encoded_bytes().starts_with(b"."))
    }

    pub(super) fn io(&self, path: &Path, source: std::io::Error) -> SweepError {
        SweepError::Io { path: path.into(), source }
    }
}
