//! Pairs whose negative is the more probable, as the official code counts them.

use ff_backend::{Backend, LabelCode};
use forward_forward::batching::Batch;
use forward_forward::network::{Activities, ImageRows, Network, forward};

use crate::files::fetch;

/// Counts over the batches of an epoch. They compare float32 probabilities, so a pair that is far above
/// the threshold on both sides is no error to them, but is one to our tally, which compares goodness.
pub struct Pairs<B: Backend> {
    images: ImageRows<B>,
    stack: Activities<B>,
    /// By probability, in each layer.
    pub improbable: Vec<u32>,
    /// By goodness, in each layer.
    pub weaker: Vec<u32>,
}

impl<B: Backend> Pairs<B> {
    pub fn new(backend: &B, network: &Network<B>, pairs: usize) -> Self {
        let spec = &network.spec;
        Pairs {
            images: ImageRows::new(backend, spec, pairs).unwrap(),
            stack: Activities::new(backend, spec, 2 * pairs).unwrap(),
            improbable: vec![0; spec.depth()],
            weaker: vec![0; spec.depth()],
        }
    }

    /// One batch, before the network learns from it.
    pub fn count(&mut self, backend: &B, network: &Network<B>, images: &B::Images, batch: &Batch<B>) {
        let code = LabelCode::Each(batch.labels);
        self.images.gather(backend, images, batch.rows, None).unwrap();
        self.images.multiply(backend, network).unwrap();
        for (l, layer) in network.spec.layers.iter().enumerate() {
            forward(backend, network, &self.images, l, code, &mut self.stack).unwrap();
            let goodness = fetch(backend, self.stack.goodness(l));
            let threshold = layer.objective.loss.threshold().unwrap();
            let probability = |goodness: f64| 1.0 / (1.0 + ((threshold - goodness) as f32).exp());
            let (positive, negative) = goodness.split_at(goodness.len() / 2);
            for (&positive, &negative) in positive.iter().zip(negative) {
                self.improbable[l] += u32::from(probability(negative) > probability(positive));
                self.weaker[l] += u32::from(negative > positive);
            }
        }
    }
}
