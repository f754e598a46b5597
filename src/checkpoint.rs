//! Checkpoints: safetensors that any Python reader opens, written whole or not at all.
//!
//! `layers.{l}.weight` `[fan_in, fan_out]`, `layers.{l}.bias` `[fan_out]`, `head.{l}.weight`
//! `[fan_out, classes]`, and `optimizer.*` for training state. A file with `layers.*` alone is a
//! checkpoint too.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use ff_backend::{Backend, BackendError, Parameter, Shape, Tensor};
use safetensors::{Dtype, SafeTensorError, View};
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::data::ImageShape;
use crate::files::temporary;
use crate::files::tensors::{TensorError, TensorFile};
use crate::network::{HeadLayer, Network, Tensors, download, upload};

/// Why a checkpoint could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The file system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The bytes are not a checkpoint.
    #[error("{}: not a readable safetensors file: {reason}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        reason: String,
    },
    /// The tensors are not those of the network.
    #[error("{}: {reason}", path.display())]
    Mismatch {
        /// The file.
        path: PathBuf,
        /// Tensor, shape found, shape needed.
        reason: String,
    },
    /// Weights that are no numbers: nothing can be computed from them.
    #[error("{}: {tensor} holds {value}", path.display())]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// The first such tensor.
        tensor: String,
        /// NaN or an infinity.
        value: f32,
    },
    /// The device refused.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

/// A checkpoint on disk, its header read and checked; tensors are read when they are put into a network.
pub struct Checkpoint {
    path: PathBuf,
    file: TensorFile,
}

/// Key of the only metadata entry. More than one would be written in random order, and the same run
/// would not give the same bytes.
const CONFIG: &str = "config";

/// Where a run stood: table `run` of the config in a checkpoint's metadata.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Finished epochs.
    pub epoch: usize,
    /// Best accuracy so far.
    pub best_accuracy: f64,
    /// The epoch it was reached in.
    pub best_epoch: usize,
    /// Shape of the images.
    pub image: ImageShape,
    /// Number of labels.
    pub classes: usize,
}

#[derive(Serialize, Deserialize)]
struct Described {
    #[serde(flatten)]
    config: toml::Table,
    run: Progress,
}

impl Checkpoint {
    /// Opens a file, and checks the names, types and shapes of its tensors.
    pub fn read(path: &Path) -> Result<Checkpoint, CheckpointError> {
        let file = TensorFile::open(path).map_err(|error| unreadable(path, error))?;
        let checkpoint = Checkpoint { path: path.into(), file };
        checkpoint.check_names()?;
        Ok(checkpoint)
    }

    /// Where it was read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The config that trained the network and where its run stood; `None` in someone else's file.
    pub fn described(&self) -> Result<Option<(Config, Progress)>, CheckpointError> {
        let read = |text: &str| -> Result<_, toml::de::Error> {
            let Described { config, run } = toml::from_str(text)?;
            Ok((config.try_into()?, run))
        };
        let broken =
            |error: toml::de::Error| self.mismatch(format!("config in the metadata: {}", error.message()));
        self.file.metadata(CONFIG).map(read).transpose().map_err(broken)
    }

    /// Shapes `[fan_in, fan_out]` of the layers there are, from the input up.
    pub fn layer_shapes(&self) -> Result<Vec<(usize, usize)>, CheckpointError> {
        let shapes: Vec<_> = (0..)
            .map_while(|l| self.file.tensors().get(&format!("layers.{l}.weight")))
            .map(|info| match info.shape[..] {
                [fan_in, fan_out] if fan_in > 0 && fan_out > 0 => Ok((fan_in, fan_out)),
                _ => Err(self
                    .mismatch(format!("a layer's weight has shape {:?}, not [fan_in, fan_out]", info.shape))),
            })
            .collect::<Result<_, _>>()?;
        if shapes.is_empty() {
            return Err(self.mismatch("there is no tensor layers.0.weight".into()));
        }
        Ok(shapes)
    }

    /// Refuses tensors under our names that no network reads: a layer behind a gap, as `layers.2` of a
    /// `Sequential` whose `layers.1` is an activation, or one that only looks like ours.
    fn check_names(&self) -> Result<(), CheckpointError> {
        let tensors = self.file.tensors();
        let depth = self.layer_shapes()?.len();
        for (name, info) in tensors.iter().filter(|(name, _)| is_ours(name)) {
            if info.dtype != Dtype::F32 {
                let reason = format!("tensor {name} is {:?}, not F32", info.dtype);
                return Err(CheckpointError::Format { path: self.path.clone(), reason });
            }
            let layer = match name.split('.').collect::<Vec<_>>()[..] {
                ["layers", l, "weight" | "bias"] | ["head", l, "weight"] => index(l),
                ["optimizer", ..] => continue,
                _ => None,
            };
            let Some(layer) = layer else {
                return Err(self.mismatch(format!(
                    "there is {name}, expected layers.N.weight, layers.N.bias or head.N.weight with N from 0"
                )));
            };
            if layer >= depth {
                return Err(self.mismatch(format!(
                    "there is {name}, but no layers.{depth}.weight: layers are numbered from 0 without a gap"
                )));
            }
        }
        Ok(())
    }

    /// Whether the file holds a head.
    pub fn has_head(&self) -> bool {
        self.file.tensors().keys().any(|name| name.starts_with("head."))
    }

    fn mismatch(&self, reason: String) -> CheckpointError {
        CheckpointError::Mismatch { path: self.path.clone(), reason }
    }

    /// The values of a tensor that has to have this shape.
    fn tensor(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, CheckpointError> {
        let found = self
            .file
            .tensors()
            .get(name)
            .ok_or_else(|| self.mismatch(format!("there is no tensor {name}")))?;
        if found.shape != shape {
            let found = &found.shape;
            return Err(self.mismatch(format!("{name} has shape {found:?}, this network needs {shape:?}")));
        }
        let values = self.file.read(name).map_err(|error| unreadable(&self.path, error))?;
        if let Some(value) = no_number(name, &values) {
            let (path, tensor) = (self.path.clone(), name.to_owned());
            return Err(CheckpointError::NotFinite { path, tensor, value });
        }
        Ok(values)
    }

    /// Puts the weights into a network, and the head's if the network has one.
    pub fn load_weights<B: Backend>(
        &self,
        backend: &B,
        network: &mut Network<B>,
    ) -> Result<(), CheckpointError> {
        let surplus = format!("layers.{}.weight", network.layers.len());
        if self.file.tensors().contains_key(&surplus) {
            return Err(self
                .mismatch(format!("{surplus} is there, this network has {} layers", network.layers.len())));
        }
        for (l, layer) in network.layers.iter_mut().enumerate() {
            let weights = &mut layer.tensors_mut().weights;
            let weight = &mut weights.weight.value;
            let name = format!("layers.{l}.weight");
            upload(backend, weight, &self.tensor(&name, &[weight.rows(), weight.columns()])?)?;
            if let Some(bias) = &mut weights.bias {
                let values = self.tensor(&format!("layers.{l}.bias"), &[bias.value.columns()])?;
                upload(backend, &mut bias.value, &values)?;
            }
        }
        for HeadLayer { layer, weights } in network.head.iter_mut().flatten() {
            let weight = &mut weights.weight.value;
            let name = format!("head.{layer}.weight");
            upload(backend, weight, &self.tensor(&name, &[weight.rows(), weight.columns()])?)?;
        }
        Ok(())
    }

    /// Puts weights and training state into a network.
    pub fn load_training<B: Backend>(
        &self,
        backend: &B,
        network: &mut Network<B>,
    ) -> Result<(), CheckpointError> {
        self.load_weights(backend, network)?;
        for (l, layer) in network.layers.iter_mut().enumerate() {
            let Tensors { weights, running_mean } = layer.tensors_mut();
            self.load_moments(backend, &format!("layers.{l}.weight"), &mut weights.weight)?;
            if let Some(bias) = &mut weights.bias {
                self.load_moments(backend, &format!("layers.{l}.bias"), bias)?;
            }
            self.load(backend, format!("optimizer.layers.{l}.running_mean"), running_mean)?;
        }
        for HeadLayer { layer, weights } in network.head.iter_mut().flatten() {
            self.load_moments(backend, &format!("head.{layer}.weight"), &mut weights.weight)?;
        }
        Ok(())
    }

    fn load_moments<B: Backend, T: Tensor<B>>(
        &self,
        backend: &B,
        name: &str,
        parameter: &mut Parameter<T>,
    ) -> Result<(), CheckpointError> {
        self.load(backend, format!("optimizer.{name}.first"), &mut parameter.first)?;
        match &mut parameter.second {
            Some(second) => self.load(backend, format!("optimizer.{name}.second"), second),
            None => Ok(()),
        }
    }

    fn load<B: Backend>(
        &self,
        backend: &B,
        name: String,
        target: &mut impl Tensor<B>,
    ) -> Result<(), CheckpointError> {
        let values = self.tensor(&name, &[target.rows(), target.columns()])?;
        Ok(upload(backend, target, &values)?)
    }
}

fn unreadable(path: &Path, error: TensorError) -> CheckpointError {
    match error {
        TensorError::Io(source) => CheckpointError::Io { path: path.into(), source },
        TensorError::Format(reason) => CheckpointError::Format { path: path.into(), reason },
    }
}

/// The number of a layer, as it is written: no sign, no leading zero.
fn index(digits: &str) -> Option<usize> {
    digits.parse().ok().filter(|index: &usize| index.to_string() == digits)
}

fn is_ours(name: &str) -> bool {
    ["layers.", "head.", "optimizer."].iter().any(|prefix| name.starts_with(prefix))
}

/// A weight, bias or head that is NaN or infinite. The optimizer's state may be: an infinite second moment
/// stops a weight and breaks nothing.
fn no_number(name: &str, values: &[f32]) -> Option<f32> {
    let counts = is_ours(name) && !name.starts_with("optimizer.");
    values.iter().copied().find(|value| counts && !value.is_finite())
}

/// What goes into a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contents {
    /// Weights, biases and head.
    Weights,
    /// Those and the optimizer's state.
    Training,
}

/// Writes a network to `path`: to a temporary file, synced, renamed.
pub fn write<B: Backend>(
    backend: &B,
    network: &Network<B>,
    contents: Contents,
    config: &Config,
    progress: &Progress,
    path: &Path,
) -> Result<(), CheckpointError> {
    // Where a run lies is not part of what it is: moved or repeated elsewhere, its files are the same.
    let mut config = config.clone();
    let defaults = Config::default();
    config.logging.log_dir = defaults.logging.log_dir;
    config.data.data_dir = defaults.data.data_dir;
    let describe =
        |error: toml::ser::Error| CheckpointError::Format { path: path.into(), reason: error.to_string() };
    let config = toml::Table::try_from(config).map_err(describe)?;
    let described = toml::to_string(&Described { config, run: *progress }).map_err(describe)?;
    let metadata = HashMap::from([(CONFIG.to_owned(), described)]);
    let io = |source| CheckpointError::Io { path: path.into(), source };
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(io)?;
    let file = temporary::new_in(folder).map_err(nameless).map_err(io)?;
    let permissions = file.as_file().metadata().map_err(io)?.permissions();
    let failure = Cell::new(None);
    let on_device = |Named { name, shape, download }| {
        (String::clone(&name), OnDevice { name, shape, download, path, failure: &failure })
    };
    let written = safetensors::serialize_to_file(
        tensors_of(backend, network, contents).into_iter().map(on_device),
        Some(metadata),
        file.path(),
    );
    if let Some(error) = failure.take() {
        return Err(error);
    }
    written.map_err(|error| match error {
        SafeTensorError::IoError(source) => io(nameless(source)),
        other => CheckpointError::Format { path: path.into(), reason: other.to_string() },
    })?;
    // The writer puts a file of its own, which only its owner may read, in the place of the temporary one.
    let put = std::fs::File::open(file.path()).map_err(io)?;
    put.set_permissions(permissions).and_then(|()| put.sync_all()).map_err(io)?;
    file.persist(path).map_err(|error| io(error.error))?;
    sync_folder(folder);
    Ok(())
}

/// An error without the name of a temporary file, which says nothing to anyone.
pub(crate) fn nameless(error: std::io::Error) -> std::io::Error {
    match error.raw_os_error() {
        Some(_) => error,
        None => error.kind().into(),
    }
}

/// Makes a rename durable, where the system can.
pub fn sync_folder(folder: &Path) {
    if let Ok(folder) = std::fs::File::open(folder) {
        // Not every file system syncs folders; the file itself is already safe.
        let _ = folder.sync_all();
    }
}

/// A tensor's name and shape in the file, and how to fetch it from the device.
struct Named<'a> {
    name: String,
    shape: Vec<usize>,
    download: Box<dyn Fn() -> ff_backend::Result<Vec<f32>> + 'a>,
}

impl<'a> Named<'a> {
    fn matrix<B: Backend>(backend: &'a B, name: String, tensor: &'a impl Tensor<B>) -> Self {
        let shape = vec![tensor.rows(), tensor.columns()];
        Named { name, shape, download: Box::new(move || download(backend, tensor)) }
    }

    fn vector<B: Backend>(backend: &'a B, name: String, tensor: &'a impl Tensor<B>) -> Self {
        Named { shape: vec![tensor.columns()], ..Named::matrix(backend, name, tensor) }
    }
}

fn tensors_of<'a, B: Backend>(backend: &'a B, network: &'a Network<B>, contents: Contents) -> Vec<Named<'a>> {
    let mut all = Vec::new();
    for (l, layer) in network.layers.iter().enumerate() {
        let weights = &layer.tensors().weights;
        all.push(Named::matrix(backend, format!("layers.{l}.weight"), &weights.weight.value));
        if let Some(bias) = &weights.bias {
            all.push(Named::vector(backend, format!("layers.{l}.bias"), &bias.value));
        }
    }
    for part in network.head.iter().flatten() {
        all.push(Named::matrix(backend, format!("head.{}.weight", part.layer), &part.weights.weight.value));
    }
    if contents == Contents::Weights {
        return all;
    }
    for (l, layer) in network.layers.iter().enumerate() {
        let Tensors { weights, running_mean } = layer.tensors();
        all.extend(moments(backend, &format!("layers.{l}.weight"), &weights.weight));
        if let Some(bias) = &weights.bias {
            all.extend(moments(backend, &format!("layers.{l}.bias"), bias));
        }
        all.push(Named::matrix(backend, format!("optimizer.layers.{l}.running_mean"), running_mean));
    }
    for part in network.head.iter().flatten() {
        all.extend(moments(backend, &format!("head.{}.weight", part.layer), &part.weights.weight));
    }
    all
}

fn moments<'a, B: Backend, T: Tensor<B>>(
    backend: &'a B,
    name: &str,
    parameter: &'a Parameter<T>,
) -> impl Iterator<Item = Named<'a>> {
    let first = Named::matrix(backend, format!("optimizer.{name}.first"), &parameter.first);
    let second = |second| Named::matrix(backend, format!("optimizer.{name}.second"), second);
    [first].into_iter().chain(parameter.second.as_ref().map(second))
}

/// A tensor that is fetched only when its bytes are written: a checkpoint takes memory for one of them.
struct OnDevice<'a> {
    name: String,
    shape: Vec<usize>,
    download: Box<dyn Fn() -> ff_backend::Result<Vec<f32>> + 'a>,
    /// The file, for messages.
    path: &'a Path,
    /// Why a fetch failed, or its result must not be written: the writer has no place for it.
    failure: &'a Cell<Option<CheckpointError>>,
}

impl OnDevice<'_> {
    fn elements(&self) -> usize {
        self.shape.iter().product()
    }
}

impl View for OnDevice<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }
    fn shape(&self) -> &[usize] {
        &self.shape
    }
    fn data(&self) -> Cow<'_, [u8]> {
        let values = (self.download)().unwrap_or_else(|error| {
            self.failure.set(Some(error.into()));
            vec![0.0; self.elements()]
        });
        if let Some(value) = no_number(&self.name, &values) {
            let (path, tensor) = (self.path.into(), self.name.clone());
            self.failure.set(Some(CheckpointError::NotFinite { path, tensor, value }));
        }
        values.into_iter().map(f32::to_le_bytes).collect::<Vec<_>>().into_flattened().into()
    }
    fn data_len(&self) -> usize {
        4 * self.elements()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn errors_name_no_temporary_files() {
        // What a builder of temporary files says of a folder that is not there.
        let error = tempfile::Builder::new().tempfile_in("/nowhere").unwrap_err();
        assert!(error.to_string().contains(".tmp"), "{error}");
        assert!(!nameless(error).to_string().contains("tmp"));
    }
}
