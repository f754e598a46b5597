//! What every kind of hidden layer can do.

use ff_backend::{Backend, Input, Result, Rule};

use super::Tensors;

/// What a layer learns from: one batch of 2B rows, B positives before B negatives.
pub struct Lesson<'a, B: Backend> {
    /// What the layer read.
    pub input: Input<'a, B>,
    /// What it read of the layer above, if one drives it.
    pub above: Option<Input<'a, B>>,
    /// Its activities h `[2B, N]`.
    pub hidden: &'a B::Matrix,
    /// Half the slope of goodness along each: h itself, or what takes its place; or the slopes that a classifier's
    /// errors have sent back `[2B, N]`.
    pub slopes: &'a B::Matrix,
    /// Coefficients c `[1, 2B]`: δ_r = c_r · slopes_r.
    pub coefficients: &'a B::Matrix,
    /// B, of which a peer pulls the mean; all rows, where there are no negatives; 0, where negatives alone learn.
    pub positives: usize,
}

/// A kind of hidden layer. [`Hidden`](super::Hidden) is the first: dense, or local.
pub trait Layer<B: Backend> {
    /// out = features · W without the label's rows, which rows of all labels share. features `[n, F]`, out `[n, N]`.
    fn product(&self, backend: &B, features: &B::Matrix, out: &mut B::Matrix) -> Result<()>;

    /// The rest of a forward pass, given that product: out = h `[R, N]`, squares = Σ h² `[1, R]`, R a multiple of n.
    fn activate(
        &self,
        backend: &B,
        product: &B::Matrix,
        input: &Input<B>,
        out: &mut B::Matrix,
        squares: &mut B::Matrix,
    ) -> Result<()>;

    /// A whole forward pass: out = h `[n, N]`, squares = Σ h² `[1, n]`.
    fn forward(
        &self,
        backend: &B,
        input: &Input<B>,
        out: &mut B::Matrix,
        squares: &mut B::Matrix,
    ) -> Result<()>;

    /// A forward pass driven from above too, given the product with what is below `[n, N]`: out = h `[R, N]`, squares =
    /// Σ h² `[1, R]`, R the rows of `above` and a multiple of n.
    fn forward_between(
        &self,
        backend: &B,
        product: &B::Matrix,
        input: &Input<B>,
        above: &Input<B>,
        out: &mut B::Matrix,
        squares: &mut B::Matrix,
    ) -> Result<()>;

    /// out = the slopes of Σ errors · (z W) along the sums that the input's features were made of `[n, F]`, z the
    /// normalized features: what goes back to the layer below. errors `[n, N]`. No label features go back.
    fn back_project(
        &self,
        backend: &B,
        errors: &B::Matrix,
        input: &Input<B>,
        out: &mut B::Matrix,
    ) -> Result<()>;

    /// One step of `rule` down the gradient of the layer's loss.
    fn learn(&mut self, backend: &B, lesson: &Lesson<B>, rule: Rule) -> Result<()>;

    /// What is saved of it.
    fn tensors(&self) -> &Tensors<B>;

    /// The same, to be read back.
    fn tensors_mut(&mut self) -> &mut Tensors<B>;
}
