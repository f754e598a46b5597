//! Folders and what is in them: absence is told from failure, and new entries are made durable.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::Path;

use super::FileError;

/// Whether there is a file or folder at `path`. Only "not found" (or a path below a file) means that there is none;
/// any other failure is an error.
pub fn is_there(path: &Path) -> Result<bool, FileError> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(false),
        Err(error) => Err(FileError::new(path, error)),
    }
}

/// The contents of a file; `None` if there is no such file.
pub fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(FileError::new(path, error)),
    }
}

/// Makes a folder and those above it that are missing, each durable in the one above.
pub fn create_folder(path: &Path) -> Result<(), FileError> {
    let mut missing = Vec::new();
    let mut above = Some(path);
    while let Some(folder) = above.filter(|folder| !folder.as_os_str().is_empty()) {
        match fs::metadata(folder) {
            Ok(found) if found.is_dir() => break,
            Ok(_) => return Err(FileError::new(path, ErrorKind::NotADirectory.into())),
            Err(error) if error.kind() == ErrorKind::NotFound => missing.push(folder),
            Err(error) => return Err(FileError::new(path, error)),
        }
        above = folder.parent();
    }
    for folder in missing.into_iter().rev() {
        match fs::create_dir(folder) {
            Ok(()) => sync_folder(folder_of(folder))?,
            // Another process made it meanwhile.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(FileError::new(folder, error)),
        }
    }
    Ok(())
}

/// Makes what was created, renamed or removed in a folder durable. File systems that do not sync folders say so
/// (EINVAL, ENOTSUP), which is no error: there the file's own sync is all there is.
pub fn sync_folder(folder: &Path) -> Result<(), FileError> {
    match File::open(folder) {
        Ok(opened) => sync_opened(&opened, folder),
        Err(error) => Err(FileError::new(folder, error)),
    }
}

/// The same of a folder that is open.
pub(super) fn sync_opened(opened: &File, folder: &Path) -> Result<(), FileError> {
    match opened.sync_all() {
        Err(error) if !matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => {
            Err(FileError::new(folder, error))
        }
        _ => Ok(()),
    }
}

/// The folder that holds `path`.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn absence_is_not_failure() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("file");
        assert!(!is_there(&file).unwrap());
        assert_eq!(read_if_there(&file).unwrap(), None);
        fs::write(&file, "x").unwrap();
        assert!(is_there(&file).unwrap() && !is_there(&file.join("below")).unwrap());
        // A loop of links is neither there nor absent.
        std::os::unix::fs::symlink("loop", place.path().join("loop")).unwrap();
        let error = is_there(&place.path().join("loop/below")).unwrap_err();
        assert!(error.to_string().contains("loop/below: "), "{error}");
    }

    #[test]
    fn folders_are_made_down_to_the_last() {
        let place = tempfile::tempdir().unwrap();
        let deep = place.path().join("a/b/c");
        create_folder(&deep).unwrap();
        create_folder(&deep).unwrap();
        assert!(deep.is_dir());
        fs::write(place.path().join("file"), "").unwrap();
        assert!(create_folder(&place.path().join("file")).is_err());
        assert!(create_folder(&place.path().join("file/below")).is_err());
    }
}
