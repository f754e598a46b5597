//! What a cell will take: numbers to train, memory, arithmetic. Reckoned, not measured.

use crate::config::{Config, LabelPlacement, OptimizerKind, PredictKind, resolve_label};
use crate::data::{Dataset, ImageShape, Source};
use crate::network::Architecture;

/// What an estimate needs to know of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Of every image.
    pub image: ImageShape,
    /// Number of labels.
    pub classes: usize,
    /// Training rows.
    pub train: usize,
    /// Test rows.
    pub test: usize,
    /// Whether a label may replace the first pixels.
    pub blank_under_label: bool,
}

impl Shape {
    /// The shape of a loaded data set.
    pub fn of(dataset: &Dataset) -> Self {
        Shape {
            image: ImageShape { height: dataset.height, width: dataset.width },
            classes: dataset.classes,
            train: dataset.train.len(),
            test: dataset.test.len(),
            blank_under_label: dataset.train.blank_under_label(dataset.classes),
        }
    }

    /// The shape of a published data set, which need not be there for it.
    pub fn published(source: &Source) -> Option<Self> {
        let image = ImageShape { height: 28, width: 28 };
        match source {
            Source::Mnist | Source::FashionMnist => {
                Some(Shape { image, classes: 10, train: 60_000, test: 10_000, blank_under_label: true })
            }
            Source::Digits | Source::Idx(_) => None,
        }
    }
}

/// What a cell will take.
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
    /// Reckons a cell on data of a shape.
    pub fn new(config: &Config, shape: &Shape) -> Self {
        let mut config = config.clone();
        resolve_label(&mut config, shape.blank_under_label);
        let architecture = Architecture::new(&config, shape.image, shape.classes);
        let widths = &architecture.widths;
        let weights: usize = widths.iter().enumerate().map(|(l, width)| architecture.fan_in(l) * width).sum();
        let units: usize = widths.iter().sum();
        let read: usize = widths.iter().skip(architecture.scored_layers().start).sum();
        let head = if config.head.enabled { read * shape.classes } else { 0 };
        let parameters = weights + units + head;

        let held_out = match config.data.validation_size {
            0 => shape.test,
            rows => rows.min(shape.train),
        };
        let rows = shape.train - config.data.validation_size.min(shape.train);
        // Positive and negative rows go forward, and their gradient back: four products of two
        // operations a weight.
        let training = 8.0 * rows as f64 * weights as f64;
        let labels = if config.network.label == LabelPlacement::Auto { 1 } else { shape.classes };
        let passes = match config.evaluation.predict {
            PredictKind::Energy => labels,
            PredictKind::Head => 1,
        };
        // Two passes more for the held-out loss.
        let evaluation = 2.0 * (passes + 2) as f64 * held_out as f64 * weights as f64;

        let moments = match config.training.optimizer {
            OptimizerKind::Adam => 2,
            OptimizerKind::Momentum => 1,
        };
        let images = (shape.train + shape.test) * shape.image.pixels();
        let batch = (2 * config.training.batch_size).max(config.evaluation.batch_size);
        // Activities and their gradients, of the larger kind of batch.
        let activities = 4 * 2 * batch * (units + shape.image.pixels());
        Estimate {
            parameters,
            bytes: (4 * parameters * (1 + moments) + activities + images) as f64,
            flops: config.training.num_epochs as f64 * (training + evaluation),
        }
    }
}
