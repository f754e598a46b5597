//! The softmax head on the normalized activities of the layers.

use std::ops::Range;

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
    /// A fresh part for each of these layers.
    pub fn all(backend: &B, spec: &Spec, layers: Range<usize>, optimizer: Optimizer) -> Result<Vec<Self>> {
        let part = |layer: usize| {
            let units = spec.layers[layer].units;
            let values = initial_head(units, spec.classes);
            let weight = parameter(backend, backend.weight(units, spec.classes)?, &values, optimizer)?;
            Ok(HeadLayer { layer, weights: Weights { weight, bias: None } })
        };
        layers.map(part).collect()
    }

    /// logits (+)= what it makes of its layer `[B, C]`; adds if `add`.
    pub fn read_out(
        &self,
        backend: &B,
        activities: &Activities<B>,
        logits: &mut B::Matrix,
        add: bool,
    ) -> Result<()> {
        let (hidden, squares) = (&activities.hidden[self.layer], &activities.squares[self.layer]);
        let weight = &self.weights.weight.value;
        backend.read_out(hidden, squares, activities.normalization, weight, logits, add)
    }

    /// out = the slopes of Σ errors · logits along its layer's sums `[B, units]`. errors `[B, C]`.
    pub fn back_project(
        &self,
        backend: &B,
        errors: &B::Matrix,
        activities: &Activities<B>,
        out: &mut B::Matrix,
    ) -> Result<()> {
        let (hidden, squares) = (&activities.hidden[self.layer], &activities.squares[self.layer]);
        let weight = &self.weights.weight.value;
        backend.back_project(errors, weight, hidden, squares, activities.normalization, out)
    }

    /// One step of `rule` down the gradient of the mean cross-entropy. errors `[B, C]`: softmax − one-hot of the
    /// batch's logits, its own or those of all parts; shares `[1, B]`: 1 / B each.
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
