//! Run directories below folders.

use std::path::{Path, PathBuf};

/// What lies below a folder.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Run directories, in the order of their names.
    pub runs: Vec<PathBuf>,
    /// Folders that cannot be read, and why; a line each.
    pub notes: Vec<String>,
}

/// Whether a folder is a run directory: it has results, or a configuration and the lock of a run that begins.
pub fn is_run(path: &Path) -> bool {
    let holds = |name: &str| path.join(name).is_file();
    holds("metrics.jsonl") || holds("summary.json") || (holds("config.toml") && holds(".lock"))
}

/// The run directories at or below a folder. Runs are not searched for others, hidden folders and links are not
/// followed.
pub fn find(folder: &Path) -> Found {
    let mut found = Found::default();
    search(folder, &mut found);
    found
}

fn search(folder: &Path, found: &mut Found) {
    if is_run(folder) {
        found.runs.push(folder.to_owned());
        return;
    }
    let entries = std::fs::read_dir(folder).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
    let mut entries = match entries {
        Ok(entries) => entries,
        Err(error) => {
            found.notes.push(format!("{}: {error}", folder.display()));
            return;
        }
    };
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if !hidden && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            search(&entry.path(), found);
        }
    }
}
