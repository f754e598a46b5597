//! A checksum over a whole checkpoint, inside it: one flipped bit is noticed wherever it is.
//!
//! The metadata's config ends in a table `seal` whose `crc32` are eight hexadecimal digits: the CRC-32 (IEEE) of the
//! whole file with `00000000` in their place. Readers that know nothing of it see metadata.

use std::io::{ErrorKind, Read};
use std::path::Path;

use crc32fast::Hasher;
use serde::{Deserialize, Serialize};

use crate::files::reading;
use crate::files::tensors::TensorError;

/// Table `seal` of the metadata.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seal {
    crc32: String,
}

/// What the digits stand behind, as JSON writes the TOML inside the header.
const MARK: &[u8] = br#"[seal]\ncrc32 = \""#;
const OPEN: &str = "00000000";

impl Seal {
    /// A seal whose digits are to be filled in.
    pub fn open() -> Seal {
        Seal { crc32: OPEN.into() }
    }
}

/// The checksum of a file that is being written; its header holds [`Seal::open`].
#[derive(Default)]
pub struct Sealing(Hasher);

impl Sealing {
    /// The next bytes of the file.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digits that belong where [`find`] says.
    pub fn digits(self) -> String {
        format!("{:08x}", self.0.finalize())
    }
}

/// Where in `header` the digits stand.
pub fn find(header: &[u8]) -> Option<usize> {
    let at = header.windows(MARK.len()).rposition(|window| window == MARK)? + MARK.len();
    (at + OPEN.len() <= header.len()).then_some(at)
}

/// Compares a file with its seal, if it has one: files of other programs and of earlier versions have none.
pub fn verify(path: &Path) -> Result<(), TensorError> {
    let (mut file, size) = reading::open(path)?;
    let mut start = Vec::new();
    file.by_ref().take(8).read_to_end(&mut start)?;
    let Some(length) = start.first_chunk() else { return Ok(()) };
    // Where the length itself is damaged, the mark is still somewhere at the start.
    let length = u64::from_le_bytes(*length).min(size).min(LONGEST_HEADER);
    file.by_ref().take(length).read_to_end(&mut start)?;
    let Some(at) = find(&start) else { return Ok(()) };
    let (before, rest) = start.split_at(at);
    let (digits, after) = rest.split_at(OPEN.len());
    let mut sealing = Sealing::default();
    for part in [before, OPEN.as_bytes(), after] {
        sealing.update(part);
    }
    let mut chunk = vec![0; 1 << 20];
    loop {
        match file.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => sealing.update(chunk.get(..read).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    match sealing.digits() {
        computed if computed.as_bytes() == digits => Ok(()),
        computed => {
            let written = String::from_utf8_lossy(digits);
            Err(TensorError::Format(format!(
                "damaged: its checksum is {computed}, but {written} was written into it"
            )))
        }
    }
}

/// More than any network's header has.
const LONGEST_HEADER: u64 = 16 << 20;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_mark_is_what_is_written() {
        let text = toml::to_string(&toml::Table::from_iter([(
            "seal".to_owned(),
            toml::Value::try_from(Seal::open()).unwrap_or(toml::Value::Boolean(false)),
        )]));
        let json = serde_json::to_vec(&text.unwrap_or_default()).unwrap_or_default();
        let at = find(&json);
        assert!(
            at.is_some_and(|at| json[at..].starts_with(OPEN.as_bytes())),
            "{}",
            String::from_utf8_lossy(&json)
        );
    }

    #[test]
    fn files_without_a_seal_pass() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("file");
        for file in [&b""[..], b"1234567", &[255; 100], b"\x02\0\0\0\0\0\0\0{}"] {
            std::fs::write(&path, file).unwrap();
            verify(&path).unwrap();
        }
    }
}
