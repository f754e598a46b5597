//! What training minimizes, measured on held-out images without learning.

use ff_backend::{Backend, Result};

use super::cross_entropy::CrossEntropy;
use super::loss::PairLosses;
use crate::data::Split;
use crate::metrics::GoodnessHistogram;
use crate::network::Network;
use crate::spec::{Learning, Spec};

/// Held-out images on the device, for the losses that a spec asks for.
pub enum ValidationLoss<B: Backend> {
    /// Of goodness.
    Pairs(PairLosses<B>),
    /// Of classifiers.
    Classifiers(CrossEntropy<B>),
}

impl<B: Backend> ValidationLoss<B> {
    /// Puts images on the device. `rows` is the number of rows of a product.
    pub fn new(backend: &B, spec: &Spec, held_out: &Split, rows: usize) -> Result<Self> {
        Ok(match spec.learning {
            Learning::Goodness => ValidationLoss::Pairs(PairLosses::new(backend, spec, held_out, rows)?),
            Learning::Local { .. } | Learning::EndToEnd => {
                ValidationLoss::Classifiers(CrossEntropy::new(backend, spec, held_out, rows)?)
            }
        })
    }

    /// Mean loss of each layer, or of the network where it learns end to end.
    pub fn measure(&self, backend: &B, network: &Network<B>) -> Result<Vec<f64>> {
        match self {
            ValidationLoss::Pairs(pairs) => pairs.measure(backend, network),
            ValidationLoss::Classifiers(classifiers) => classifiers.measure(backend, network),
        }
    }

    /// Goodness of positives and negatives in each layer, where layers learn by it.
    pub fn histograms(
        &self,
        backend: &B,
        network: &Network<B>,
        bins: usize,
    ) -> Result<Vec<GoodnessHistogram>> {
        match self {
            ValidationLoss::Pairs(pairs) => pairs.histograms(backend, network, bins),
            ValidationLoss::Classifiers(_) => Ok(Vec::new()),
        }
    }
}
