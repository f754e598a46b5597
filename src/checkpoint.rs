//! Checkpoints: safetensors that any Python reader opens, written whole or not at all.
//!
//! `layers.{l}.weight` `[fan_in, fan_out]`, `layers.{l}.bias` `[fan_out]`, `layers.{l}.top_down.weight`
//! `[fan_out of l + 1, fan_out]` where the layer above drives this one too, `head.{l}.weight`
//! `[fan_out, classes]`, and `optimizer.*` for training state. A file with `layers.*` alone is a
//! checkpoint too.

mod contents;
mod newest;
mod seal;
mod write;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use ff_backend::{Backend, BackendError, Parameter, Shape, Tensor, Weights};
use safetensors::Dtype;
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::data::class_names::{self, MOST_CLASSES};
use crate::data::{Brightness, ImageShape};
use crate::files::FileError;
use crate::files::tensors::{TensorError, TensorFile};
use crate::network::{HeadLayer, Network, Tensors, upload};

pub use contents::Contents;
use contents::{map_of, set_aside};
pub use newest::{Newest, read_newest};
pub use write::{Snapshot, Writing, stage};

/// Why a checkpoint could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The file system refused.
    #[error(transparent)]
    Io(#[from] FileError),
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

impl CheckpointError {
    /// Whether there is no such file.
    pub fn is_absence(&self) -> bool {
        let absent = [ErrorKind::NotFound, ErrorKind::NotADirectory];
        matches!(self, CheckpointError::Io(error) if absent.contains(&error.source.kind()))
    }

    /// Whether the file is of no use, now and later: gone, cut off, or with other bits than were written.
    pub fn is_damage(&self) -> bool {
        match self {
            CheckpointError::Io(_) => self.is_absence(),
            // Somebody's weights, or a bit: nobody but the reader can tell.
            CheckpointError::NotFinite { .. } | CheckpointError::Backend(_) => false,
            CheckpointError::Format { .. } | CheckpointError::Mismatch { .. } => true,
        }
    }
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// What they are called; empty where their numbers are their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub class_names: Vec<String>,
    /// How bright the training images are; `None` in files of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brightness: Option<Brightness>,
    /// SHA-256 of the data it was trained and measured on, see [`DatasetInfo`](crate::data::DatasetInfo); `None` in
    /// files of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_sha256: Option<String>,
}

impl Progress {
    /// What no network was trained on, if so: nothing below would stand it.
    fn problem(&self) -> Option<String> {
        let ImageShape { height, width, channels } = self.image;
        let pixels = height.checked_mul(width).filter(|pixels| (1..=1 << 30).contains(pixels));
        if pixels.is_none() || !ImageShape::CHANNELS.contains(&channels) {
            return Some(format!("images of {} pixels", self.image));
        }
        if !(1..=MOST_CLASSES).contains(&self.classes) {
            return Some(format!("{} classes, expected at most {MOST_CLASSES}", self.classes));
        }
        if self.class_names.is_empty() {
            return None;
        }
        let wrong = self.class_names.len() != self.classes;
        let count = || format!("{} names of {} classes", self.class_names.len(), self.classes);
        wrong.then(count).or_else(|| class_names::problem(&self.class_names))
    }
}

#[derive(Serialize, Deserialize)]
struct Described {
    #[serde(flatten)]
    config: toml::Table,
    run: Progress,
    /// Last, so that nothing of the run's own can be taken for it; missing in files of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seal: Option<seal::Seal>,
}

impl Checkpoint {
    /// Opens a file, and checks the names, types and shapes of its tensors.
    pub fn read(path: &Path) -> Result<Checkpoint, CheckpointError> {
        let file = TensorFile::open(path).map_err(|error| unreadable(path, error))?;
        let checkpoint = Checkpoint { path: path.into(), file };
        checkpoint.check_names()?;
        if let Err(error) = seal::verify(path) {
            checkpoint.refuse_no_numbers()?;
            return Err(unreadable(path, error));
        }
        Ok(checkpoint)
    }

    /// Where it was read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The config that trained the network and where its run stood; `None` in someone else's file.
    pub fn described(&self) -> Result<Option<(Config, Progress)>, CheckpointError> {
        let read = |text: &str| -> Result<_, toml::de::Error> {
            let Described { config, run, .. } = toml::from_str(text)?;
            Ok((config.try_into()?, run))
        };
        let broken =
            |error: toml::de::Error| self.mismatch(format!("config in the metadata: {}", error.message()));
        let described = self.file.metadata(CONFIG).map(read).transpose().map_err(broken)?;
        if let Some(problem) =
            described.as_ref().and_then(|(_, progress): &(Config, Progress)| progress.problem())
        {
            return Err(self.mismatch(format!("config in the metadata: {problem}")));
        }
        Ok(described)
    }

    /// The same, if it says where its run stood.
    pub fn with_progress(self) -> Result<Self, CheckpointError> {
        match self.described()? {
            Some(_) => Ok(self),
            None => Err(self.mismatch("its metadata does not say where its run stood".into())),
        }
    }

    /// The epoch whose weights it holds; `None` in someone else's file.
    pub fn epoch(&self) -> Result<Option<usize>, CheckpointError> {
        Ok(self.described()?.map(|(_, progress)| progress.epoch))
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
                ["layers", l, "weight" | "bias"]
                | ["layers", l, "top_down", "weight"]
                | ["head", l, "weight"] => index(l),
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

    /// Names the first weight that is no number: what is wrong with a file whose bits are not those written.
    fn refuse_no_numbers(&self) -> Result<(), CheckpointError> {
        let mut ours = self.file.tensors().iter().filter(|(name, _)| is_ours(name));
        ours.try_for_each(|(name, info)| self.tensor(name, &info.shape).map(drop))
    }

    /// Whether layers are driven from above too.
    pub fn is_top_down(&self) -> bool {
        self.file.tensors().contains_key("layers.0.top_down.weight")
    }

    /// Whether the file holds a head.
    pub fn has_head(&self) -> bool {
        self.file.tensors().keys().any(|name| name.starts_with("head."))
    }

    /// Whether its head reads the first layer too.
    pub fn head_reads_first(&self) -> bool {
        self.file.tensors().contains_key("head.0.weight")
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
            let Tensors { weights, top_down, .. } = layer.tensors_mut();
            let name = format!("layers.{l}.top_down.weight");
            match top_down {
                Some(top_down) => {
                    let weight = &mut top_down.weight.value;
                    upload(backend, weight, &self.tensor(&name, &[weight.rows(), weight.columns()])?)?;
                }
                None if self.file.tensors().contains_key(&name) => {
                    return Err(self.mismatch(format!(
                        "{name} is there, nothing drives layer {l} of this network from above"
                    )));
                }
                None => {}
            }
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
            let Tensors { weights, top_down, similarity_map, running_mean } = layer.tensors_mut();
            self.load_moments(backend, &format!("layers.{l}.weight"), &mut weights.weight)?;
            if let Some(top_down) = top_down {
                self.load_moments(backend, &format!("layers.{l}.top_down.weight"), &mut top_down.weight)?;
            }
            if let Some(bias) = &mut weights.bias {
                self.load_moments(backend, &format!("layers.{l}.bias"), bias)?;
            }
            if let Some(Weights { weight, .. }) = similarity_map {
                self.load(backend, format!("optimizer.{}", map_of(l)), &mut weight.value)?;
                self.load_moments(backend, &map_of(l), weight)?;
            }
            self.load(backend, format!("optimizer.layers.{l}.running_mean"), running_mean)?;
        }
        for HeadLayer { layer, weights } in network.head.iter_mut().flatten() {
            self.load_moments(backend, &format!("head.{layer}.weight"), &mut weights.weight)?;
        }
        let is_average = self.file.tensors().contains_key(&set_aside("layers.0.weight"));
        if is_average {
            let trained = network.values().into_iter();
            let trained = trained.map(|value| self.tensor(&set_aside(&value.name), &value.shape));
            let trained = trained.collect::<Result<_, _>>()?;
            network.restore_average(backend, trained)?;
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
        TensorError::Io(source) => FileError::new(path, source).into(),
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
