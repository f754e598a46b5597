//! What a layer keeps: trained tensors, and how they are made and moved.

use ff_backend::{Backend, Parameter, Real, Result, Shape, Tensor, Weights};

use crate::spec::Optimizer;

/// The tensors of one hidden layer: all that a checkpoint saves of it.
pub struct Tensors<B: Backend> {
    /// Weights `[fan_in, fan_out]`, bias `[1, fan_out]`, and what the optimizer remembers of them.
    pub weights: Weights<B>,
    /// Weights `[units above, fan_out]` from the layer above, where one drives this one too. No bias.
    pub top_down: Option<Weights<B>>,
    /// The linear map of its activities whose similarities are matched `[fan_out, fan_out]`, where there is one. No bias;
    /// training alone reads it.
    pub similarity_map: Option<Weights<B>>,
    /// Running mean m of the positives' activities `[1, fan_out]`, for peer normalization.
    pub running_mean: B::Matrix,
}

impl<B: Backend> Tensors<B> {
    /// Trained numbers, without those that training alone reads.
    pub(super) fn elements(&self) -> usize {
        elements(&self.weights) + self.top_down.as_ref().map_or(0, elements)
    }
}

/// Weights or a bias of these values, with fresh optimizer state.
pub fn parameter<B: Backend, T: Tensor<B>>(
    backend: &B,
    mut value: T,
    values: &[f32],
    optimizer: Optimizer,
) -> Result<Parameter<T>> {
    upload(backend, &mut value, values)?;
    let first = value.like(backend)?;
    let second = (optimizer.moments() > 1).then(|| value.like(backend)).transpose()?;
    Ok(Parameter { value, first, second })
}

/// Trained numbers.
pub(super) fn elements<B: Backend>(weights: &Weights<B>) -> usize {
    weights.weight.value.elements() + weights.bias.as_ref().map_or(0, |bias| bias.value.elements())
}

/// Uploads f32 values in the backend's precision.
pub fn upload<B: Backend>(backend: &B, target: &mut impl Tensor<B>, values: &[f32]) -> Result<()> {
    let values: Vec<B::Real> = values.iter().map(|&x| B::Real::from_f64(f64::from(x))).collect();
    backend.upload(target, &values)
}

/// Downloads values as f32.
pub fn download<B: Backend>(backend: &B, source: &impl Tensor<B>) -> Result<Vec<f32>> {
    Ok(backend.download(source)?.into_iter().map(|x| x.to_f64() as f32).collect())
}
