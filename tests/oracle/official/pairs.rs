//! Pairs whose negative is the more probable, as the official code counts them.

use ff_backend::{Backend, LabelCode};
use forward_forward::network::{Activities, ImageRows, Network, activate_first, forward};
use forward_forward::training::Batch;

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
        let architecture = &network.architecture;
        Pairs {
            images: ImageRows::new(backend, architecture, pairs).unwrap(),
            stack: Activities::new(backend, architecture, 2 * pairs).unwrap(),
            improbable: vec![0; architecture.depth()],
            weaker: vec![0; architecture.depth()],
        }
    }

    /// One batch, before the network learns from it.
    pub fn count(&mut self, backend: &B, network: &Network<B>, images: &B::Images, batch: &Batch<B>) {
        let architecture = &network.architecture;
        let code = LabelCode::Each(batch.labels);
        self.images.gather(backend, architecture, images, batch.rows, None).unwrap();
        self.images.multiply(backend, network, true).unwrap();
        for l in 0..architecture.depth() {
            match l {
                0 => activate_first(backend, network, &self.images, code, &mut self.stack).unwrap(),
                _ => forward(backend, network, l, code, &mut self.stack).unwrap(),
            }
            let goodness = fetch(backend, self.stack.goodness(l));
            let threshold = architecture.threshold(l);
            let probability = |goodness: f64| 1.0 / (1.0 + ((threshold - goodness) as f32).exp());
            let (positive, negative) = goodness.split_at(goodness.len() / 2);
            for (&positive, &negative) in positive.iter().zip(negative) {
                self.improbable[l] += u32::from(probability(negative) > probability(positive));
                self.weaker[l] += u32::from(negative > positive);
            }
        }
    }
}
