//! JSON lines: one value a line, appended whole or not at all.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::FileError;
use super::folder::{folder_of, read_if_there, sync_folder};

/// What a file of JSON lines holds.
#[derive(Debug)]
pub struct Lines<T> {
    /// The whole lines' values in order.
    pub values: Vec<T>,
    /// Whole lines that hold no such value, by their number from 1, and why.
    pub broken: Vec<(usize, String)>,
    /// Whether the last line was cut off: it has no end.
    pub torn: bool,
}

/// Appends a value as one line. A line that could be written only in part is taken back.
pub fn append_line(path: &Path, value: &impl Serialize) -> Result<(), FileError> {
    let error = FileError::on(path);
    let mut line = serde_json::to_vec(value).map_err(|failure| error(failure.into()))?;
    line.push(b'\n');
    let mut file = OpenOptions::new().create(true).append(true).open(path).map_err(&error)?;
    let before = file.seek(SeekFrom::End(0)).map_err(&error)?;
    file.write_all(&line).map_err(|failure| {
        take_back(&file, before);
        error(failure)
    })
}

/// Makes a file durable, with its name.
pub fn sync_file(path: &Path) -> Result<(), FileError> {
    File::open(path).and_then(|file| file.sync_data()).map_err(FileError::on(path))?;
    sync_folder(folder_of(path))
}

/// Best effort: a torn line is no value to whoever reads it.
fn take_back(file: &File, length: u64) {
    let _ = file.set_len(length);
}

/// The values of a file; none if there is no file. Bytes that are no UTF-8 make a line broken, not the file.
pub fn read_lines<T: DeserializeOwned>(path: &Path) -> Result<Lines<T>, FileError> {
    let bytes = read_if_there(path)?.unwrap_or_default();
    let mut lines = Lines { values: Vec::new(), broken: Vec::new(), torn: false };
    let end = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let (whole, rest) = bytes.split_at(end);
    lines.torn = !rest.is_empty();
    for (index, line) in whole.split(|&byte| byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice(line) {
            Ok(value) => lines.values.push(value),
            Err(error) => lines.broken.push((index + 1, error.to_string())),
        }
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_whole_is_read() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("lines");
        assert!(read_lines::<u32>(&path).unwrap().values.is_empty());
        append_line(&path, &1).unwrap();
        append_line(&path, &2).unwrap();
        std::fs::write(&path, [std::fs::read(&path).unwrap().as_slice(), b"\xff\n\n3\n4"].concat()).unwrap();
        let lines = read_lines::<u32>(&path).unwrap();
        assert_eq!(lines.values, [1, 2, 3]);
        assert_eq!(lines.broken.len(), 1);
        assert_eq!(lines.broken[0].0, 3);
        assert!(lines.torn);
    }

    #[test]
    fn a_line_that_does_not_fit_is_taken_back() {
        let Ok(metadata) = std::fs::metadata("/dev/full") else { return };
        assert!(metadata.len() == 0);
        let error = append_line(Path::new("/dev/full"), &1).unwrap_err();
        assert!(error.to_string().starts_with("/dev/full: "), "{error}");
    }
}
