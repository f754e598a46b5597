//! Layers that are driven from below and from above, step by step (arXiv 2212.13345, section 3.4).

use ff_backend::{Backend, Input, LabelCode, Result};

use super::{Activities, ImageRows, Network, forward};
use crate::spec::Spec;

/// The states of all layers, and what they were a step before.
///
/// A bottom-up pass with the neutral label starts them. In a step every layer reads the normalized states that the layers
/// beside it had a step before, the first one the image, the last one the label; a share of its own state stays, before
/// normalization: h ← d h + (1 − d) max(0, z W + z' V + b).
pub struct States<B: Backend> {
    /// The states, or those that the bottom-up pass has left.
    pub now: Activities<B>,
    before: Activities<B>,
    /// What each layer computes in a step; then half the slope of its Σ h² along its sums `[rows, units]`.
    computed: Vec<B::Matrix>,
    /// Products of the layers between two others with what is below them `[rows, units]`.
    products: Vec<B::Matrix>,
}

impl<B: Backend> States<B> {
    /// Room for `rows` rows.
    pub fn new(backend: &B, spec: &Spec, rows: usize) -> Result<Self> {
        let between = 1..spec.depth().saturating_sub(1);
        let room = |l: usize| backend.zeros(rows, spec.layers[l].units);
        Ok(States {
            now: Activities::new(backend, spec, rows)?,
            before: Activities::new(backend, spec, rows)?,
            computed: (0..spec.depth()).map(room).collect::<Result<_>>()?,
            products: between.map(room).collect::<Result<_>>()?,
        })
    }

    /// Half the slope of each row's Σ h² along the sums that layer `l` made in the last step `[rows, units]`.
    pub fn slopes(&self, l: usize) -> &B::Matrix {
        &self.computed[l]
    }

    /// What layer `l` read of the layer below it, or of the images, in the last step.
    pub fn below<'a>(
        &'a self,
        spec: &Spec,
        l: usize,
        images: &'a ImageRows<B>,
        code: LabelCode<'a, B>,
    ) -> Input<'a, B> {
        let (features, squares) = self.before.below(l, images);
        spec.layers[l].input(features, squares, code)
    }

    /// What layer `l` read of the layer above it in the last step; nothing, if it is the last one.
    pub fn above(&self, spec: &Spec, l: usize) -> Option<Input<'_, B>> {
        let (hidden, squares) = (self.before.hidden.get(l + 1)?, self.before.squares.get(l + 1)?);
        Some(spec.layers[l].above.as_ref()?.input(hidden, squares))
    }

    /// The bottom-up pass of gathered and multiplied images.
    pub fn start(&mut self, backend: &B, network: &Network<B>, images: &ImageRows<B>) -> Result<()> {
        (0..network.layers.len())
            .try_for_each(|l| forward(backend, network, images, l, LabelCode::Neutral, &mut self.now))
    }

    /// A step of all layers at once, under these labels. The images are multiplied.
    pub fn step(
        &mut self,
        backend: &B,
        network: &Network<B>,
        images: &ImageRows<B>,
        code: LabelCode<B>,
    ) -> Result<()> {
        let spec = &network.spec;
        let Some(top_down) = spec.top_down else { return Ok(()) };
        std::mem::swap(&mut self.now, &mut self.before);
        for (l, layer) in network.layers.iter().enumerate() {
            let States { now, before, computed, products } = self;
            let (features, squares_below) = before.below(l, images);
            let below = spec.layers[l].input(features, squares_below, code);
            let (out, squares) = (&mut computed[l], &mut now.squares[l]);
            let above =
                spec.layers[l].above.as_ref().zip(before.hidden.get(l + 1).zip(before.squares.get(l + 1)));
            match above {
                Some((above, (hidden, squares_above))) => {
                    let above = above.input(hidden, squares_above);
                    let product = match l.checked_sub(1).and_then(|between| products.get_mut(between)) {
                        None => &images.product,
                        Some(product) => {
                            layer.product(backend, features, product)?;
                            product
                        }
                    };
                    layer.forward_between(backend, product, &below, &above, out, squares)?;
                }
                None => layer.forward(backend, &below, out, squares)?,
            }
            backend.damp(&before.hidden[l], top_down.damping, out, &mut now.hidden[l], squares)?;
        }
        Ok(())
    }
}
