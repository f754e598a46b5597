//! The argument types of the contract: inputs, weights, objectives, update rules.

use crate::{Backend, Shape};

/// How a row is rescaled before a layer reads it. No mean is subtracted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Normalization {
    /// Scale 1.
    None,
    /// Scale 1 / sqrt(Σx² + 1e-8): length one.
    Unit,
    /// Scale 1 / (tiny + sqrt(Σx² / n)): mean square one.
    Rms,
}

impl Normalization {
    /// Keeps a row of zeros at zero; its inverse is finite in f32.
    pub const TINY: f64 = 1e-30;

    /// The scale of a row with sum of squares `squares` and `width` features.
    pub fn scale(self, squares: f64, width: usize) -> f64 {
        match self {
            Normalization::None => 1.0,
            Normalization::Unit => 1.0 / (squares + 1e-8).sqrt(),
            Normalization::Rms => 1.0 / (Self::TINY + (squares / width as f64).sqrt()),
        }
    }

    /// w of the Jacobian ∂ẑ/∂h = s (1 − w ẑ ẑᵀ) of ẑ = s h, a row of `width` features: its length does not count, so
    /// what points along it has no slope. (Of `Rms`, [`TINY`](Self::TINY) is left out: no row that is on feels it.)
    pub fn radial(self, width: usize) -> f64 {
        match self {
            Normalization::None => 0.0,
            Normalization::Unit => 1.0,
            Normalization::Rms => 1.0 / width as f64,
        }
    }
}

/// Entries `offset..` of a list that is on the device, as many as the operation has rows.
pub struct IndexSlice<'a, B: Backend> {
    /// The whole list `[1, n]`.
    pub indices: &'a B::Indices,
    /// Where the entries begin, 0 ≤ offset ≤ n.
    pub offset: usize,
}

impl<B: Backend> Clone for IndexSlice<'_, B> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<B: Backend> Copy for IndexSlice<'_, B> {}

/// Which label each row of a layer's input carries.
pub enum LabelCode<'a, B: Backend> {
    /// Row r carries label `indices[offset + r]`.
    Each(IndexSlice<'a, B>),
    /// Every row carries this label.
    Same(u32),
    /// Every row carries `1 / classes` of each label.
    Neutral,
}

impl<B: Backend> Clone for LabelCode<'_, B> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<B: Backend> Copy for LabelCode<'_, B> {}

/// Label features in front of a layer's other features.
///
/// They are never stored: row `y` of the weights is the whole effect of label `y`, so
/// `[code ; x] · W = strength · W[y] + x · W[classes..]`.
pub struct LabelFeatures<'a, B: Backend> {
    /// Which label each row carries.
    pub code: LabelCode<'a, B>,
    /// Number of labels C: the first C rows of the layer's weights belong to them.
    pub classes: usize,
    /// Value of the active label feature; neutral rows have strength / C in each.
    pub strength: f64,
    /// Whether the label features are normalized together with the others (the input layer), or
    /// join normalized activities as they are (labels at every layer).
    pub normalized: bool,
}

impl<B: Backend> Clone for LabelFeatures<'_, B> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<B: Backend> Copy for LabelFeatures<'_, B> {}

/// What a layer reads: label features, and other features with the normalization still to be applied.
///
/// Row r of the layer reads row `r % features.rows()`, so that positive and negative rows can share
/// their image. Its scale is
/// s_r = `normalization.scale(squares[r % n] + code², width)`, where code² (strength², or strength²/C
/// for neutral rows) and the C label features count only if they are `normalized`.
pub struct Input<'a, B: Backend> {
    /// Features `[n, F]`, not normalized.
    pub features: &'a B::Matrix,
    /// Σ features² of each row `[1, n]`.
    pub squares: &'a B::Matrix,
    /// The normalization to apply.
    pub normalization: Normalization,
    /// Label features before the others.
    pub label: Option<LabelFeatures<'a, B>>,
}

impl<B: Backend> Clone for Input<'_, B> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<B: Backend> Copy for Input<'_, B> {}

impl<B: Backend> Input<'_, B> {
    /// Number of label features: the row of the weights where the other features begin.
    pub fn classes(&self) -> usize {
        self.label.map_or(0, |label| label.classes)
    }

    /// What the label features add to a row's sum of squares.
    pub fn code_square(&self) -> f64 {
        match self.label {
            Some(LabelFeatures { normalized: true, code, classes, strength }) => match code {
                LabelCode::Neutral => strength * strength / classes as f64,
                _ => strength * strength,
            },
            _ => 0.0,
        }
    }

    /// Number of features that the normalization averages over.
    pub fn width(&self) -> usize {
        let labels = self.label.filter(|label| label.normalized).map_or(0, |label| label.classes);
        self.features.columns() + labels
    }

    /// s of a row whose features have the sum of squares `squares`.
    pub fn scale(&self, squares: f64) -> f64 {
        self.normalization.scale(squares + self.code_square(), self.width())
    }

    /// What row y of the weights is multiplied by, in a row of scale `scale`.
    pub fn label_scale(&self, scale: f64) -> f64 {
        self.label.map_or(0.0, |label| if label.normalized { label.strength * scale } else { label.strength })
    }
}

/// A trained tensor and what the optimizer remembers of it, all of one shape.
pub struct Parameter<T> {
    /// The values.
    pub value: T,
    /// Adam's first moment, or the momentum rule's velocity (an ascent direction).
    pub first: T,
    /// Adam's second moment; the momentum rule has none.
    pub second: Option<T>,
}

/// The trained tensors of one layer.
pub struct Weights<B: Backend> {
    /// `[fan_in, fan_out]`.
    pub weight: Parameter<B::Weight>,
    /// `[1, fan_out]`; the head has none.
    pub bias: Option<Parameter<B::Matrix>>,
}

/// The gradient of a layer's loss: it points uphill.
pub struct Gradient<B: Backend> {
    /// `[fan_in, fan_out]`.
    pub weight: B::Weight,
    /// `[1, fan_out]`, where it is wanted.
    pub bias: Option<B::Matrix>,
}

/// Rows of a tally matrix `[TALLY_ROWS, layers]`: sums over batches of the batch's loss, mean G⁺,
/// mean G⁻, and fraction of pairs with G⁻ > G⁺.
pub const TALLY_ROWS: usize = 4;

/// Where a batch's figures are added: they come up once an epoch.
pub struct Tally<'a, B: Backend> {
    /// `[TALLY_ROWS, layers]`.
    pub sums: &'a mut B::Matrix,
    /// The column.
    pub layer: usize,
}

/// Peer normalization: ascent on each of the first `rows` rows by
/// strength · (mean(m) − m_j), m the running mean of the activities, not gated by h > 0.
pub struct Peer<'a, B: Backend> {
    /// m `[1, fan_out]`.
    pub mean: &'a B::Matrix,
    /// λ.
    pub strength: f64,
    /// Number of positive rows, which also divides the sum.
    pub rows: usize,
}

impl<B: Backend> Clone for Peer<'_, B> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<B: Backend> Copy for Peer<'_, B> {}

/// What the gradient of a layer is made of: δ_r = coefficients_r · outputs_r, minus the peer's pull.
pub struct Delta<'a, B: Backend> {
    /// `[1, R]`.
    pub coefficients: &'a B::Matrix,
    /// `[R, fan_out]`: activities, the head's errors, or what was sent back from them.
    pub outputs: &'a B::Matrix,
    /// Peer normalization, if any.
    pub peer: Option<Peer<'a, B>>,
}

impl<B: Backend> Clone for Delta<'_, B> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<B: Backend> Copy for Delta<'_, B> {}

/// How a gradient g (of the loss: it points uphill) changes a parameter w.
///
/// Each new m and v below [`FLUSH_BELOW`](crate::FLUSH_BELOW) in magnitude is 0 before w sees it: the moments of silent
/// units end at 0 and not among the subnormal numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², w ← w − rate · m̂ / (√v̂ + ε), bias-corrected for
    /// step `step`; then `idle` more steps with g = 0. β 0.9 and 0.999, ε 1e-8 (arXiv 1412.6980).
    Adam {
        /// Step size.
        rate: f64,
        /// Number of this step, from 1, idle steps counted.
        step: u64,
        /// Steps on a zero gradient that follow.
        idle: u32,
    },
    /// v ← μv − (1−μ)g, w ← w + rate · (v − decay · w).
    Momentum {
        /// Step size, the learning-rate factor included.
        rate: f64,
        /// μ.
        momentum: f64,
        /// Weight decay.
        decay: f64,
    },
}

impl Rule {
    /// Adam's β₁.
    pub const BETA1: f64 = 0.9;
    /// Adam's β₂.
    pub const BETA2: f64 = 0.999;
    /// Adam's ε.
    pub const EPSILON: f64 = 1e-8;

    /// The same rule for biases, which do not decay.
    pub fn without_decay(self) -> Rule {
        match self {
            Rule::Momentum { rate, momentum, .. } => Rule::Momentum { rate, momentum, decay: 0.0 },
            adam => adam,
        }
    }
}

/// What a backend runs on.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceInfo {
    /// `openblas`, `cpu` or `opencl:P.D`.
    pub backend: String,
    /// The device's own name.
    pub device: String,
    /// Its driver or library, with version.
    pub driver: String,
    /// Threads or compute units.
    pub units: usize,
    /// Bytes of memory; 0 where unknown.
    pub memory_bytes: u64,
    /// Arithmetic of products: `fp32`, `tf32` or `fp64`.
    pub precision: String,
}
