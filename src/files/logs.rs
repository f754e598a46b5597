//! Files that a shell or a scheduler opens in a directory before the program begins: they make it no one's.

use std::fs::{self, DirEntry, File, Metadata};
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::FileError;

/// Endings of logs.
const ENDINGS: [&str; 3] = [".log", ".out", ".err"];

/// Tells logs from other files: by their endings, as hidden files (`.gitkeep`), or as what this process's own output
/// goes to (`ff train … > runs/a/told`).
#[derive(Debug)]
pub struct Logs {
    outputs: Vec<(u64, u64)>,
}

impl Logs {
    /// Knows where this process's output goes.
    pub fn new() -> Self {
        let of = |handle: io::Result<OwnedFd>| {
            let metadata = File::from(handle.ok()?).metadata().ok()?;
            metadata.is_file().then(|| identity(&metadata))
        };
        let handles = [io::stdout().as_fd().try_clone_to_owned(), io::stderr().as_fd().try_clone_to_owned()];
        Logs { outputs: handles.into_iter().filter_map(of).collect() }
    }

    /// Whether an entry of a directory is one.
    pub fn contain(&self, entry: &DirEntry) -> Result<bool, FileError> {
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        if name.starts_with(b".") || ENDINGS.iter().any(|ending| name.ends_with(ending.as_bytes())) {
            return Ok(true);
        }
        match entry.metadata() {
            Ok(metadata) => Ok(self.outputs.contains(&identity(&metadata))),
            // Removed since it was listed.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
            Err(error) => Err(FileError::new(entry.path(), error)),
        }
    }
}

impl Default for Logs {
    fn default() -> Self {
        Logs::new()
    }
}

/// Whether there is nothing at `path`, or a folder that holds nothing but logs.
pub fn is_vacant(path: &Path) -> Result<bool, FileError> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(FileError::new(path, error)),
    };
    let logs = Logs::new();
    for entry in entries {
        if !logs.contain(&entry.map_err(FileError::on(path))?)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn logs_are_no_ones() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        assert!(is_vacant(&at("nowhere")).unwrap() && is_vacant(place.path()).unwrap());
        for name in [".gitkeep", "train.log", "slurm-12.out", "12.err"] {
            fs::write(at(name), "").unwrap();
        }
        assert!(is_vacant(place.path()).unwrap());
        fs::write(at("thesis.tex"), "").unwrap();
        assert!(!is_vacant(place.path()).unwrap());
        assert!(is_vacant(&at("thesis.tex")).is_err());
    }
}
