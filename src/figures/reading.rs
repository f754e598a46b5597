//! Reading files of results. What is not there yet is no error; what is damaged is, with its place and what
//! would be right.

use std::io::ErrorKind;
use std::path::Path;

use serde::de::DeserializeOwned;

use super::FigureError;
use crate::files::reading::read;

/// More than any run or sweep writes.
const MOST_BYTES: u64 = 256 << 20;

/// A file that does not hold what it should; line 0 where there are no lines.
pub fn malformed(path: &Path, line: usize, message: &str) -> FigureError {
    FigureError::Malformed { path: path.to_owned(), line, message: message.to_owned() }
}

/// A TOML file, if it is there.
pub fn read_toml<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, FigureError> {
    let Some(text) = read_text(path)? else { return Ok(None) };
    let value = toml::from_str(&text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        let line = before.map_or(0, |before| before.matches('\n').count() + 1);
        malformed(path, line, &format!("{}; it must be TOML as `ff` writes it", error.message()))
    })?;
    Ok(Some(value))
}

/// A JSON file, if it is there.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, FigureError> {
    let Some(text) = read_text(path)? else { return Ok(None) };
    let value = serde_json::from_str(&text).map_err(|error| {
        malformed(
            path,
            error.line(),
            &format!("{}; it must be one JSON object as `ff` writes it", told(&error)),
        )
    })?;
    Ok(Some(value))
}

/// What serde_json says, without the line, which stands beside the path.
pub fn told(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) if error.column() > 0 => format!("{} at column {}", &text[..end], error.column()),
        _ => text,
    }
}

/// The text of a file, if it is there; a file without any is a damaged one.
pub fn read_text(path: &Path) -> Result<Option<String>, FigureError> {
    let text = match read(path, MOST_BYTES) {
        // A torn line may end inside a character.
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(FigureError::Read { path: path.to_owned(), source }),
    };
    match text.trim().is_empty() {
        false => Ok(Some(text)),
        true => Err(malformed(path, 0, "the file is empty")),
    }
}
