//! What a run will take: numbers to train, memory, arithmetic. Reckoned, not measured.

use super::Spec;
use crate::config::PredictKind;
use crate::data::DataShape;

/// What a run will take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Trained numbers.
    pub parameters: usize,
    /// Bytes of weights, optimizer state, activities and images.
    pub bytes: f64,
    /// Floating-point operations of all epochs, evaluation included.
    pub flops: f64,
}

impl Estimate {
    /// Reckons a run on data of a shape, of which `validation_size` training rows are held out.
    pub fn new(spec: &Spec, data: &DataShape, validation_size: usize) -> Self {
        let weights: usize = spec.layers.iter().map(|layer| layer.fan_in() * layer.units).sum();
        let units: usize = spec.layers.iter().map(|layer| layer.units).sum();
        let read: usize = spec.layers.iter().skip(spec.scored_layers().start).map(|layer| layer.units).sum();
        let head = if spec.head.is_some() { read * spec.classes } else { 0 };
        let parameters = weights + units + head;

        let held_out = match validation_size {
            0 => data.test,
            rows => rows.min(data.train),
        };
        let rows = data.train - validation_size.min(data.train);
        // Positive and negative rows go forward, and their gradient back: four products of two
        // operations a weight.
        let training = 8.0 * rows as f64 * weights as f64;
        let labelled = spec.layers.iter().any(|layer| layer.label.is_some());
        let passes = match spec.predict {
            PredictKind::Energy if labelled => spec.classes,
            PredictKind::Energy | PredictKind::Head => 1,
        };
        // Two passes more for the held-out loss.
        let evaluation = 2.0 * (passes + 2) as f64 * held_out as f64 * weights as f64;

        let images = (data.train + data.test) * data.image.pixels();
        let batch = (2 * spec.batch_size).max(spec.evaluation_rows);
        // Activities and their gradients, of the larger kind of batch.
        let activities = 4 * 2 * batch * (units + data.image.pixels());
        Estimate {
            parameters,
            bytes: (4 * parameters * (1 + spec.optimizer.moments()) + activities + images) as f64,
            flops: spec.num_epochs as f64 * (training + evaluation),
        }
    }
}
