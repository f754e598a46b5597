//! What a network's shapes and semantics follow from: the config and the data's shape.

use ff_backend::{Backend, Input, LabelCode, LabelFeatures, Loss, Objective};

use crate::config::{
    Config, GoodnessConfig, GoodnessFunction, LabelPlacement, LossKind, NegativeKind, Normalization,
    Threshold,
};
use crate::data::ImageShape;

/// Shapes and semantics of a network: all that a forward pass needs beside weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Architecture {
    /// Shape of an image.
    pub image: ImageShape,
    /// Number of labels.
    pub classes: usize,
    /// Units of each hidden layer.
    pub widths: Vec<usize>,
    /// Where the label enters; `None` in unsupervised training.
    pub label: Option<LabelPlacement>,
    /// Value of the active label feature.
    pub label_strength: f64,
    /// Normalization of the labelled image.
    pub input_normalization: ff_backend::Normalization,
    /// Normalization between layers.
    pub normalization: ff_backend::Normalization,
    /// How goodness is measured.
    pub goodness: GoodnessConfig,
}

impl Architecture {
    /// The architecture of a config whose label placement is resolved.
    pub fn new(config: &Config, image: ImageShape, classes: usize) -> Self {
        let unsupervised = config.training.negatives == NegativeKind::Hybrid;
        Architecture {
            image,
            classes,
            widths: config.network.layer_sizes.clone(),
            label: (!unsupervised).then_some(config.network.label),
            label_strength: config.network.label_strength,
            input_normalization: on_device(config.network.input_normalization),
            normalization: on_device(config.network.normalization),
            goodness: config.goodness.clone(),
        }
    }

    /// Number of hidden layers.
    pub fn depth(&self) -> usize {
        self.widths.len()
    }

    /// Pixels that the label replaces.
    pub fn covered_pixels(&self) -> usize {
        if self.label == Some(LabelPlacement::Overlay) { self.classes } else { 0 }
    }

    /// Label features at the input of layer `l`.
    pub fn label_features(&self, l: usize) -> usize {
        match self.label {
            Some(LabelPlacement::EveryLayer) => self.classes,
            Some(_) if l == 0 => self.classes,
            _ => 0,
        }
    }

    /// Features of layer `l` that are not label features.
    pub fn features(&self, l: usize) -> usize {
        match l.checked_sub(1) {
            None => self.image.pixels() - self.covered_pixels(),
            Some(below) => self.widths[below],
        }
    }

    /// Rows of the weights of layer `l`.
    pub fn fan_in(&self, l: usize) -> usize {
        self.label_features(l) + self.features(l)
    }

    /// The layers whose goodness and activities decide: all but the first, or the only one.
    pub fn scored_layers(&self) -> std::ops::Range<usize> {
        usize::from(self.depth() > 1)..self.depth()
    }

    /// G of layer `l` = this factor · Σh² (over the counting units).
    pub fn goodness_factor(&self, l: usize) -> f64 {
        match self.goodness.function {
            GoodnessFunction::Sum => 1.0,
            GoodnessFunction::Mean => 1.0 / self.widths[l] as f64,
            GoodnessFunction::TopK => 1.0 / self.goodness.top_k as f64,
        }
    }

    /// θ of layer `l`.
    pub fn threshold(&self, l: usize) -> f64 {
        match self.goodness.threshold {
            Threshold::Value(value) => value,
            Threshold::Width => self.widths[l] as f64,
        }
    }

    /// Units that count toward goodness, if not all.
    pub fn top_k(&self) -> Option<usize> {
        (self.goodness.function == GoodnessFunction::TopK).then_some(self.goodness.top_k)
    }

    /// What layer `l` maximizes on positives and minimizes on negatives.
    pub fn objective(&self, config: &Config, l: usize) -> Objective {
        let loss = match config.training.loss {
            LossKind::Bce => {
                Loss::Bce { threshold: self.threshold(l), temperature: self.goodness.temperature }
            }
            LossKind::Symba => Loss::Symba { alpha: config.training.alpha },
        };
        // Dropout divides what it keeps by 1 − rate, and so does its gradient.
        let gradient_scale = config.training.gradient_scale / (1.0 - config.training.dropout);
        Objective { loss, factor: self.goodness_factor(l), gradient_scale }
    }

    /// The input of layer `l`, from the features below it and their sums of squares.
    pub fn input<'a, B: Backend>(
        &self,
        l: usize,
        features: &'a B::Matrix,
        squares: &'a B::Matrix,
        code: LabelCode<'a, B>,
    ) -> Input<'a, B> {
        let label = (self.label_features(l) > 0).then_some(LabelFeatures {
            code,
            classes: self.classes,
            strength: self.label_strength,
            normalized: l == 0,
        });
        let normalization = if l == 0 { self.input_normalization } else { self.normalization };
        Input { features, squares, normalization, label }
    }
}

fn on_device(normalization: Normalization) -> ff_backend::Normalization {
    match normalization {
        Normalization::None => ff_backend::Normalization::None,
        Normalization::Unit => ff_backend::Normalization::Unit,
        Normalization::Rms => ff_backend::Normalization::Rms,
    }
}
