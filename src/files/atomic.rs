//! Replacing a file whole or not at all: temporary file, sync, rename, sync of the folder.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::folder::{folder_of, sync_opened};
use super::{FileError, temporary};

/// The new contents of a file beside it, until [`commit`](Staged::commit) puts them in its place. Dropped before,
/// it leaves nothing.
#[derive(Debug)]
pub struct Staged {
    file: NamedTempFile,
    path: PathBuf,
}

impl Staged {
    /// An empty file in the folder of `path`, which has to be there.
    pub fn new(path: &Path) -> Result<Staged, FileError> {
        let file = temporary::new_in(folder_of(path)).map_err(FileError::on(path))?;
        Ok(Staged { file, path: path.into() })
    }

    /// The file that will be replaced.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        self.file.as_file_mut().write_all(bytes).map_err(|error| FileError::new(&self.path, error))
    }

    /// Writes over what is at `offset`; the next [`write`](Staged::write) goes on behind it.
    pub fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), FileError> {
        let file = self.file.as_file_mut();
        let written = file.seek(SeekFrom::Start(offset)).and_then(|_| file.write_all(bytes));
        written.map_err(|error| FileError::new(&self.path, error))
    }

    /// Makes the contents durable, so that [`commit`](Staged::commit) has only to rename.
    pub fn sync(&self) -> Result<(), FileError> {
        self.file.as_file().sync_all().map_err(|error| FileError::new(&self.path, error))
    }

    /// Makes the contents durable and puts them in the place of the file.
    pub fn commit(self) -> Result<(), FileError> {
        self.sync()?;
        let Placed { folder, path, .. } = self.place()?;
        sync_opened(&folder, folder_of(&path))
    }

    /// Puts the contents in the place of the file without waiting for the disk, which begins to write: a process that
    /// is killed leaves them whole, but a power cut may tear them until [`Placed::sync`] has returned.
    pub fn place(self) -> Result<Placed, FileError> {
        let Staged { file, path } = self;
        let (file, temporary) = file.into_parts();
        let folder = File::open(folder_of(&path)).map_err(FileError::on(&path))?;
        fs::rename(&temporary, &path).map_err(FileError::on(&path))?;
        // Its name is free again, and nobody's to remove.
        let _ = temporary.keep();
        // A hint: what is not needed in memory goes to the disk.
        #[cfg(target_os = "linux")]
        let _ = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed);
        Ok(Placed { file, folder, path })
    }
}

/// A file in its place that need not be on the disk yet. Its folder may be moved meanwhile.
#[derive(Debug)]
pub struct Placed {
    file: File,
    folder: File,
    path: PathBuf,
}

impl Placed {
    /// Waits until the disk has the file and its name.
    pub fn sync(&self) -> Result<(), FileError> {
        self.file.sync_all().map_err(|error| FileError::new(&self.path, error))?;
        sync_opened(&self.folder, folder_of(&self.path))
    }
}

/// Replaces a file whole or not at all. Its folder has to be there.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let mut staged = Staged::new(path)?;
    staged.write(bytes)?;
    staged.commit()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_or_not_at_all() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("file");
        write_atomically(&path, b"one").unwrap();
        let mut staged = Staged::new(&path).unwrap();
        staged.write(b"two!").unwrap();
        staged.write_at(3, b"?").unwrap();
        staged.write(b".").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one");
        staged.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two?.");
        drop(Staged::new(&path).unwrap());
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
        let error = write_atomically(&place.path().join("no/file"), b"").unwrap_err().to_string();
        assert!(error.ends_with("no/file: No such file or directory (os error 2)"), "{error}");
    }
}
