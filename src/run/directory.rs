//! The run directory: whose it is, and writes that survive a crash.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{EpochRecord, EvaluationRecord, Summary};
use crate::checkpoint::{nameless, sync_folder};
use crate::config::Config;
use crate::files::temporary;

/// Why a run directory could not be used.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The file system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// There can be no such directory.
    #[error("--log-dir {}: {source}", path.display())]
    NoDirectory {
        /// The directory.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file of the run cannot be read.
    #[error("{}: {reason}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Another run lives here.
    #[error(
        "--log-dir {}: belongs to another run; --resume goes on with it, --force replaces it, \
         another --log-dir leaves it alone",
        path.display()
    )]
    Taken {
        /// The directory.
        path: PathBuf,
    },
    /// Something that is no run lives here.
    #[error("--log-dir {}: is not empty and holds no run; choose another directory", path.display())]
    NotARun {
        /// The directory.
        path: PathBuf,
    },
    /// There is nothing to resume.
    #[error("--resume: {} holds no checkpoint to go on from", path.display())]
    NothingToResume {
        /// The directory.
        path: PathBuf,
    },
    /// The checkpoints of a run are gone, its epochs are not.
    #[error(
        "--resume: {} holds metrics of {epochs} epochs, but no checkpoint to go on from; --force starts again",
        path.display()
    )]
    CheckpointLost {
        /// The directory.
        path: PathBuf,
        /// Epochs with metrics.
        epochs: usize,
    },
    /// Another process is training here.
    #[error("--log-dir {}: another process is training in it", path.display())]
    Busy {
        /// The directory.
        path: PathBuf,
    },
}

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

/// A run directory, locked for this process.
#[derive(Debug)]
pub struct RunDirectory {
    path: PathBuf,
    /// Held until the run ends, however it ends.
    _lock: File,
}

const CONFIG: &str = "config.toml";
const METRICS: &str = "metrics.jsonl";
const SUMMARY: &str = "summary.json";
const EVALUATION: &str = "evaluation.json";
const LAST: &str = "checkpoints/last.safetensors";
const LOCK: &str = ".lock";

impl RunDirectory {
    /// Whether `path` may be used, without touching it.
    pub fn check(path: &Path, ownership: Ownership) -> Result<(), RunError> {
        if path.exists() && !path.is_dir() {
            let source = std::io::ErrorKind::NotADirectory.into();
            return Err(RunError::NoDirectory { path: path.into(), source });
        }
        let holds_run = path.join(CONFIG).exists();
        if ownership == Ownership::Resume && path.join(LAST).exists() {
            return Ok(());
        }
        if ownership == Ownership::New && holds_run {
            return Err(RunError::Taken { path: path.into() });
        }
        if !holds_run && holds_anything(path) {
            return Err(RunError::NotARun { path: path.into() });
        }
        if ownership == Ownership::Resume && holds_run {
            // A run that is stopped in its first epoch leaves the metrics of one at most.
            let epochs = Self::read_metrics(path)?.len();
            if epochs > 1 {
                return Err(RunError::CheckpointLost { path: path.into(), epochs });
            }
        }
        Ok(())
    }

    /// Creates or takes over the directory and locks it.
    pub fn open(path: &Path, ownership: Ownership) -> Result<RunDirectory, RunError> {
        Self::check(path, ownership)?;
        let directory = Self::claim(path)?;
        let begins = ownership == Ownership::Resume && !directory.last_checkpoint().exists();
        if ownership == Ownership::Force || begins {
            directory.clear()?;
        }
        Ok(directory)
    }

    /// Creates the directory and locks it, whatever it holds.
    pub fn claim(path: &Path) -> Result<RunDirectory, RunError> {
        let none = |source| RunError::NoDirectory { path: path.into(), source };
        std::fs::create_dir_all(path).map_err(none)?;
        let lock_path = path.join(LOCK);
        let lock =
            OpenOptions::new().create(true).truncate(false).write(true).open(&lock_path).map_err(none)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(RunError::Busy { path: path.into() }),
            Err(TryLockError::Error(source)) => return Err(RunError::Io { path: lock_path, source }),
        }
        let directory = RunDirectory { path: path.into(), _lock: lock };
        directory.remove_leftovers();
        Ok(directory)
    }

    /// Whether some process holds the directory at `path`.
    pub fn is_busy(path: &Path) -> bool {
        let lock = File::open(path.join(LOCK));
        lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// Whether the directory at `path` holds epochs of a run, or some process is about to write them.
    pub fn is_begun(path: &Path) -> bool {
        path.join(LAST).exists() || Self::is_busy(path)
    }

    /// Whether there is a run to go on with.
    pub fn is_resumable(&self) -> bool {
        self.last_checkpoint().exists() && self.path.join(CONFIG).exists()
    }

    /// Removes what a run writes, and nothing else.
    pub fn clear(&self) -> Result<(), RunError> {
        self.remove_run().map_err(|source| RunError::Io { path: self.path.clone(), source })
    }

    fn remove_run(&self) -> std::io::Result<()> {
        for entry in std::fs::read_dir(&self.path)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let of_a_run = [CONFIG, METRICS, SUMMARY, EVALUATION].contains(&name.as_ref());
            if of_a_run || name.starts_with("events.out.tfevents.") {
                std::fs::remove_file(entry.path())?;
            } else if name == "checkpoints" || name == "figures" {
                std::fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }

    /// Removes files that a killed process was writing: nobody else writes here now.
    fn remove_leftovers(&self) {
        temporary::remove_leftovers(&self.path);
        for folder in ["checkpoints", "figures"] {
            temporary::remove_leftovers(&self.path.join(folder));
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The checkpoint of the last finished epoch.
    pub fn last_checkpoint(&self) -> PathBuf {
        self.path.join(LAST)
    }

    /// The checkpoint of the best epoch.
    pub fn best_checkpoint(&self) -> PathBuf {
        self.path.join("checkpoints/best.safetensors")
    }

    /// Writes config.toml: every knob, and a table `run` of facts about who runs it.
    pub fn write_config(&self, config: &Config, run: &toml::Table) -> Result<(), RunError> {
        let mut text = config.to_toml();
        text.push_str("\n# What ran it; read back, this table changes nothing.\n[run]\n");
        text.push_str(&run.to_string());
        self.write(CONFIG, text.as_bytes())
    }

    /// Appends an epoch to metrics.jsonl and makes it durable.
    pub fn append_metrics(&self, record: &EpochRecord) -> Result<(), RunError> {
        let path = self.path.join(METRICS);
        let io = |source| RunError::Io { path: path.clone(), source };
        let mut line = serde_json::to_vec(record).map_err(|error| io(error.into()))?;
        line.push(b'\n');
        let mut file = OpenOptions::new().create(true).append(true).open(&path).map_err(io)?;
        file.write_all(&line).map_err(io)?;
        file.sync_data().map_err(io)
    }

    /// The epochs in metrics.jsonl; a torn last line is left out.
    pub fn read_metrics(path: &Path) -> Result<Vec<EpochRecord>, RunError> {
        let path = path.join(METRICS);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(RunError::Io { path, source }),
        };
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let parse = |(index, line): (usize, &str)| {
            serde_json::from_str(line).map_err(|error| RunError::Broken {
                path: path.clone(),
                reason: format!("line {}: {error}", index + 1),
            })
        };
        whole.lines().enumerate().map(parse).collect()
    }

    /// Keeps the first epochs of metrics.jsonl: a run that was cut off between writing an epoch's metrics
    /// and its checkpoint repeats that epoch.
    pub fn truncate_metrics(&self, epochs: usize) -> Result<Vec<EpochRecord>, RunError> {
        let mut records = Self::read_metrics(&self.path)?;
        records.retain(|record| record.epoch <= epochs);
        let missing =
            (1..=epochs).find(|&epoch| records.get(epoch - 1).map(|record| record.epoch) != Some(epoch));
        if let Some(epoch) = missing {
            let reason = format!(
                "line {epoch} is not that of epoch {epoch}, and the checkpoint is of epoch {epochs}; put the lines \
                 of all epochs back in order, or train again from the start"
            );
            return Err(RunError::Broken { path: self.path.join(METRICS), reason });
        }
        let mut text = Vec::new();
        for record in &records {
            let line = serde_json::to_vec(record)
                .map_err(|error| RunError::Io { path: self.path.join(METRICS), source: error.into() })?;
            text.extend(line);
            text.push(b'\n');
        }
        self.write(METRICS, &text)?;
        Ok(records)
    }

    /// Replaces summary.json.
    pub fn write_summary(&self, summary: &Summary) -> Result<(), RunError> {
        self.write_json(SUMMARY, summary)
    }

    /// The summary of the run in a directory, if it has one.
    pub fn read_summary(path: &Path) -> Result<Option<Summary>, RunError> {
        let path = path.join(SUMMARY);
        match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|error| RunError::Broken { path, reason: error.to_string() }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(RunError::Io { path, source }),
        }
    }

    /// Forgets how the run went, but not the run: it can be resumed.
    pub fn forget_summary(&self) -> Result<(), RunError> {
        let path = self.path.join(SUMMARY);
        std::fs::remove_file(&path).map_err(|source| RunError::Io { path, source })
    }

    /// Replaces evaluation.json.
    pub fn write_evaluation(&self, evaluation: &EvaluationRecord) -> Result<(), RunError> {
        self.write_json(EVALUATION, evaluation)
    }

    fn write_json(&self, name: &str, value: &impl Serialize) -> Result<(), RunError> {
        let io = |error: serde_json::Error| RunError::Io { path: self.path.join(name), source: error.into() };
        let mut bytes = serde_json::to_vec_pretty(value).map_err(io)?;
        bytes.push(b'\n');
        self.write(name, &bytes)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), RunError> {
        let path = self.path.join(name);
        write_atomically(&path, bytes).map_err(|source| RunError::Io { path, source })
    }
}

fn holds_anything(path: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(path) else { return path.exists() };
    entries.flatten().any(|entry| entry.file_name() != LOCK && !temporary::is_ours(&entry.file_name()))
}

/// Replaces a file whole or not at all: temporary file, sync, rename.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let file = temporary::new_in(folder).map_err(nameless)?;
    file.as_file().write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    sync_folder(folder);
    Ok(())
}
