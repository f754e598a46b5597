//! What the classes of a folder of IDX files are called: `classes.txt`, a name a line, class 0 first.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::Path;

use super::DataError;
use crate::files::reading;

/// The file of class names.
pub const FILE: &str = "classes.txt";
/// More classes than this would need another way to write a label into an image.
pub(crate) const MOST_CLASSES: usize = 1000;
/// More than a thousand names of the most letters have.
const MOST_BYTES: u64 = 1 << 20;
/// A name is a word in a table, not a text.
const MOST_LETTERS: usize = 100;

/// The class names in `folder`; none where there is no such file.
pub fn read(folder: &Path) -> Result<Vec<String>, DataError> {
    let path = folder.join(FILE);
    let text = match reading::read_text(&path, MOST_BYTES) {
        Ok(text) => text,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(source) => return Err(DataError::Io { path, source }),
    };
    let names: Vec<String> = text.lines().map(|line| line.trim().to_owned()).collect();
    match problem(&names) {
        None => Ok(names),
        Some(problem) => Err(DataError::Content { path, problem }),
    }
}

/// Why a list of names is none, if so.
pub fn problem(names: &[String]) -> Option<String> {
    if !(2..=MOST_CLASSES).contains(&names.len()) {
        return Some(format!(
            "{} lines, expected a name for each of 2 to {MOST_CLASSES} classes",
            names.len()
        ));
    }
    let mut seen = HashSet::new();
    names.iter().enumerate().find_map(|(class, name)| {
        let line = class + 1;
        if name.is_empty() {
            Some(format!("line {line} is empty, expected the name of class {class}"))
        } else if name.chars().count() > MOST_LETTERS || name.chars().any(char::is_control) {
            Some(format!("line {line} is no name of at most {MOST_LETTERS} printable letters"))
        } else {
            (!seen.insert(name)).then(|| format!("line {line} has a name that is there already: {name}"))
        }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_name_for_each_class() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path()).unwrap().is_empty());
        let path = folder.path().join(FILE);
        std::fs::write(&path, "cat\r\nlarge dog\r\n").unwrap();
        assert_eq!(read(folder.path()).unwrap(), ["cat", "large dog"]);
        for (text, part) in [
            ("", "0 lines, expected a name for each of 2 to 1000 classes"),
            ("cat\n\ndog\n", "line 2 is empty, expected the name of class 1"),
            ("cat\ndog\ncat\n", "line 3 has a name that is there already: cat"),
            ("cat\n\u{1b}[31m\n", "line 2 is no name"),
        ] {
            std::fs::write(&path, text).unwrap();
            let message = read(folder.path()).unwrap_err().to_string();
            assert!(message.contains("classes.txt: ") && message.contains(part), "{message}");
        }
    }
}
