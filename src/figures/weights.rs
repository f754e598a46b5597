//! The first layer's weights, read from a checkpoint without the rest of it.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use serde::Deserialize;

use super::FigureError;
use super::reading::malformed;

/// Headers are JSON of a few kilobytes; more than this is no checkpoint.
const MAX_HEADER: u64 = 16 << 20;

/// A layer's weights, row by row: `[fan_in, fan_out]`.
#[derive(Clone, Debug)]
pub struct Weights {
    pub fan_in: usize,
    pub fan_out: usize,
    pub values: Vec<f32>,
}

#[derive(Deserialize)]
struct Tensor {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: (u64, u64),
}

/// Weights of layer 0 of the best checkpoint, else of the last one.
pub fn read_first_layer(run: &Path) -> Result<Option<Weights>, FigureError> {
    let folder = run.join("checkpoints");
    let files = ["best.safetensors", "last.safetensors"].map(|name| folder.join(name));
    match files.iter().find(|path| path.is_file()) {
        Some(path) => read(path).map(Some),
        None => Ok(None),
    }
}

fn read(path: &Path) -> Result<Weights, FigureError> {
    let damaged = |message: &str| malformed(path, 0, &format!("{message}; it must be a checkpoint of `ff`"));
    let read_error = |source: std::io::Error| match source.kind() {
        ErrorKind::UnexpectedEof => damaged("the file is cut short"),
        _ => FigureError::Read { path: path.to_owned(), source },
    };
    let mut file = File::open(path).map_err(read_error)?;
    let size = file.metadata().map_err(read_error)?.len();
    let mut length = [0; 8];
    file.read_exact(&mut length).map_err(read_error)?;
    let length = u64::from_le_bytes(length);
    if length > MAX_HEADER.min(size) {
        return Err(damaged("the header is longer than the file"));
    }
    let mut header = vec![0; length as usize];
    file.read_exact(&mut header).map_err(read_error)?;
    let header: serde_json::Value =
        serde_json::from_slice(&header).map_err(|error| damaged(&format!("the header: {error}")))?;
    let tensor = header
        .get("layers.0.weight")
        .and_then(|tensor| Tensor::deserialize(tensor).ok())
        .ok_or_else(|| damaged("no tensor `layers.0.weight`"))?;
    let (begin, end) = tensor.data_offsets;
    let (&[fan_in, fan_out], "F32") = (tensor.shape.as_slice(), tensor.dtype.as_str()) else {
        return Err(damaged("`layers.0.weight` is not an F32 matrix"));
    };
    let bytes = fan_in.checked_mul(fan_out).and_then(|n| n.checked_mul(4));
    let within = begin <= end && end <= size.saturating_sub(8 + length);
    if !within || bytes.map(|bytes| bytes as u64) != Some(end - begin) {
        return Err(damaged("`layers.0.weight` does not have its shape's size"));
    }
    let mut data = vec![0; (end - begin) as usize];
    file.seek(SeekFrom::Start(8 + length + begin)).map_err(read_error)?;
    file.read_exact(&mut data).map_err(read_error)?;
    let values = data.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    Ok(Weights { fan_in, fan_out, values })
}
