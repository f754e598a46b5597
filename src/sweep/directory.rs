//! The sweep directory: its spec, its lock, its results.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::error::SweepError;
use super::spec::Spec;
use crate::config::Cell;
use crate::files::{FileError, Lock, create_folder, is_vacant, read_if_there, write_atomically};
use crate::run::RunError;

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
        let Some(earlier) = self.spec()? else {
            return match self.is_vacant()? {
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
        let refused = |error| RunError::of_directory(&self.path, error);
        create_folder(&self.path).map_err(refused)?;
        let _lock = self.lock().map_err(refused)?;
        let holds = self.check(spec, replace)?;
        let path = self.path.join(SPEC);
        let broken =
            |error: toml::ser::Error| RunError::Broken { path: path.clone(), reason: error.to_string() };
        let text = toml::to_string(&holds).map_err(broken)?;
        write_atomically(&path, text.as_bytes())?;
        Ok(holds)
    }

    /// Waits until no other process writes results. Held until dropped.
    pub(super) fn lock(&self) -> Result<Lock, FileError> {
        Lock::acquire(&self.path.join(LOCK))
    }

    /// The sweep that is there.
    pub fn spec(&self) -> Result<Option<Spec>, SweepError> {
        let path = self.path.join(SPEC);
        let bytes = match read_if_there(&path) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(None),
            // The directory would be below a file.
            Err(error) if error.source.kind() == ErrorKind::NotADirectory => {
                return Err(RunError::of_directory(&self.path, error).into());
            }
            Err(error) => return Err(error.into()),
        };
        let spec = String::from_utf8(bytes).map_err(|error| error.to_string());
        let spec = spec.and_then(|text| toml::from_str(&text).map_err(|error| error.message().to_owned()));
        spec.map(Some).map_err(|reason| RunError::Broken { path, reason }.into())
    }

    /// Whether there is nothing but logs and hidden files: a process that was killed at its first step leaves no
    /// more, and a shell or a scheduler may open its logs before.
    fn is_vacant(&self) -> Result<bool, SweepError> {
        match is_vacant(&self.path) {
            Err(error) if error.source.kind() == ErrorKind::NotADirectory => {
                Err(RunError::of_directory(&self.path, error).into())
            }
            found => Ok(found?),
        }
    }
}
