//! The run directory: whose it is, and writes that survive a crash.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::contents::{Beginning, Contents, Ownership};
use super::names::{
    BEST, CHECKPOINTS, CONFIG, EVALUATION, EVENTS, FIGURES, LAST, LOCK, METRICS, PREVIOUS, SUMMARY,
};
use super::reading;
use super::{EpochRecord, EvaluationRecord, RunError, Summary};
use crate::config::Config;
use crate::files::{
    FileError, Lock, Placed, Staged, append_line, create_folder, is_locked, read_lines, sync_file,
    sync_folder, temporary, write_atomically,
};

/// What metrics.jsonl holds once it is repaired.
#[derive(Debug)]
pub struct RepairedMetrics {
    /// Its epochs.
    pub records: Vec<EpochRecord>,
    /// The last epoch that it had a line of before.
    pub cut_at: usize,
    /// What there is to tell of lines that are lost.
    pub warning: Option<String>,
}

/// A run directory, locked for this process. Everything is written through it, and nothing once it is another's.
#[derive(Debug)]
pub struct RunDirectory {
    path: PathBuf,
    /// Held until the run ends, however it ends.
    lock: Lock,
}

impl RunDirectory {
    /// Whether `path` may be used, without touching it: a refusal is final, a permission is decided again by
    /// [`open`](RunDirectory::open), under the lock.
    pub fn check(path: &Path, ownership: Ownership) -> Result<Beginning, RunError> {
        Contents::of(path)?.decide(path, ownership)
    }

    /// Whether there is any sign of a run at `path`.
    pub fn holds_run(path: &Path) -> Result<bool, RunError> {
        Ok(Contents::of(path)?.holds_run())
    }

    /// Creates or takes over the directory, locks it, and decides how the run begins in it.
    pub fn open(path: &Path, ownership: Ownership) -> Result<(RunDirectory, Beginning), RunError> {
        // What is refused is left as it is.
        Self::check(path, ownership)?;
        let directory = Self::claim(path)?;
        let beginning = Self::check(path, ownership)?;
        if beginning == Beginning::Over {
            directory.clear()?;
        }
        Ok((directory, beginning))
    }

    /// Creates the directory and locks it, whatever it holds.
    pub fn claim(path: &Path) -> Result<RunDirectory, RunError> {
        let refused = |error| RunError::of_directory(path, error);
        create_folder(path).map_err(refused)?;
        let lock = Lock::try_acquire(&path.join(LOCK)).map_err(refused)?;
        let lock = lock.ok_or_else(|| RunError::Busy { path: path.into() })?;
        let directory = RunDirectory { path: path.into(), lock };
        directory.remove_leftovers();
        Ok(directory)
    }

    /// Whether some process holds the directory at `path`, as far as can be seen.
    pub fn is_busy(path: &Path) -> bool {
        is_locked(&path.join(LOCK)).unwrap_or(false)
    }

    /// Whether the directory at `path` holds epochs of a run, or some process is about to write them.
    pub fn is_begun(path: &Path) -> bool {
        let contents = Contents::of(path);
        contents.is_ok_and(|contents| contents.has_epochs()) || Self::is_busy(path)
    }

    /// Whether other processes are kept out while this one trains here.
    pub fn is_locked(&self) -> bool {
        self.lock.is_enforced()
    }

    /// What to tell where others are not kept out.
    pub fn no_locks(&self) -> String {
        format!(
            "{}: this file system has no locks; see to it that no other process trains here (the last to come would \
             take the directory over)",
            self.path.display()
        )
    }

    /// Fails if the directory is no longer this process's: it was moved, its lock was removed or replaced, or,
    /// where there are no locks, another process took it over.
    pub fn confirm(&self) -> Result<(), RunError> {
        match self.lock.is_own()? {
            true => Ok(()),
            false => Err(RunError::Lost { path: self.path.clone() }),
        }
    }

    /// Removes what a run writes, and nothing else.
    pub fn clear(&self) -> Result<(), RunError> {
        self.confirm()?;
        for entry in entries(&self.path)? {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let of_a_run = [CONFIG, METRICS, SUMMARY, EVALUATION].contains(&name.as_ref());
            if of_a_run || name.starts_with(EVENTS) {
                remove_file(&entry.path())?;
            }
        }
        for checkpoint in [LAST, PREVIOUS, BEST] {
            remove_file(&self.path.join(checkpoint))?;
        }
        let figures = self.path.join(FIGURES);
        for entry in entries(&figures)? {
            let path = entry.path();
            if path.extension().is_some_and(|kind| kind == "png" || kind == "svg") {
                remove_file(&path)?;
            }
        }
        // Folders that hold something of somebody else's stay.
        for folder in [self.path.join(CHECKPOINTS), figures] {
            let _ = fs::remove_dir(folder);
        }
        Ok(sync_folder(&self.path)?)
    }

    /// Removes files that a killed process was writing: nobody else writes here now.
    fn remove_leftovers(&self) {
        temporary::remove_leftovers(&self.path);
        for folder in [CHECKPOINTS, FIGURES] {
            temporary::remove_leftovers(&self.path.join(folder));
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The training checkpoint of the last epoch that is saved.
    pub fn last_checkpoint(&self) -> PathBuf {
        self.path.join(LAST)
    }

    /// The training checkpoint before the last: what is gone on from if the last is damaged.
    pub fn previous_checkpoint(&self) -> PathBuf {
        self.path.join(PREVIOUS)
    }

    /// The checkpoint of the best epoch.
    pub fn best_checkpoint(&self) -> PathBuf {
        self.path.join(BEST)
    }

    /// Makes the folder of checkpoints.
    pub fn prepare_checkpoints(&self) -> Result<(), RunError> {
        self.confirm()?;
        Ok(create_folder(&self.path.join(CHECKPOINTS))?)
    }

    /// Puts a checkpoint that is written in its place; its [`sync`](Placed::sync) has to be waited for before the next
    /// one. The last one that was there becomes the one before, by a second name first, so that there is a last one at
    /// every moment. The first of all waits for the disk: there is none to fall back to.
    pub fn put_checkpoint(&self, staged: Staged) -> Result<Placed, RunError> {
        let (last, previous) = (self.last_checkpoint(), self.previous_checkpoint());
        let is_first = !last.try_exists().map_err(FileError::on(&last))?;
        if is_first {
            staged.sync()?;
        }
        self.confirm()?;
        if staged.path() == last {
            remove_file(&previous)?;
            match fs::hard_link(&last, &previous) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                // File systems without second names: for a moment there is none but the one before.
                Err(_) => fs::rename(&last, &previous).map_err(FileError::on(&previous))?,
            }
        }
        Ok(staged.place()?)
    }

    /// Makes the checkpoint before the last the last: the last is damaged or gone.
    pub fn fall_back(&self) -> Result<(), RunError> {
        self.confirm()?;
        let last = self.last_checkpoint();
        fs::rename(self.previous_checkpoint(), &last).map_err(FileError::on(&last))?;
        Ok(sync_folder(&self.path.join(CHECKPOINTS))?)
    }

    /// Writes config.toml: every knob, and a table `run` of facts about who runs it.
    pub fn write_config(&self, config: &Config, run: &toml::Table) -> Result<(), RunError> {
        let mut text = config.to_toml();
        text.push_str("\n# What ran it; read back, this table changes nothing.\n[run]\n");
        text.push_str(&run.to_string());
        self.write(CONFIG, text.as_bytes())
    }

    /// Table `run` of config.toml; empty where there is none to read.
    pub fn read_facts(&self) -> toml::Table {
        let text = fs::read_to_string(self.path.join(CONFIG)).unwrap_or_default();
        let config: toml::Table = text.parse().unwrap_or_default();
        config.get("run").and_then(toml::Value::as_table).cloned().unwrap_or_default()
    }

    /// Appends an epoch to metrics.jsonl; [`sync_metrics`](RunDirectory::sync_metrics) makes it durable.
    pub fn append_metrics(&self, record: &EpochRecord) -> Result<(), RunError> {
        self.confirm()?;
        Ok(append_line(&self.path.join(METRICS), record)?)
    }

    /// Waits until the disk has the epochs of metrics.jsonl.
    pub fn sync_metrics(&self) -> Result<(), RunError> {
        self.confirm()?;
        Ok(sync_file(&self.path.join(METRICS))?)
    }

    /// The epochs in metrics.jsonl; a torn last line is left out.
    pub fn read_metrics(path: &Path) -> Result<Vec<EpochRecord>, RunError> {
        reading::read_metrics(path)
    }

    /// Keeps the lines of metrics.jsonl of the first `epochs` epochs, each once and in order: a run that was cut off
    /// between writing epochs' metrics and the next checkpoint repeats those epochs. Lines that are lost or cannot be
    /// read are left out, and said to be: the weights do not depend on them.
    pub fn repair_metrics(&self, epochs: usize) -> Result<RepairedMetrics, RunError> {
        let path = self.path.join(METRICS);
        let lines = read_lines::<EpochRecord>(&path)?;
        let mut records = lines.values;
        let cut_at = records.iter().map(|record| record.epoch).max().unwrap_or(0);
        records.retain(|record| (1..=epochs).contains(&record.epoch));
        records.sort_by_key(|record| record.epoch);
        records.dedup_by_key(|record| record.epoch);
        let lost: Vec<String> = (1..=epochs)
            .filter(|epoch| records.binary_search_by_key(epoch, |record| record.epoch).is_err())
            .map(|epoch| epoch.to_string())
            .collect();
        let warning = (!lost.is_empty()).then(|| {
            let lost = if lost.len() > 8 { format!("{} epochs", lost.len()) } else { lost.join(", ") };
            format!(
                "{}: the lines of epochs {lost} of {epochs} are lost; the run goes on without them",
                path.display()
            )
        });
        let mut text = Vec::new();
        for record in &records {
            let line = serde_json::to_vec(record).map_err(|error| FileError::new(&path, error.into()))?;
            text.extend(line);
            text.push(b'\n');
        }
        self.write(METRICS, &text)?;
        Ok(RepairedMetrics { records, cut_at, warning })
    }

    /// Replaces summary.json.
    pub fn write_summary(&self, summary: &Summary) -> Result<(), RunError> {
        self.write_json(SUMMARY, summary)
    }

    /// The summary of the run in a directory, if it has one.
    pub fn read_summary(path: &Path) -> Result<Option<Summary>, RunError> {
        reading::read_summary(path)
    }

    /// Forgets how the run went, but not the run: it can be resumed.
    pub fn forget_summary(&self) -> Result<(), RunError> {
        self.confirm()?;
        remove_file(&self.path.join(SUMMARY))
    }

    /// Replaces evaluation.json.
    pub fn write_evaluation(&self, evaluation: &EvaluationRecord) -> Result<(), RunError> {
        self.write_json(EVALUATION, evaluation)
    }

    fn write_json(&self, name: &str, value: &impl Serialize) -> Result<(), RunError> {
        let bytes = serde_json::to_vec_pretty(value);
        let mut bytes = bytes.map_err(|error| FileError::new(self.path.join(name), error.into()))?;
        bytes.push(b'\n');
        self.write(name, &bytes)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), RunError> {
        self.confirm()?;
        Ok(write_atomically(&self.path.join(name), bytes)?)
    }
}

/// What a folder holds; nothing if there is none.
fn entries(folder: &Path) -> Result<Vec<fs::DirEntry>, FileError> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.collect::<Result<_, _>>().map_err(FileError::on(folder)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(Vec::new())
        }
        Err(error) => Err(FileError::new(folder, error)),
    }
}

/// Removes a file; one that is not there is removed already.
fn remove_file(path: &Path) -> Result<(), RunError> {
    match fs::remove_file(path) {
        Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Err(FileError::new(path, error).into())
        }
        _ => Ok(()),
    }
}
