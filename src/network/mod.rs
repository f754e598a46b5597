//! The network on a device: its layers, how they are initialized, passes through them.

mod average;
mod head;
mod hidden;
mod initialization;
mod labelled;
mod layer;
mod pass;
mod stored;
mod tensors;
mod top_down;

use ff_backend::{Backend, Result};

pub use average::Average;
pub use head::HeadLayer;
pub use hidden::Hidden;
pub use initialization::{initial_head, initial_similarity_map, initial_top_down, initial_weights};
pub use labelled::{Labelled, label_energies};
pub use layer::{Layer, Lesson};
pub use pass::{Activities, ImageRows, forward, head_logits, neutral_logits, neutral_pass};
pub use stored::{Fill, Lent, Named, Stored, matrix};
pub use tensors::{Tensors, download, parameter, upload};
pub use top_down::States;

use crate::spec::Spec;

/// A Forward-Forward network on a device.
pub struct Network<B: Backend> {
    /// Its constants.
    pub spec: Spec,
    /// The hidden layers, from the input up.
    pub layers: Vec<Box<dyn Layer<B>>>,
    /// The softmax head: the part that reads each scored layer.
    pub head: Option<Vec<HeadLayer<B>>>,
    /// The mean of its weights over epochs, where one is taken.
    pub average: Option<Average>,
}

impl<B: Backend> Network<B> {
    /// A network with weights drawn from the spec's seed.
    pub fn new(backend: &B, spec: Spec) -> Result<Self> {
        let layer = |l| Ok(Box::new(Hidden::new(backend, &spec, l)?) as Box<dyn Layer<B>>);
        let layers = (0..spec.depth()).map(layer).collect::<Result<_>>()?;
        let head = spec
            .head
            .map(|optimizer| HeadLayer::all(backend, &spec, spec.head_layers(), optimizer))
            .transpose()?;
        Ok(Network { spec, layers, head, average: None })
    }

    /// Trained numbers, the head's included; not those of maps, which training alone reads.
    pub fn parameters(&self) -> usize {
        let layers = self.layers.iter().map(|layer| layer.tensors().elements());
        let head = self.head.iter().flatten().map(|part| tensors::elements(&part.weights));
        layers.chain(head).sum()
    }
}
