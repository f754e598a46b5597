//! Writing a network: tensor by tensor from the device, sealed, beside the file that it replaces.

use std::collections::HashMap;
use std::path::Path;

use ff_backend::{Backend, Parameter, Tensor};
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};

use super::seal::{self, Seal, Sealing};
use super::{CONFIG, CheckpointError, Described, Progress, no_number};
use crate::config::Config;
use crate::files::Staged;
use crate::network::{Network, Tensors, download};

/// What goes into a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contents {
    /// Weights, biases and head.
    Weights,
    /// Those and the optimizer's state.
    Training,
}

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
    let mut tensors = tensors_of(backend, network, contents);
    tensors.sort_by(|a, b| a.name.cmp(&b.name));
    let header = header(&tensors, describe(config, progress))
        .map_err(|reason| CheckpointError::Format { path: path.into(), reason })?;
    let mut file = Staged::new(path)?;
    let mut sealing = Sealing::default();
    let length = (header.len() as u64).to_le_bytes();
    for part in [&length[..], &header] {
        sealing.update(part);
        file.write(part)?;
    }
    for Named { name, download, .. } in tensors {
        let values = download()?;
        if let Some(value) = no_number(&name, &values) {
            return Err(CheckpointError::NotFinite { path: path.into(), tensor: name, value });
        }
        for values in values.chunks(CHUNK) {
            let bytes = values.iter().map(|value| value.to_le_bytes()).collect::<Vec<_>>().into_flattened();
            sealing.update(&bytes);
            file.write(&bytes)?;
        }
    }
    let place = seal::find(&header).map(|at| (length.len() + at) as u64);
    if let Some(place) = place {
        file.write_at(place, sealing.digits().as_bytes())?;
    }
    Ok(file)
}

/// Values that are converted and written at a time.
const CHUNK: usize = 1 << 18;

/// The resolved config and where the run stands, with a seal to be filled in.
fn describe(config: &Config, progress: &Progress) -> Result<String, toml::ser::Error> {
    // Where a run lies is not part of what it is: moved or repeated elsewhere, its files are the same.
    let mut config = config.clone();
    let defaults = Config::default();
    config.logging.log_dir = defaults.logging.log_dir;
    config.data.data_dir = defaults.data.data_dir;
    let config = toml::Table::try_from(config)?;
    toml::to_string(&Described { config, run: progress.clone(), seal: Some(Seal::open()) })
}

/// The header of a safetensors file: metadata, then name, type, shape and place of each tensor, padded to 8 bytes.
fn header(tensors: &[Named], described: Result<String, toml::ser::Error>) -> Result<Vec<u8>, String> {
    let described = described.map_err(|error| error.to_string())?;
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
