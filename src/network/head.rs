//! The softmax head on the normalized activities of the scored layers.

use ff_backend::{Backend, Delta, Input, Result, Rule, Weights};

use super::{Activities, initial_head, parameter};
use crate::spec::{Optimizer, Spec};

/// The part of the head that reads one layer.
pub struct HeadLayer<B: Backend> {
    /// The hidden layer that is read.
    pub layer: usize,
    /// `[fan_out, classes]`, no bias.
    pub weights: Weights<B>,
}

impl<B: Backend> HeadLayer<B> {
    /// A fresh part for each scored layer.
    pub fn all(backend: &B, spec: &Spec, optimizer: Optimizer) -> Result<Vec<Self>> {
        let part = |layer: usize| {
            let units = spec.layers[layer].units;
            let values = initial_head(units, spec.classes);
            let weight = parameter(backend, units, spec.classes, &values, optimizer)?;
            Ok(HeadLayer { layer, weights: Weights { weight, bias: None } })
        };
        spec.scored_layers().map(part).collect()
    }

    /// One step of `rule` down the gradient of the mean cross-entropy. errors `[B, C]`: softmax − one-hot of the
    /// batch's logits; shares `[1, B]`: 1 / B each.
    pub fn learn(
        &mut self,
        backend: &B,
        activities: &Activities<B>,
        errors: &B::Matrix,
        shares: &B::Matrix,
        rule: Rule,
    ) -> Result<()> {
        let input = Input {
            features: &activities.hidden[self.layer],
            squares: &activities.squares[self.layer],
            normalization: activities.normalization,
            label: None,
        };
        let delta = Delta { coefficients: shares, outputs: errors, peer: None };
        backend.learn(&input, &delta, &mut self.weights, rule)
    }
}
