//! SHA-256 of files and of what they hold compressed.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

pub use super::hex::hex;
use super::idx;

/// A SHA-256 in hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum<'a> {
    /// Of the uncompressed file: right whoever compressed it.
    Contents(&'a str),
    /// Of the .gz as published.
    Archive(&'a str),
}

impl Checksum<'_> {
    /// Compares a file, of which at most `limit` bytes are read; an error is the problem found.
    pub fn verify(self, path: &Path, limit: u64) -> Result<(), String> {
        let (expected, found) = match self {
            Self::Contents(expected) => {
                (expected, idx::open(path).and_then(|(file, _)| sha256(file.take(limit))))
            }
            Self::Archive(expected) => (expected, File::open(path).and_then(|file| sha256(file.take(limit)))),
        };
        match found.map_err(|error| error.to_string())? {
            found if found == expected => Ok(()),
            found => Err(format!("SHA-256 is {found}, expected {expected}")),
        }
    }
}

/// SHA-256 of everything a source gives, in hexadecimal digits.
pub fn sha256(source: impl Read) -> io::Result<String> {
    let mut source = BufReader::with_capacity(1 << 16, source);
    let mut hash = Sha256::new();
    loop {
        let chunk = source.fill_buf()?;
        if chunk.is_empty() {
            return Ok(hex(&hash.finalize()));
        }
        hash.update(chunk);
        let read = chunk.len();
        source.consume(read);
    }
}
