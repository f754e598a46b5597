//! A safetensors file that a stranger may have made: its header is checked whole before any tensor is read, and
//! a tensor is read only when it is asked for.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Error, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Mutex;

use ff_backend::host;
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};

use super::reading;

/// Headers are JSON of a few kilobytes; more than this is no network's.
const MOST_HEADER: u64 = 16 << 20;

/// Why a file of tensors cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TensorError {
    /// The system refused.
    #[error("{0}")]
    Io(#[from] Error),
    /// The bytes are not a safetensors file.
    #[error("{0}")]
    Format(String),
}

/// An open file with a header that is in order.
#[derive(Debug)]
pub struct TensorFile {
    /// Its position is whoever's turn it is.
    file: Mutex<File>,
    tensors: BTreeMap<String, TensorInfo>,
    metadata: BTreeMap<String, String>,
    /// Where the tensors' bytes begin.
    body: u64,
}

impl TensorFile {
    /// Opens a file and checks its header: every tensor has its shape's size, and lies where the one before
    /// ends, up to the end of the file.
    pub fn open(path: &Path) -> Result<TensorFile, TensorError> {
        let (mut file, size) = reading::open(path)?;
        let cut_short = |error: Error| match error.kind() {
            ErrorKind::UnexpectedEof => TensorError::Format("the file is cut short".into()),
            _ => TensorError::Io(error),
        };
        let mut length = [0; 8];
        file.read_exact(&mut length).map_err(cut_short)?;
        let length = u64::from_le_bytes(length);
        if length > size.saturating_sub(8) {
            return Err(TensorError::Format("the header is longer than the file".into()));
        }
        if length > MOST_HEADER {
            return Err(TensorError::Format(format!(
                "the header has {length} bytes, expected at most {MOST_HEADER}"
            )));
        }
        let mut header = vec![0; length as usize];
        file.read_exact(&mut header).map_err(cut_short)?;
        let header: Metadata = serde_json::from_slice(&header)
            .map_err(|error| TensorError::Format(format!("the header: {error}")))?;
        let tensors: BTreeMap<String, TensorInfo> =
            header.tensors().into_iter().map(|(name, info)| (name, info.clone())).collect();
        let body = 8 + length;
        // Reading the header has checked each tensor's size and place; this is what it could not know.
        if header.data_len() as u64 != size - body {
            return Err(TensorError::Format(format!(
                "the tensors have {} bytes, but the file holds {}",
                header.data_len(),
                size - body
            )));
        }
        let metadata = header.metadata().clone().unwrap_or_default().into_iter().collect();
        Ok(TensorFile { file: Mutex::new(file), tensors, metadata, body })
    }

    /// The tensors there are, by name.
    pub fn tensors(&self) -> &BTreeMap<String, TensorInfo> {
        &self.tensors
    }

    /// An entry of the header's metadata.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.metadata.get(key).map(String::as_str)
    }

    /// The values of a tensor of float32.
    pub fn read(&self, name: &str) -> Result<Vec<f32>, TensorError> {
        let info = self.tensors.get(name);
        let info = info.ok_or_else(|| TensorError::Format(format!("there is no tensor {name}")))?;
        if info.dtype != Dtype::F32 {
            return Err(TensorError::Format(format!("tensor {name} is {:?}, not F32", info.dtype)));
        }
        let (begin, end) = info.data_offsets;
        let mut bytes = host::reserve(end - begin).ok_or_else(|| Error::from(ErrorKind::OutOfMemory))?;
        bytes.resize(end - begin, 0);
        let mut file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.body + begin as u64))?;
        file.read_exact(&mut bytes)?;
        Ok(bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn open(header: &str, body: &[u8]) -> Result<TensorFile, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        let bytes = [&(header.len() as u64).to_le_bytes(), header.as_bytes(), body].concat();
        std::fs::write(file.path(), bytes).unwrap();
        TensorFile::open(file.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_tensor_and_the_metadata() {
        let header =
            r#"{"__metadata__":{"config":"text"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
        let file = open(header, &[0, 0, 128, 63, 0, 0, 0, 64]).unwrap();
        assert_eq!(file.read("a").unwrap(), [1.0, 2.0]);
        assert_eq!(file.metadata("config"), Some("text"));
        assert_eq!(file.metadata("other"), None);
        assert!(file.read("b").is_err());
    }

    #[test]
    fn sizes_are_checked_before_any_tensor_is_read() {
        let tensor = |shape: &str, offsets: &str| {
            format!(r#"{{"a":{{"dtype":"F32","shape":{shape},"data_offsets":{offsets}}}}}"#)
        };
        for (header, body, part) in [
            (tensor("[2]", "[0,4]"), 4, "the header: "),
            (tensor("[4294967296,4294967296]", "[0,4]"), 4, "the header: "),
            (tensor("[1]", "[4,0]"), 4, "the header: "),
            (tensor("[1]", "[4,8]"), 8, "the header: "),
            (tensor("[1]", "[0,4]"), 5, "the tensors have 4 bytes, but the file holds 5"),
            (tensor("[1]", "[0,4]"), 3, "the tensors have 4 bytes, but the file holds 3"),
            ("[".repeat(100_000), 0, "the header: "),
            (String::new(), 0, "the header: "),
        ] {
            let message = open(&header, &vec![0; body]).unwrap_err();
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn a_header_of_any_length_costs_nothing() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for (length, bytes) in [(u64::MAX, 8), (1 << 40, 8), (17 << 20, 18 << 20)] {
            std::fs::write(file.path(), u64::to_le_bytes(length)).unwrap();
            file.as_file().set_len(bytes).unwrap();
            assert!(TensorFile::open(file.path()).unwrap_err().to_string().contains("header"));
        }
    }
}
