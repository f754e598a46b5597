//! The first layer's weights, read from a checkpoint without the rest of it.

use std::path::Path;

use safetensors::Dtype;

use super::FigureError;
use super::reading::malformed;
use super::results::Run;
use crate::files::is_there;
use crate::files::tensors::{TensorError, TensorFile};

const FIRST: &str = "layers.0.weight";

/// A layer's weights, row by row: `[fan_in, fan_out]`.
#[derive(Clone, Debug)]
pub struct Weights {
    pub fan_in: usize,
    pub fan_out: usize,
    pub values: Vec<f32>,
}

/// Weights of layer 0 of the checkpoint that is evaluated, the best one if held-out rows chose it, else the last one;
/// where it is missing, of the other.
pub fn read_first_layer(run: &Run) -> Result<Option<Weights>, FigureError> {
    let folder = run.folder.join("checkpoints");
    let mut names = ["last.safetensors", "best.safetensors"];
    if run.split() == Some("validation") {
        names.reverse();
    }
    for name in names {
        let path = folder.join(name);
        let found = is_there(&path);
        if found.map_err(|error| FigureError::Read { path: path.clone(), source: error.source })? {
            return read(&path).map(Some);
        }
    }
    Ok(None)
}

fn read(path: &Path) -> Result<Weights, FigureError> {
    let damaged = |message: &str| malformed(path, 0, &format!("{message}; it must be a checkpoint of `ff`"));
    let unreadable = |error| match error {
        TensorError::Io(source) => FigureError::Read { path: path.to_owned(), source },
        TensorError::Format(message) => damaged(&message),
    };
    let file = TensorFile::open(path).map_err(unreadable)?;
    let tensor = file.tensors().get(FIRST).ok_or_else(|| damaged(&format!("no tensor `{FIRST}`")))?;
    let (&[fan_in, fan_out], Dtype::F32) = (tensor.shape.as_slice(), tensor.dtype) else {
        return Err(damaged(&format!("`{FIRST}` is not an F32 matrix")));
    };
    let values = file.read(FIRST).map_err(unreadable)?;
    Ok(Weights { fan_in, fan_out, values })
}
