//! What a run will take: numbers to train, memory, arithmetic. Reckoned, not measured.

use super::{LayerSpec, Learning, Spec};
use crate::config::PredictKind;
use crate::data::DataShape;

/// What a run will take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Trained numbers, without maps of activities, which training alone reads.
    pub parameters: usize,
    /// Bytes of weights, such maps and what the optimizer remembers of them.
    pub weight_bytes: f64,
    /// Bytes of activities and their gradients, of the largest batch.
    pub activity_bytes: f64,
    /// Bytes of all images.
    pub image_bytes: f64,
    /// Bytes of the host's copies of the largest layer, while it is initialized or saved.
    pub host_bytes: f64,
    /// Floating-point operations of all epochs, evaluation included.
    pub flops: f64,
}

impl Estimate {
    /// Reckons a run on data of a shape, of which `validation_size` training rows are held out.
    pub fn new(spec: &Spec, data: &DataShape, validation_size: usize) -> Self {
        let weights: usize = spec.layers.iter().map(|layer| layer.weights_per_unit() * layer.units).sum();
        let units: usize = spec.layers.iter().map(|layer| layer.units).sum();
        let read: usize = spec.layers[spec.head_layers()].iter().map(|layer| layer.units).sum();
        let head = if spec.head.is_some() { read * spec.classes } else { 0 };
        let parameters = weights + units + head;
        let map = |layer: &LayerSpec| layer.units.saturating_mul(layer.units);
        let maps = spec.layers.iter().filter(|_| spec.learning.is_mapped()).map(map);
        let (largest_map, maps) = (maps.clone().max().unwrap_or(0), maps.fold(0, usize::saturating_add));

        let held_out = match validation_size {
            0 => data.test,
            rows => rows.min(data.train),
        };
        let rows = data.train - validation_size.min(data.train);
        // Negatives are as many as positives.
        let stacked = if spec.learning == Learning::Goodness { 2 } else { 1 };
        let (forward, back) = spec.rows_of_a_step();
        let products = (forward + back) as f64 / spec.batch_size as f64;
        // Two operations a weight; a map multiplies a row on its way forward, back, and for the gradient.
        let training = 2.0 * rows as f64 * (products * weights as f64 + 3.0 * maps as f64);
        let labelled = spec.layers.iter().any(|layer| layer.label.is_some());
        let passes = match spec.predict {
            PredictKind::Energy | PredictKind::Ensemble if labelled => spec.classes,
            PredictKind::Energy | PredictKind::Ensemble | PredictKind::Head => 1,
        };
        // Two passes more for the held-out loss. In steps, each is a pass up and as many more.
        let (looked_at, lost) = spec.top_down.map_or((1, 1), |steps| (1 + steps.last, 1 + steps.steps));
        let evaluated = (passes * looked_at + 2 * lost) as f64 * weights as f64 + maps as f64;
        let evaluation = 2.0 * evaluated * held_out as f64;

        // A product has no more rows than there are.
        let evaluated = spec.evaluation_rows.min(data.test.max(held_out));
        let batch = spec.batch_size.saturating_mul(stacked).max(evaluated);
        let largest =
            spec.layers.iter().map(|layer| layer.fan_in() * layer.units).max().unwrap_or(0).max(largest_map);
        // Turned images lie beside the others.
        let trained = if spec.flips { data.train.saturating_mul(2) } else { data.train };
        // In f64: none of these products may overflow, whatever was asked for.
        let bytes = |count: usize, each: usize| (count as f64) * (each as f64);
        Estimate {
            parameters,
            weight_bytes: bytes(parameters.saturating_add(maps), 4 * (1 + spec.optimizer.moments())),
            activity_bytes: bytes(batch, 4 * 2 * (units * spec.kept_of_units() + data.image.values())),
            image_bytes: bytes(trained + data.test, data.image.values()),
            // As drawn or read in f32, and as uploaded in the backend's precision.
            host_bytes: bytes(largest, 4 + 4),
            flops: spec.num_epochs as f64 * (training + evaluation),
        }
    }

    /// Bytes on the device.
    pub fn bytes(&self) -> f64 {
        self.weight_bytes + self.activity_bytes + self.image_bytes
    }
}
