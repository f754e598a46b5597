//! What a checkpoint holds: a network's tensors under their names, on the device or copied there.

use std::ops::Deref;

use ff_backend::{Backend, Parameter, Result, Tensor, Weights};

use crate::network::{Network, Tensors, download};

/// What goes into a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contents {
    /// Weights, biases and head.
    Weights,
    /// Those and the optimizer's state.
    Training,
}

/// A tensor of a network, whatever its layout.
pub trait Stored<B: Backend> {
    /// Its values, row-major. Waits for everything enqueued before.
    fn fetch(&self, backend: &B) -> Result<Vec<f32>>;
    /// A copy of it on the device.
    fn copied(&self, backend: &B) -> Result<Box<dyn Stored<B>>>;
}

impl<B: Backend, T: Tensor<B> + 'static> Stored<B> for T {
    fn fetch(&self, backend: &B) -> Result<Vec<f32>> {
        download(backend, self)
    }

    fn copied(&self, backend: &B) -> Result<Box<dyn Stored<B>>> {
        let mut copy = self.like(backend)?;
        self.copy(backend, &mut copy)?;
        Ok(Box::new(copy))
    }
}

/// A tensor with its name and shape in the file; `T` leads to a [`Stored`].
pub(super) struct Named<T> {
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
    pub(super) tensor: T,
}

/// A tensor that a network holds.
type Lent<'a, B> = Named<&'a dyn Stored<B>>;

impl<T> Named<T> {
    /// The same under the same name, copied on the device.
    pub(super) fn copied<B: Backend>(self, backend: &B) -> Result<Named<Box<dyn Stored<B>>>>
    where
        T: Deref<Target: Stored<B>>,
    {
        Ok(Named { name: self.name, shape: self.shape, tensor: self.tensor.copied(backend)? })
    }
}

fn matrix<B: Backend, T: Tensor<B> + 'static>(name: String, tensor: &T) -> Lent<'_, B> {
    Named { name, shape: vec![tensor.rows(), tensor.columns()], tensor }
}

fn vector<B: Backend, T: Tensor<B> + 'static>(name: String, tensor: &T) -> Lent<'_, B> {
    Named { shape: vec![tensor.columns()], ..matrix(name, tensor) }
}

/// The tensors of a network in the order of their names.
pub(super) fn tensors_of<B: Backend>(network: &Network<B>, contents: Contents) -> Vec<Lent<'_, B>> {
    let mut all = Vec::new();
    for (l, layer) in network.layers.iter().enumerate() {
        let Tensors { weights, top_down, .. } = layer.tensors();
        all.push(matrix(format!("layers.{l}.weight"), &weights.weight.value));
        if let Some(top_down) = top_down {
            all.push(matrix(format!("layers.{l}.top_down.weight"), &top_down.weight.value));
        }
        if let Some(bias) = &weights.bias {
            all.push(vector(format!("layers.{l}.bias"), &bias.value));
        }
    }
    for part in network.head.iter().flatten() {
        all.push(matrix(format!("head.{}.weight", part.layer), &part.weights.weight.value));
    }
    if contents == Contents::Training {
        for (l, layer) in network.layers.iter().enumerate() {
            let Tensors { weights, top_down, similarity_map, running_mean } = layer.tensors();
            all.extend(moments(&format!("layers.{l}.weight"), &weights.weight));
            if let Some(top_down) = top_down {
                all.extend(moments(&format!("layers.{l}.top_down.weight"), &top_down.weight));
            }
            if let Some(bias) = &weights.bias {
                all.extend(moments(&format!("layers.{l}.bias"), bias));
            }
            if let Some(Weights { weight, .. }) = similarity_map {
                all.push(matrix(format!("optimizer.{}", map_of(l)), &weight.value));
                all.extend(moments(&map_of(l), weight));
            }
            all.push(matrix(format!("optimizer.layers.{l}.running_mean"), running_mean));
        }
        for part in network.head.iter().flatten() {
            all.extend(moments(&format!("head.{}.weight", part.layer), &part.weights.weight));
        }
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// The map of a layer's activities is a part of training's state, so that no reader of weights meets it.
pub(super) fn map_of(l: usize) -> String {
    format!("layers.{l}.similarity_map")
}

fn moments<'a, B: Backend, T: Tensor<B> + 'static>(
    name: &str,
    parameter: &'a Parameter<T>,
) -> impl Iterator<Item = Lent<'a, B>> {
    let first = matrix(format!("optimizer.{name}.first"), &parameter.first);
    let second = |second| matrix(format!("optimizer.{name}.second"), second);
    [first].into_iter().chain(parameter.second.as_ref().map(second))
}
