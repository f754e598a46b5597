//! Reading files that a stranger may have made: regular files only, and never more than a limit.

use std::fs::{File, Metadata};
use std::io::{Error, ErrorKind, Read, Result};
use std::path::Path;

/// Opens a regular file; also how many bytes it has. A pipe would wait for ever, and a device never ends.
pub fn open(path: &Path) -> Result<(File, u64)> {
    // Looked at before it is opened: opening a pipe waits for its other end.
    refuse_irregular(&std::fs::metadata(path)?)?;
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    refuse_irregular(&metadata)?;
    Ok((file, metadata.len()))
}

/// All of a regular file that has at most `most` bytes.
pub fn read(path: &Path, most: u64) -> Result<Vec<u8>> {
    let (file, length) = open(path)?;
    refuse_larger(length, most)?;
    read_all(file, most)
}

/// All that `source` gives, at most `most` bytes.
pub fn read_all(source: impl Read, most: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = source.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    refuse_larger(read as u64, most)?;
    Ok(bytes)
}

/// The text of a regular file that has at most `most` bytes.
pub fn read_text(path: &Path, most: u64) -> Result<String> {
    String::from_utf8(read(path, most)?)
        .map_err(|_| Error::new(ErrorKind::InvalidData, "is not text in UTF-8"))
}

fn refuse_larger(length: u64, most: u64) -> Result<()> {
    match length > most {
        true => Err(Error::new(ErrorKind::FileTooLarge, format!("has more than {most} bytes"))),
        false => Ok(()),
    }
}

fn refuse_irregular(metadata: &Metadata) -> Result<()> {
    if metadata.is_file() {
        return Ok(());
    }
    if metadata.is_dir() {
        return Err(Error::new(ErrorKind::IsADirectory, "is a folder, expected a file"));
    }
    Err(Error::new(ErrorKind::InvalidInput, "is no regular file but a device, pipe or socket"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "four").unwrap();
        assert_eq!(read(&path, 4).unwrap(), b"four");
        assert_eq!(read_text(&path, 4).unwrap(), "four");
        assert_eq!(read(&path, 3).unwrap_err().to_string(), "has more than 3 bytes");
        assert_eq!(read_all(&b"four"[..], 3).unwrap_err().kind(), ErrorKind::FileTooLarge);
    }

    #[test]
    fn what_is_no_file_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path(), 9).unwrap_err().kind(), ErrorKind::IsADirectory);
        assert_eq!(read(Path::new("/dev/zero"), 9).unwrap_err().kind(), ErrorKind::InvalidInput);
        assert_eq!(read(&folder.path().join("none"), 9).unwrap_err().kind(), ErrorKind::NotFound);
        let pipe = folder.path().join("pipe");
        if std::process::Command::new("mkfifo").arg(&pipe).status().is_ok_and(|status| status.success()) {
            assert_eq!(read(&pipe, 9).unwrap_err().kind(), ErrorKind::InvalidInput);
        }
    }
}
