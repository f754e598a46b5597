//! One hidden layer: its shape, what it reads, what it minimizes.

use ff_backend::{
    Backend, Fields, Goodness, Input, LabelCode, LabelFeatures, Loss, Normalization, Objective,
};

use crate::config::{self, Config, GoodnessFunction, LabelPlacement, LossKind, Sign, Threshold};

/// The constants of one hidden layer.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerSpec {
    /// Features F of its input that are not label features.
    pub features: usize,
    /// Label features before the others, if labels enter here.
    pub label: Option<LabelSpec>,
    /// Units N.
    pub units: usize,
    /// What its units see of the features, if not all: those of a local layer.
    pub fields: Option<Fields>,
    /// Normalization of its input.
    pub normalization: Normalization,
    /// What drives it from above, if a layer does.
    pub above: Option<Above>,
    /// What it minimizes, where it learns by goodness; the factor of its gradient, whatever it learns from.
    pub objective: Objective,
    /// What goodness is measured by, if not by Σh².
    pub goodness: Option<Goodness>,
    /// λ of peer normalization; 0: none.
    pub peer_strength: f64,
}

/// The layer above as a second input.
#[derive(Clone, Debug, PartialEq)]
pub struct Above {
    /// Its units.
    pub units: usize,
    /// What units see of them, if not all: where the layer above is local, those in whose field they are.
    pub fields: Option<Fields>,
    /// Normalization of its activities.
    pub normalization: Normalization,
}

impl Above {
    /// Rows of the weights from above: what a unit sees.
    pub fn fan_in(&self) -> usize {
        self.fields.as_ref().map_or(self.units, Fields::rows)
    }

    /// The input, from the activities above `[n, units]` and their sums of squares `[1, n]`.
    pub fn input<'a, B: Backend>(&self, hidden: &'a B::Matrix, squares: &'a B::Matrix) -> Input<'a, B> {
        Input { features: hidden, squares, normalization: self.normalization, label: None }
    }
}

/// Label features at the input of a layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LabelSpec {
    /// Number of labels C.
    pub classes: usize,
    /// Value of the active label feature.
    pub strength: f64,
    /// Whether they are normalized together with the other features.
    pub normalized: bool,
}

impl LayerSpec {
    /// Layer `l` of a config, on top of `features` features.
    pub(super) fn new(config: &Config, l: usize, features: usize, units: usize, classes: usize) -> Self {
        let (network, training) = (&config.network, &config.training);
        let labelled = match network.label {
            // What is above the last layer.
            _ if network.top_down => l + 1 == network.layer_sizes.len(),
            _ if !config.takes_label() => false,
            LabelPlacement::EveryLayer => true,
            LabelPlacement::Overlay | LabelPlacement::Prepend | LabelPlacement::Auto => l == 0,
        };
        let normalization = if l == 0 { network.input_normalization } else { network.normalization };
        // Above the last layer a label is normalized as activities are: by itself.
        let length = match network.top_down {
            true => on_device(network.normalization).scale(1.0, classes),
            false => 1.0,
        };
        LayerSpec {
            features,
            label: labelled.then_some(LabelSpec {
                classes,
                strength: network.label_strength * length,
                normalized: l == 0 && !network.top_down,
            }),
            units,
            fields: None,
            normalization: on_device(normalization),
            above: None,
            objective: objective(config, units),
            goodness: match config.goodness.function {
                GoodnessFunction::Sum | GoodnessFunction::Mean => None,
                GoodnessFunction::TopK => Some(Goodness::TopK { k: config.goodness.top_k }),
                GoodnessFunction::L1 => Some(Goodness::L1),
                GoodnessFunction::Entmax => Some(Goodness::Entmax),
            },
            peer_strength: training.peer_normalization,
        }
    }

    /// Label features of its input.
    pub fn label_features(&self) -> usize {
        self.label.map_or(0, |label| label.classes)
    }

    /// Rows of its weights: what a unit sees.
    pub fn fan_in(&self) -> usize {
        self.label_features() + self.fields.as_ref().map_or(self.features, Fields::rows)
    }

    /// Weights of a unit: what it sees below and above.
    pub fn weights_per_unit(&self) -> usize {
        self.fan_in() + self.above.as_ref().map_or(0, Above::fan_in)
    }

    /// Its input, from the features below it `[n, F]` and their sums of squares `[1, n]`.
    pub fn input<'a, B: Backend>(
        &self,
        features: &'a B::Matrix,
        squares: &'a B::Matrix,
        code: LabelCode<'a, B>,
    ) -> Input<'a, B> {
        let label = self.label.map(|LabelSpec { classes, strength, normalized }| LabelFeatures {
            code,
            classes,
            strength,
            normalized,
        });
        Input { features, squares, normalization: self.normalization, label }
    }
}

/// G = factor · Σh², and the loss that compares it.
fn objective(config: &Config, units: usize) -> Objective {
    let (goodness, training) = (&config.goodness, &config.training);
    let sign = match goodness.sign {
        Sign::Maximize => 1.0,
        Sign::Minimize => -1.0,
    };
    let threshold = match goodness.threshold {
        Threshold::Value(value) => sign * value,
        Threshold::Width => sign * units as f64,
    };
    let loss = match training.loss {
        // Classifiers compare no goodness: theirs is what it would be.
        LossKind::Bce | LossKind::Pred | LossKind::Sim | LossKind::Predsim | LossKind::Backprop => {
            Loss::Bce { threshold, temperature: goodness.temperature }
        }
        LossKind::Symba => Loss::Symba { alpha: training.alpha },
        LossKind::Margin => Loss::Margin { margin: training.margin },
    };
    let factor = match goodness.function {
        GoodnessFunction::Sum | GoodnessFunction::L1 | GoodnessFunction::Entmax => 1.0,
        GoodnessFunction::Mean => 1.0 / units as f64,
        GoodnessFunction::TopK => 1.0 / goodness.top_k as f64,
    };
    // Dropout divides what it keeps by 1 − rate, and so does its gradient.
    Objective {
        loss,
        factor: sign * factor,
        gradient_scales: [training.gradient_scale / (1.0 - training.dropout); 2],
    }
}

pub(super) fn on_device(normalization: config::Normalization) -> Normalization {
    match normalization {
        config::Normalization::None => Normalization::None,
        config::Normalization::Unit => Normalization::Unit,
        config::Normalization::Rms => Normalization::Rms,
    }
}
