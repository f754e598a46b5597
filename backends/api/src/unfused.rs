//! The fused operations, composed of the others: what they must agree with.

use crate::{Backend, Delta, Gradient, Input, Result, Rule, Shape, Tensor, Weights};

/// [`Backend::project`] as `product`, then `activate`, with the product in memory.
pub fn project<B: Backend>(
    backend: &B,
    input: &Input<B>,
    layer: &Weights<B>,
    out: &mut B::Matrix,
    squares: &mut B::Matrix,
) -> Result<()> {
    let mut product = backend.zeros(out.rows(), out.columns())?;
    backend.product(input.features, &layer.weight.value, input.classes(), &mut product)?;
    backend.activate(&product, input, layer, out, squares)
}

/// [`Backend::learn`] as `gradient`, then `update`, with the gradient in memory.
pub fn learn<B: Backend>(
    backend: &B,
    input: &Input<B>,
    delta: &Delta<B>,
    layer: &mut Weights<B>,
    rule: Rule,
) -> Result<()> {
    let mut gradient = Gradient {
        weight: layer.weight.value.like(backend)?,
        bias: layer.bias.as_ref().map(|bias| bias.value.like(backend)).transpose()?,
    };
    backend.gradient(input, delta, &mut gradient)?;
    backend.update(layer, &gradient, rule)
}
