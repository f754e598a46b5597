//! The trait.

use crate::host::Pixels;
use crate::{
    Along, Connected, Delta, DeviceInfo, Fields, Goodness, Gradient, IndexSlice, Input, Normalization,
    Objective, Real, Result, Rule, Tally, Weights, unfused,
};

/// Rows and columns of something a backend holds.
pub trait Shape {
    /// Number of rows (samples).
    fn rows(&self) -> usize;
    /// Number of columns (features).
    fn columns(&self) -> usize;
    /// Number of elements.
    fn elements(&self) -> usize {
        self.rows() * self.columns()
    }
}

/// Numbers on a device, `[rows, columns]`: a [`Backend::Matrix`] or a [`Backend::Weight`].
///
/// What a host sends or receives is row-major, however the device lays it out.
pub trait Tensor<B: Backend>: Shape + Sized {
    /// A new one of zeros. Fails with [`BackendError::OutOfMemory`](crate::BackendError::OutOfMemory).
    fn zeros(backend: &B, rows: usize, columns: usize) -> Result<Self>;
    /// A new one of zeros, of the same shape, and of the same fields where it is weights.
    fn like(&self, backend: &B) -> Result<Self>;
    /// `self` ← `values`, of which there must be rows · columns.
    fn upload(&mut self, backend: &B, values: &[B::Real]) -> Result<()>;
    /// The values. Waits for everything enqueued before.
    fn download(&self, backend: &B) -> Result<Vec<B::Real>>;
    /// `target` ← `self`, of the same shape.
    fn copy(&self, backend: &B, target: &mut Self) -> Result<()>;
}

/// Everything that Forward-Forward training (arXiv 2212.13345) asks of a device.
///
/// # Notation
/// A batch has B positive rows before B negative ones; a layer has R rows of N units over F features, and C labels.
/// Rows of a layer may share features: n rows of features serve R rows, R a multiple of n, row r reads row r mod n.
/// h are activities (max(0, ·) of a weighted sum), G goodness, s_r the scale that normalizes row r, m a unit's running
/// mean. Indexes count from 0. Pixels are bytes, features are brightnesses from 0 to 1 until they are centered, losses are in
/// nats.
///
/// Weights are dense, or local: then each unit sees the features of its place's field alone, and the weights know which
/// ([`Fields`]). Whatever is said of W holds for both, W's missing weights being 0; the work is that of the weights that
/// there are.
///
/// # Rules
/// Operations may only enqueue: `download` and `synchronize` alone wait, and an error of an enqueued
/// operation may surface there. All randomness is drawn on the host and uploaded. Outputs are written
/// in full unless the operation says that it adds. Operands never alias (Rust's borrows see to it). Entries of index
/// lists must be below what they index: rows of images, or labels.
///
/// # Errors
/// Every operation fails with [`BackendError::Shape`](crate::BackendError::Shape) if its operands do not fit (the
/// checks are in [`shapes`](crate::shapes)), before anything is written; a step of Adam without second moments with
/// [`Unsupported`](crate::BackendError::Unsupported); what allocates with
/// [`OutOfMemory`](crate::BackendError::OutOfMemory); anything with the device's own
/// [`DeviceLost`](crate::BackendError::DeviceLost) or [`Driver`](crate::BackendError::Driver).
///
/// # Shortcuts
/// Whether work that cannot change a number is left out (features that are 0, rows with a coefficient of
/// 0) is up to the backend, which may be told when it is made.
pub trait Backend: Sized + 'static {
    /// The scalar that products are computed in.
    type Real: Real;
    /// A matrix on the device: activities, sums, biases.
    type Matrix: Tensor<Self>;
    /// The weights of a layer `[fan_in, fan_out]`, their gradient or their moments, laid out as this
    /// backend multiplies them.
    type Weight: Tensor<Self> + Connected;
    /// A list of u32 on the device: `[1, n]`.
    type Indices: Shape;
    /// u8 images on the device, one a row, each `height · width` pixels.
    type Images: Shape;

    // Memory

    /// What this backend runs on.
    fn device(&self) -> DeviceInfo;
    /// A new matrix of zeros.
    fn zeros(&self, rows: usize, columns: usize) -> Result<Self::Matrix> {
        Self::Matrix::zeros(self, rows, columns)
    }
    /// New weights of zeros.
    fn weight(&self, rows: usize, columns: usize) -> Result<Self::Weight> {
        Self::Weight::zeros(self, rows, columns)
    }
    /// New weights of zeros for units that see no more than their fields, behind `labels` rows for label features:
    /// `[labels + fields.rows(), fields.units()]`.
    fn local_weight(&self, labels: usize, fields: &Fields) -> Result<Self::Weight>;
    /// `target` ← `values`, row-major.
    fn upload<T: Tensor<Self>>(&self, target: &mut T, values: &[Self::Real]) -> Result<()> {
        target.upload(self, values)
    }
    /// The values of `source`, row-major. Waits for everything enqueued before.
    fn download<T: Tensor<Self>>(&self, source: &T) -> Result<Vec<Self::Real>> {
        source.download(self)
    }
    /// `target` ← `source`.
    fn copy<T: Tensor<Self>>(&self, source: &T, target: &mut T) -> Result<()> {
        source.copy(self, target)
    }
    /// A new list of `len` zeros.
    fn indices(&self, len: usize) -> Result<Self::Indices>;
    /// `target[..values.len()]` ← `values`; entries beyond stay as they are.
    fn upload_indices(&self, target: &mut Self::Indices, values: &[u32]) -> Result<()>;
    /// The entries of `source`. Waits.
    fn download_indices(&self, source: &Self::Indices) -> Result<Vec<u32>>;
    /// New images of `height · width` pixels from their concatenated bytes, which a device that is the host may go on
    /// sharing. With c channels a pixel, channels last, an
    /// image is one of `height · (width · c)`.
    fn images(&self, pixels: &Pixels, height: usize, width: usize) -> Result<Self::Images>;
    /// Waits for everything enqueued.
    fn synchronize(&self) -> Result<()>;

    // Inputs

    /// `out[r, f]` = pixel (skip + f) of image `rows[r]`, / 255; `squares[r]` = Σ_f out².
    ///
    /// With `shifts`, the image is first moved right by dx and down by dy pixels, −128 ≤ dx, dy ≤ 127, zeros shifted
    /// in, where `shifts[r] = (dy + 128) · 256 + (dx + 128)`. `skip` leaves out the pixels under a label (arXiv
    /// 2212.13345, section 3.3). With c channels a pixel, an image moves by x pixels with dx = c · x. out
    /// `[R, height·width − skip]`, squares `[1, R]`; rows and shifts have R entries.
    fn gather(
        &self,
        images: &Self::Images,
        rows: IndexSlice<Self>,
        shifts: Option<IndexSlice<Self>>,
        skip: usize,
        out: &mut Self::Matrix,
        squares: &mut Self::Matrix,
    ) -> Result<()>;

    /// Subtracts from each row its mean: `x[r, f] ← x[r, f] − (1/F) Σ_f x[r, f]`; `squares[r]` = Σ_f `x[r, f]`². What all
    /// pixels of an image share, its brightness, is no longer its largest feature. Worked out as d − mean(d) of the
    /// distances d = `x[r, f] − x[r, 0]`, so that a row of one value becomes 0, whose residue a normalization would blow
    /// up. x `[R, F]`, squares `[1, R]`.
    fn center(&self, x: &mut Self::Matrix, squares: &mut Self::Matrix) -> Result<()>;

    /// Hybrid images for unsupervised negatives (arXiv 2212.13345, section 3.2). Of 2B rows, with
    /// m = `masks[which[i]]` / 255: `x[B+i] ← m · x[i] + (1 − m) · x[B+i]` and `squares[B+i]` = Σ `x[B+i]`².
    /// x `[2B, height·width]`, squares `[1, 2B]`, of which the first B stay; which has B entries.
    fn hybrid(
        &self,
        x: &mut Self::Matrix,
        masks: &Self::Images,
        which: IndexSlice<Self>,
        squares: &mut Self::Matrix,
    ) -> Result<()>;

    // Forward

    /// out = input · weight[first_row.., :], of the input as it is: normalization is `activate`'s. The rows before
    /// `first_row` are those of labels. input `[n, F]`, weight `[first_row + F, N]`, out `[n, N]`.
    fn product(
        &self,
        input: &Self::Matrix,
        weight: &Self::Weight,
        first_row: usize,
        out: &mut Self::Matrix,
    ) -> Result<()>;

    /// The rest of a layer, given product = features · W[classes..]:
    /// `out[r] = max(0, s_r · product[r % n] + label part + b)`, `squares[r]` = Σ `out[r]`²,
    /// with s_r and the label part as [`Input`] says; what is not a number stays so. A layer without a bias has b = 0.
    /// product `[n, N]`, out `[R, N]`, squares `[1, R]`, R a multiple of n.
    fn activate(
        &self,
        product: &Self::Matrix,
        input: &Input<Self>,
        layer: &Weights<Self>,
        out: &mut Self::Matrix,
        squares: &mut Self::Matrix,
    ) -> Result<()>;

    /// A whole layer, [`unfused::project`]: `product` then `activate`, for as many rows of `out` as of
    /// `input.features`.
    fn project(
        &self,
        input: &Input<Self>,
        layer: &Weights<Self>,
        out: &mut Self::Matrix,
        squares: &mut Self::Matrix,
    ) -> Result<()> {
        unfused::project(self, input, layer, out, squares)
    }

    /// The rest of a layer that is driven from above too (arXiv 2212.13345, section 3.4): out holds the product of what is
    /// above with its weights, and
    /// `out[r] ← max(0, s_r · product[r % n] + t_r · out[r] + b)`, `squares[r]` = Σ `out[r]`²,
    /// s_r the scale of `input`, t_r that of `above` as [`Input`] says; what is not a number stays so. Neither has label
    /// features. product `[n, N]`, out `[R, N]`, squares `[1, R]`, R a multiple of n and of the rows of `above`; the layer's
    /// weights are those of `input`.
    fn drive(
        &self,
        product: &Self::Matrix,
        input: &Input<Self>,
        above: &Input<Self>,
        layer: &Weights<Self>,
        out: &mut Self::Matrix,
        squares: &mut Self::Matrix,
    ) -> Result<()>;

    /// A damped step of a layer's state (arXiv 2212.13345, section 3.4): `state = keep · before + (1 − keep) · computed`,
    /// `squares[r]` = Σ `state[r]`². Then `computed ← (1 − keep) · state` where it was above 0, else 0: half the slope of
    /// `squares` along the sums that computed = max(0, ·) was made of, which takes the place of h in [`Delta`].
    /// 0 ≤ keep < 1. before, computed and state `[R, N]`, squares `[1, R]`.
    fn damp(
        &self,
        before: &Self::Matrix,
        keep: f64,
        computed: &mut Self::Matrix,
        state: &mut Self::Matrix,
        squares: &mut Self::Matrix,
    ) -> Result<()>;

    /// Silences each activity with probability `rate`, 0 ≤ rate < 1, and divides the others by 1 − rate;
    /// `squares[r]` = Σ `activities[r]`² of what is left. Element (r, j) is kept if
    /// [`dropout_keeps`](crate::dropout_keeps)`(seed, r · N + j, rate · 2³²)`. activities `[R, N]`, squares `[1, R]`.
    fn dropout(
        &self,
        activities: &mut Self::Matrix,
        rate: f64,
        seed: u32,
        squares: &mut Self::Matrix,
    ) -> Result<()>;

    /// `(sums[r], slopes[r])` = [`Goodness::of_row`] of `activities[r]`: what goodness is measured by, where that is
    /// not Σh², and ½ ∂sums/∂h, which takes the place of h in [`Delta`]. activities and slopes `[n, N]`, sums `[1, n]`.
    fn measure(
        &self,
        activities: &Self::Matrix,
        goodness: Goodness,
        slopes: &mut Self::Matrix,
        sums: &mut Self::Matrix,
    ) -> Result<()>;

    // Learning

    /// The objective of a batch of B positive, then B negative rows with sums of squares `squares` `[1, 2B]`.
    ///
    /// `coefficients[r]` = gradient_scale of r's side · 2 · factor · ∂loss/∂G_r, so that δ_r = `coefficients[r]` · h_r.
    /// A probability under half an epsilon of the precision cannot be told from 0 beside 1 and counts
    /// as 0, so that such rows need no work. Adds to column `layer` of the tally.
    fn coefficients(
        &self,
        squares: &Self::Matrix,
        objective: &Objective,
        coefficients: &mut Self::Matrix,
        tally: Tally<Self>,
    ) -> Result<()>;

    /// mean ← keep · mean + (1 − keep) · (mean of the first `rows` rows of activities), [flushed](crate::FLUSH_BELOW).
    /// 0 ≤ keep ≤ 1, 1 ≤ rows ≤ R. activities `[R, N]`, mean `[1, N]`.
    fn running_mean(
        &self,
        activities: &Self::Matrix,
        rows: usize,
        keep: f64,
        mean: &mut Self::Matrix,
    ) -> Result<()>;

    /// `gradient.weight` = zᵀδ and `gradient.bias` = Σ_r δ_r, where z is the normalized input with its label
    /// features and δ_r = coefficients_r · outputs_r − `[r < peer.rows]` · peer.strength/peer.rows · (mean(m) − m).
    /// weight `[classes + F, N]`, bias `[1, N]`. Adds up over rows: a mean's 1/B is in the coefficients.
    fn gradient(&self, input: &Input<Self>, delta: &Delta<Self>, gradient: &mut Gradient<Self>)
    -> Result<()>;

    /// One step of `rule` for the weight, and one of `rule.without_decay()` for the bias; their moments are
    /// [flushed](crate::FLUSH_BELOW). The gradient has a bias if the layer has one.
    fn update(&self, layer: &mut Weights<Self>, gradient: &Gradient<Self>, rule: Rule) -> Result<()>;

    /// A layer's learning step, [`unfused::learn`]: `gradient`, then `update`.
    fn learn(
        &self,
        input: &Input<Self>,
        delta: &Delta<Self>,
        layer: &mut Weights<Self>,
        rule: Rule,
    ) -> Result<()> {
        unfused::learn(self, input, delta, layer, rule)
    }

    // Reading labels

    /// logits (+)= ẑ · weight, ẑ the normalized activities; adds if `add`, else overwrites (arXiv 2212.13345,
    /// section 3.3: a softmax on the activities of all layers but the first). activities `[n, N]`, squares `[1, n]`, weight `[N, classes]`, logits `[n, classes]`.
    fn read_out(
        &self,
        activities: &Self::Matrix,
        squares: &Self::Matrix,
        normalization: Normalization,
        weight: &Self::Weight,
        logits: &mut Self::Matrix,
        add: bool,
    ) -> Result<()>;

    /// The way back of `read_out`, or of a layer's product: the gradient of Σ_r `errors[r]` · (ẑ_r · weight) along the
    /// sums that h = max(0, ·) was made of, ẑ = s h. With e = `errors[r]` · weightᵀ, w of [`Normalization::radial`]:
    /// `out[r, k]` = s (e_k − w ẑ_k Σ_j e_j ẑ_j) where h_k > 0, else 0. errors `[n, C]`, weight `[N, C]`, activities h
    /// and out `[n, N]`, squares Σh² `[1, n]`.
    ///
    /// As [`Delta::outputs`] it teaches the layer below: by its own classifier, or end to end (backpropagation).
    fn back_project(
        &self,
        errors: &Self::Matrix,
        weight: &Self::Weight,
        activities: &Self::Matrix,
        squares: &Self::Matrix,
        normalization: Normalization,
        out: &mut Self::Matrix,
    ) -> Result<()>;

    /// Similarity matching (arXiv 1901.06656, section 2.2): whether rows of one label, and no others, are alike. With x_r
    /// the row h_r less its mean, x̂_r = x_r / sqrt(Σx_r² + 1e-8), and t_rs = 1 where r and s have one label, else
    /// −1 / (classes − 1), which is the cosine of two centred labels: loss = mean over all n² pairs of (x̂_r · x̂_s − t_rs)²,
    /// added to `cost[0, 0]`. [`Along::Sums`]: `slopes[r] ← (1 − share) slopes[r] + share · n ∂loss/∂a_r` along the sums a
    /// that h = max(0, a) was made of; with a share of 1 they are overwritten. [`Along::Rows`]: `slopes[r] = n ∂loss/∂h_r`,
    /// of rows h of any sign. activities and slopes `[n, N]`, cost `[1, 1]`; n² pairs are held.
    fn match_similarities(
        &self,
        activities: &Self::Matrix,
        labels: IndexSlice<Self>,
        classes: usize,
        along: Along,
        slopes: &mut Self::Matrix,
        cost: &mut Self::Matrix,
    ) -> Result<()>;

    /// `errors[r] = softmax(logits[r]) − target(labels[r])`, where target(y) = (1 − `smoothing`) onehot(y) + `smoothing` / C
    /// (arXiv 1512.00567, section 7); `cost[0, 0]` += mean cross-entropy of the targets, in nats. 0 ≤ smoothing < 1. logits
    /// and errors `[B, C]`, cost `[1, 1]`. Probabilities are [flushed](crate::FLUSH_BELOW).
    fn softmax(
        &self,
        logits: &Self::Matrix,
        labels: IndexSlice<Self>,
        smoothing: f64,
        errors: &mut Self::Matrix,
        cost: &mut Self::Matrix,
    ) -> Result<()>;

    /// Hard negatives (arXiv 2212.13345, section 3.3). `out[r] = labels[r]`; `out[B + r]` = the label drawn from the softmax with the true
    /// label excluded: the first c with Σ_{j ≤ c, j ≠ y} `errors[r, j]` > u_r · Σ_{j ≠ y} `errors[r, j]`,
    /// where u_r = `uniforms[r]` · 2⁻³². If all others are 0, (y + 1) mod C. errors `[B, C]`, out `[1, 2B]`.
    fn draw_labels(
        &self,
        errors: &Self::Matrix,
        labels: IndexSlice<Self>,
        uniforms: IndexSlice<Self>,
        out: &mut Self::Indices,
    ) -> Result<()>;

    /// `scores[r, column] += factor · squares[r]`: the goodness of every row under one label, by which it is
    /// recognized. squares `[1, n]`, scores `[n, classes]`, column < classes.
    fn accumulate(
        &self,
        squares: &Self::Matrix,
        factor: f64,
        scores: &mut Self::Matrix,
        column: usize,
    ) -> Result<()>;

    /// `out[offset + r]` = column of the largest of `scores[r]` (the first of equals), then scores ← 0. scores
    /// `[n, classes]`; other entries of out stay.
    fn argmax(&self, scores: &mut Self::Matrix, out: &mut Self::Indices, offset: usize) -> Result<()>;
}
