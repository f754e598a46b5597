//! Writing a network: tensor by tensor from the device, sealed, beside the file that it replaces; at once, or a piece
//! at a time from a copy while training goes on.

use std::collections::HashMap;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::vec::IntoIter;

use ff_backend::Backend;
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};

use super::contents::{Contents, tensors_of};
use super::seal::{self, Seal, Sealing};
use super::{CONFIG, CheckpointError, Described, Progress, no_number};
use crate::config::Config;
use crate::files::Staged;
use crate::network::{Named, Network, Stored};

/// Writes a network beside `path`, whose folder has to be there; [`Staged::commit`] puts it in its place.
///
/// One tensor at a time is in host memory. Weights that are no numbers are an error.
pub fn stage<B: Backend>(
    backend: &B,
    network: &Network<B>,
    contents: Contents,
    config: &Config,
    progress: &Progress,
    path: &Path,
) -> Result<Staged, CheckpointError> {
    let described = describe(config, progress, path)?;
    Writing::begin(tensors_of(network, contents), described, path)?.complete(backend)
}

/// A network as it was at one moment, copied on the device.
pub struct Snapshot<B: Backend> {
    tensors: Vec<Named<Box<dyn Stored<B>>>>,
    described: String,
    path: PathBuf,
}

impl<B: Backend> Snapshot<B> {
    /// Copies what a checkpoint at `path` is to hold. Fails where the device has no memory for it.
    pub fn take(
        backend: &B,
        network: &Network<B>,
        contents: Contents,
        config: &Config,
        progress: &Progress,
        path: PathBuf,
    ) -> Result<Self, CheckpointError> {
        let described = describe(config, progress, &path)?;
        let tensors = tensors_of(network, contents).into_iter().map(|tensor| tensor.copied(backend));
        Ok(Snapshot { tensors: tensors.collect::<Result<_, _>>()?, described, path })
    }

    /// Begins its file, whose folder has to be there.
    pub fn write(self) -> Result<Writing<Box<dyn Stored<B>>>, CheckpointError> {
        Writing::begin(self.tensors, self.described, &self.path)
    }
}

/// A checkpoint that is being written, a piece at a time. Dropped, it leaves nothing.
pub struct Writing<T> {
    file: Staged,
    sealing: Sealing,
    /// Where the seal's digits belong, in bytes from the start.
    seal_at: Option<u64>,
    /// The tensors that are still to come.
    tensors: IntoIter<Named<T>>,
    /// The tensor that is being written, and how many of its values are.
    values: Vec<f32>,
    written: usize,
}

/// Values that are converted and written at a time.
const CHUNK: usize = 1 << 18;

impl<T> Writing<T> {
    fn begin(tensors: Vec<Named<T>>, described: String, path: &Path) -> Result<Self, CheckpointError> {
        let header = header(&tensors, described)
            .map_err(|reason| CheckpointError::Format { path: path.into(), reason })?;
        let mut file = Staged::new(path)?;
        let mut sealing = Sealing::default();
        let length = (header.len() as u64).to_le_bytes();
        for part in [&length[..], &header] {
            sealing.update(part);
            file.write(part)?;
        }
        let seal_at = seal::find(&header).map(|at| (length.len() + at) as u64);
        let tensors = tensors.into_iter();
        Ok(Writing { file, sealing, seal_at, tensors, values: Vec::new(), written: 0 })
    }

    /// Writes the next piece: a MiB of one tensor at most, which is fetched when its turn comes. False where nothing
    /// was left.
    pub fn advance<B: Backend>(&mut self, backend: &B) -> Result<bool, CheckpointError>
    where
        T: Deref<Target: Stored<B>>,
    {
        if self.written == self.values.len() {
            let Some(Named { name, tensor, .. }) = self.tensors.next() else { return Ok(false) };
            // The one before makes room first.
            self.values = Vec::new();
            self.values = tensor.fetch(backend)?;
            self.written = 0;
            if let Some(value) = no_number(&name, &self.values) {
                return Err(CheckpointError::NotFinite {
                    path: self.file.path().into(),
                    tensor: name,
                    value,
                });
            }
        }
        let rest = self.values.get(self.written..).unwrap_or_default();
        let piece = rest.get(..CHUNK).unwrap_or(rest);
        let bytes = piece.iter().map(|value| value.to_le_bytes()).collect::<Vec<_>>().into_flattened();
        self.written += piece.len();
        self.sealing.update(&bytes);
        self.file.write(&bytes)?;
        Ok(true)
    }

    /// Writes what is left, and the seal.
    pub fn complete<B: Backend>(mut self, backend: &B) -> Result<Staged, CheckpointError>
    where
        T: Deref<Target: Stored<B>>,
    {
        while self.advance(backend)? {}
        if let Some(place) = self.seal_at {
            self.file.write_at(place, self.sealing.digits().as_bytes())?;
        }
        Ok(self.file)
    }
}

/// The resolved config and where the run stands, with a seal to be filled in.
fn describe(config: &Config, progress: &Progress, path: &Path) -> Result<String, CheckpointError> {
    // Where a run lies is not part of what it is: moved or repeated elsewhere, its files are the same.
    let mut config = config.clone();
    let defaults = Config::default();
    config.logging.log_dir = defaults.logging.log_dir;
    config.data.data_dir = defaults.data.data_dir;
    let described = toml::Table::try_from(config).and_then(|config| {
        toml::to_string(&Described { config, run: progress.clone(), seal: Some(Seal::open()) })
    });
    described.map_err(|error| CheckpointError::Format { path: path.into(), reason: error.to_string() })
}

/// The header of a safetensors file: metadata, then name, type, shape and place of each tensor, padded to 8 bytes.
fn header<T>(tensors: &[Named<T>], described: String) -> Result<Vec<u8>, String> {
    let mut end = 0;
    let infos = tensors.iter().map(|Named { name, shape, .. }| {
        let start = end;
        end += 4 * shape.iter().product::<usize>();
        (name.clone(), TensorInfo { dtype: Dtype::F32, shape: shape.clone(), data_offsets: (start, end) })
    });
    let metadata = HashMap::from([(CONFIG.to_owned(), described)]);
    let metadata = Metadata::new(Some(metadata), infos.collect()).map_err(|error| error.to_string())?;
    let mut header = serde_json::to_vec(&metadata).map_err(|error| error.to_string())?;
    header.resize(header.len().next_multiple_of(8), b' ');
    Ok(header)
}
