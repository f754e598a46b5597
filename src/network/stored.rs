//! The tensors of a network under their names, whatever their layout on the device.

use std::ops::Deref;

use ff_backend::{Backend, Result, Tensor};

use super::{Network, Tensors, download, upload};

/// A tensor, whatever its layout.
pub trait Stored<B: Backend> {
    /// Its values, row-major. Waits for everything enqueued before.
    fn fetch(&self, backend: &B) -> Result<Vec<f32>>;
    /// A copy of it on the device.
    fn copied(&self, backend: &B) -> Result<Box<dyn Stored<B>>>;
}

/// One that can be written.
pub trait Fill<B: Backend>: Stored<B> {
    /// Its values ← `values`, row-major, of which there must be as many.
    fn fill(&mut self, backend: &B, values: &[f32]) -> Result<()>;
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

impl<B: Backend, T: Tensor<B> + 'static> Fill<B> for T {
    fn fill(&mut self, backend: &B, values: &[f32]) -> Result<()> {
        upload(backend, self, values)
    }
}

/// A tensor with its name and shape in a file; `T` leads to a [`Stored`].
pub struct Named<T> {
    /// Such as `layers.0.weight`, `layers.0.bias` or `head.1.weight`.
    pub name: String,
    /// `[rows, columns]`, or `[columns]` of a bias.
    pub shape: Vec<usize>,
    /// The tensor.
    pub tensor: T,
}

/// A tensor that a network holds.
pub type Lent<'a, B> = Named<&'a dyn Stored<B>>;

impl<T> Named<T> {
    /// The same under the same name, copied on the device.
    pub fn copied<B: Backend>(self, backend: &B) -> Result<Named<Box<dyn Stored<B>>>>
    where
        T: Deref<Target: Stored<B>>,
    {
        Ok(Named { name: self.name, shape: self.shape, tensor: self.tensor.copied(backend)? })
    }
}

/// A tensor of rows and columns.
pub fn matrix<B: Backend, T: Tensor<B> + 'static>(name: String, tensor: &T) -> Lent<'_, B> {
    Named { name, shape: vec![tensor.rows(), tensor.columns()], tensor }
}

fn vector<B: Backend, T: Tensor<B> + 'static>(name: String, tensor: &T) -> Lent<'_, B> {
    Named { shape: vec![tensor.columns()], ..matrix(name, tensor) }
}

impl<B: Backend> Network<B> {
    /// All that a prediction reads: the weights and biases of layers and head.
    pub fn values(&self) -> Vec<Lent<'_, B>> {
        let mut all = Vec::new();
        for (l, layer) in self.layers.iter().enumerate() {
            let Tensors { weights, top_down, .. } = layer.tensors();
            all.push(matrix(format!("layers.{l}.weight"), &weights.weight.value));
            if let Some(top_down) = top_down {
                all.push(matrix(format!("layers.{l}.top_down.weight"), &top_down.weight.value));
            }
            if let Some(bias) = &weights.bias {
                all.push(vector(format!("layers.{l}.bias"), &bias.value));
            }
        }
        for part in self.head.iter().flatten() {
            all.push(matrix(format!("head.{}.weight", part.layer), &part.weights.weight.value));
        }
        all
    }

    /// The same, to be written, in the same order.
    pub fn values_mut(&mut self) -> Vec<&mut dyn Fill<B>> {
        let mut all: Vec<&mut dyn Fill<B>> = Vec::new();
        for layer in &mut self.layers {
            let Tensors { weights, top_down, .. } = layer.tensors_mut();
            all.push(&mut weights.weight.value);
            if let Some(top_down) = top_down {
                all.push(&mut top_down.weight.value);
            }
            if let Some(bias) = &mut weights.bias {
                all.push(&mut bias.value);
            }
        }
        for part in self.head.iter_mut().flatten() {
            all.push(&mut part.weights.weight.value);
        }
        all
    }
}
