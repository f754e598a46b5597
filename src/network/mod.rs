//! The network: its architecture, its layers on a device, how they are initialized.

mod architecture;
mod initialization;
mod pass;

pub use architecture::Architecture;
pub use initialization::{initial_head, initial_layer};
pub use pass::{Activities, ImageRows, activate_first, forward, label_energies, neutral_logits};

use ff_backend::{Backend, Parameter, Result, Shape, Weights};

use crate::config::{Config, OptimizerKind};

/// One hidden layer on a device.
pub struct Layer<B: Backend> {
    /// Weights `[fan_in, fan_out]`, bias, and what the optimizer remembers of them.
    pub weights: Weights<B>,
    /// Running mean of the positives' activities `[1, fan_out]`, for peer normalization.
    pub running_mean: B::Matrix,
}

/// A Forward-Forward network on a device.
pub struct Network<B: Backend> {
    /// Shapes and semantics.
    pub architecture: Architecture,
    /// The hidden layers, from the input up.
    pub layers: Vec<Layer<B>>,
    /// The softmax head: weights `[fan_out, classes]` of each layer it reads.
    pub head: Option<Vec<HeadLayer<B>>>,
}

/// The part of the head that reads one layer.
pub struct HeadLayer<B: Backend> {
    /// The hidden layer that is read.
    pub layer: usize,
    /// `[fan_out, classes]`, no bias.
    pub weights: Weights<B>,
}

impl<B: Backend> Network<B> {
    /// A network with weights drawn from the config's seed.
    pub fn new(backend: &B, architecture: Architecture, config: &Config) -> Result<Self> {
        let training = &config.training;
        let optimizer = training.optimizer;
        let layers = (0..architecture.depth())
            .map(|l| {
                let (fan_in, fan_out) = (architecture.fan_in(l), architecture.widths[l]);
                let values = initial_layer(&config.network, training.seed, l, fan_in, fan_out);
                let mut running_mean = backend.zeros(1, fan_out)?;
                upload(backend, &mut running_mean, &vec![0.5; fan_out])?;
                Ok(Layer {
                    weights: Weights {
                        weight: parameter(backend, fan_in, fan_out, &values, optimizer)?,
                        bias: Some(parameter(backend, 1, fan_out, &vec![0.0; fan_out], optimizer)?),
                    },
                    running_mean,
                })
            })
            .collect::<Result<_>>()?;
        let head = if config.head.enabled {
            let read = architecture.scored_layers().map(|layer| {
                let (fan_out, classes) = (architecture.widths[layer], architecture.classes);
                let values = initial_head(fan_out, classes);
                let weight = parameter(backend, fan_out, classes, &values, OptimizerKind::Momentum)?;
                Ok(HeadLayer { layer, weights: Weights { weight, bias: None } })
            });
            Some(read.collect::<Result<_>>()?)
        } else {
            None
        };
        Ok(Network { architecture, layers, head })
    }

    /// Trained numbers, the head's included.
    pub fn parameters(&self) -> usize {
        let of = |weights: &Weights<B>| {
            weights.weight.value.elements() + weights.bias.as_ref().map_or(0, |bias| bias.value.elements())
        };
        let head = self.head.iter().flatten().map(|part| of(&part.weights));
        self.layers.iter().map(|layer| of(&layer.weights)).chain(head).sum()
    }
}

/// Weights or a bias, with fresh optimizer state.
pub fn parameter<B: Backend>(
    backend: &B,
    rows: usize,
    columns: usize,
    values: &[f32],
    optimizer: OptimizerKind,
) -> Result<Parameter<B>> {
    let zeros = || if rows == 1 { backend.zeros(rows, columns) } else { backend.weights(rows, columns) };
    let mut value = zeros()?;
    upload(backend, &mut value, values)?;
    let second = match optimizer {
        OptimizerKind::Adam => Some(zeros()?),
        OptimizerKind::Momentum => None,
    };
    Ok(Parameter { value, first: zeros()?, second })
}

/// Uploads f32 values in the backend's precision.
pub fn upload<B: Backend>(backend: &B, target: &mut B::Matrix, values: &[f32]) -> Result<()> {
    use ff_backend::Real;
    let values: Vec<B::Real> = values.iter().map(|&x| B::Real::from_f64(f64::from(x))).collect();
    backend.upload(target, &values)
}

/// Downloads values as f32.
pub fn download<B: Backend>(backend: &B, source: &B::Matrix) -> Result<Vec<f32>> {
    use ff_backend::Real;
    Ok(backend.download(source)?.into_iter().map(|x| x.to_f64() as f32).collect())
}
