//! A layer whose units see every feature, or those of their place's field.

use ff_backend::{Backend, Delta, Input, Peer, Result, Rule, Weights};

use super::{
    Layer, Lesson, Tensors, initial_similarity_map, initial_top_down, initial_weights, parameter, upload,
};
use crate::spec::{Above, LayerSpec, Spec};

/// What a running mean keeps of itself in each batch.
const KEEP: f64 = 0.9;
/// The running mean before the first batch.
const FIRST_MEAN: f32 = 0.5;

/// h = max(0, z · W + b), W dense or local: the weights know which.
pub struct Hidden<B: Backend> {
    tensors: Tensors<B>,
    label_features: usize,
    peer_strength: f64,
}

impl<B: Backend> Hidden<B> {
    /// Layer `l` of a spec, with fresh weights.
    pub fn new(backend: &B, spec: &Spec, l: usize) -> Result<Self> {
        let layer: &LayerSpec = &spec.layers[l];
        let (fan_in, units) = (layer.fan_in(), layer.units);
        let values = initial_weights(spec, l, fan_in, units);
        let mut running_mean = backend.zeros(1, units)?;
        upload(backend, &mut running_mean, &vec![FIRST_MEAN; units])?;
        let weight = match &layer.fields {
            Some(fields) => backend.local_weight(layer.label_features(), fields)?,
            None => backend.weight(fan_in, units)?,
        };
        let weights = Weights {
            weight: parameter(backend, weight, &values, spec.optimizer)?,
            bias: Some(parameter(backend, backend.zeros(1, units)?, &vec![0.0; units], spec.optimizer)?),
        };
        let top_down = layer.above.as_ref().map(|above| weights_from_above(backend, spec, l, above));
        let similarity_map = spec.learning.is_mapped().then(|| map_of_activities(backend, spec, l));
        Ok(Hidden {
            tensors: Tensors {
                weights,
                top_down: top_down.transpose()?,
                similarity_map: similarity_map.transpose()?,
                running_mean,
            },
            label_features: layer.label_features(),
            peer_strength: layer.peer_strength,
        })
    }
}

fn weights_from_above<B: Backend>(backend: &B, spec: &Spec, l: usize, above: &Above) -> Result<Weights<B>> {
    let (fan_in, units) = (above.fan_in(), spec.layers[l].units);
    let weight = match &above.fields {
        Some(fields) => backend.local_weight(0, fields)?,
        None => backend.weight(fan_in, units)?,
    };
    let values = initial_top_down(spec, l, fan_in, units);
    Ok(Weights { weight: parameter(backend, weight, &values, spec.optimizer)?, bias: None })
}

fn map_of_activities<B: Backend>(backend: &B, spec: &Spec, l: usize) -> Result<Weights<B>> {
    let units = spec.layers[l].units;
    let values = initial_similarity_map(spec, l, units);
    let weight = parameter(backend, backend.weight(units, units)?, &values, spec.optimizer)?;
    Ok(Weights { weight, bias: None })
}

impl<B: Backend> Layer<B> for Hidden<B> {
    fn product(&self, backend: &B, features: &B::Matrix, out: &mut B::Matrix) -> Result<()> {
        let weight = &self.tensors.weights.weight.value;
        backend.product(features, weight, self.label_features, out)
    }

    fn activate(
        &self,
        backend: &B,
        product: &B::Matrix,
        input: &Input<B>,
        out: &mut B::Matrix,
        squares: &mut B::Matrix,
    ) -> Result<()> {
        backend.activate(product, input, &self.tensors.weights, out, squares)
    }

    fn forward(
        &self,
        backend: &B,
        input: &Input<B>,
        out: &mut B::Matrix,
        squares: &mut B::Matrix,
    ) -> Result<()> {
        backend.project(input, &self.tensors.weights, out, squares)
    }

    fn forward_between(
        &self,
        backend: &B,
        product: &B::Matrix,
        input: &Input<B>,
        above: &Input<B>,
        out: &mut B::Matrix,
        squares: &mut B::Matrix,
    ) -> Result<()> {
        if let Some(top_down) = &self.tensors.top_down {
            backend.product(above.features, &top_down.weight.value, 0, out)?;
        }
        backend.drive(product, input, above, &self.tensors.weights, out, squares)
    }

    fn back_project(
        &self,
        backend: &B,
        errors: &B::Matrix,
        input: &Input<B>,
        out: &mut B::Matrix,
    ) -> Result<()> {
        let weight = &self.tensors.weights.weight.value;
        backend.back_project(errors, weight, input.features, input.squares, input.normalization, out)
    }

    fn learn(&mut self, backend: &B, lesson: &Lesson<B>, rule: Rule) -> Result<()> {
        let Tensors { weights, top_down, running_mean, .. } = &mut self.tensors;
        let rows = lesson.positives;
        let peer = if self.peer_strength > 0.0 && rows > 0 {
            backend.running_mean(lesson.hidden, rows, KEEP, running_mean)?;
            Some(Peer { mean: running_mean, strength: self.peer_strength, rows })
        } else {
            None
        };
        let delta = Delta { coefficients: lesson.coefficients, outputs: lesson.slopes, peer };
        if let (Some(above), Some(top_down)) = (&lesson.above, top_down) {
            backend.learn(above, &delta, top_down, rule)?;
        }
        backend.learn(&lesson.input, &delta, weights, rule)
    }

    fn tensors(&self) -> &Tensors<B> {
        &self.tensors
    }

    fn tensors_mut(&mut self) -> &mut Tensors<B> {
        &mut self.tensors
    }
}
