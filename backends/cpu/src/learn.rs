//! A layer's learning step.
//!
//! zᵀδ is one product A ᵀ D of two folded operands: rows that share their features are added before the
//! product, rows with a coefficient of 0 are left out, and peer normalization, whose δ is the same for
//! every positive row, is one more row. The product is made tile by tile, and the optimizer visits a tile
//! of weights while its gradient is in cache: the gradient never reaches memory.

use std::sync::PoisonError;

use ff_backend::{BackendError, Delta, Input, LabelCode, Parameter, Result, Rule, Shape, Weights, shapes};
use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2, Axis, s};

use crate::forward::{RowTerms, multiply};
use crate::kernels::{add_scaled, momentum_step, update};
use crate::{Cpu, Matrix, Scalar};

/// Rows and columns of a tile of weights: with its gradient it fits a core's second-level cache.
const TILE_ROWS: usize = 128;
const TILE_COLUMNS: usize = 512;

/// Memory of the folded operands, kept from step to step.
#[derive(Default)]
pub(crate) struct Workspace<T> {
    /// A `[K, F]`.
    features: Vec<T>,
    /// D `[K, N]`, then Σδ `[1, N]`, then the label rows' gradient `[C, N]`.
    delta: Vec<T>,
}

/// A gradient before its product: weight = [label ; AᵀD].
struct Folded<'a, T> {
    features: ArrayView2<'a, T>,
    delta: ArrayView2<'a, T>,
    bias: ArrayView2<'a, T>,
    label: ArrayView2<'a, T>,
}

impl<T: Scalar> Cpu<T> {
    /// Calls `then` with the folded operands.
    fn fold<R>(
        &self,
        input: &Input<Self>,
        delta: &Delta<Self>,
        then: impl FnOnce(Folded<T>) -> Result<R>,
    ) -> Result<R> {
        let (n, rows, columns) = (input.features.rows(), delta.outputs.rows(), delta.outputs.columns());
        let (width, classes) = (input.features.columns(), input.classes());
        let terms = RowTerms::new(input, rows);
        let coefficients = delta.coefficients.slice();
        let counts = |shared: &usize| (*shared..rows).step_by(n.max(1)).any(|r| coefficients[r] != T::zero());
        let active: Vec<usize> = (0..n).filter(|shared| !delta.skip_zeros || counts(shared)).collect();
        let depth = active.len() + usize::from(delta.peer.is_some());

        let mut workspace = self.folded.lock().unwrap_or_else(PoisonError::into_inner);
        let Workspace { features, delta: deltas } = &mut *workspace;
        let whole = active.len() == n && delta.peer.is_none();
        if !whole {
            features.resize(features.len().max(depth * width), T::zero());
            self.compact_features(input, &terms, &active, delta.peer.map_or(0, |peer| peer.rows), features);
        }
        let needed = (depth + 1 + classes) * columns;
        deltas.resize(deltas.len().max(needed), T::zero());
        let shape = (depth + 1 + classes, columns);
        let mut all = ArrayViewMut2::from_shape(shape, &mut deltas[..needed]).map_err(broken)?;

        let peer = delta.peer.map(|peer| (peer, pull(&peer)));
        // Rows whose coefficient is 0 cost nothing, so few may be left to share.
        let work = depth * rows.div_ceil(n.max(1)) * columns;
        let tile = Self::tile_width(columns, self.threads_for(work));
        let tiles = all.axis_chunks_iter_mut(Axis(1), tile).enumerate().collect();
        self.each(tiles, |(index, mut tile_of_all)| {
            tile_of_all.fill(T::zero());
            let first = index * tile;
            let (mut d, rest) = tile_of_all.split_at(Axis(0), depth);
            let (mut bias, mut label) = rest.split_at(Axis(0), 1);
            let bias = row_mut(&mut bias, 0);
            for (k, &shared) in active.iter().enumerate() {
                let d = row_mut(&mut d, k);
                for r in (shared..rows).step_by(n) {
                    let coefficient = coefficients[r];
                    if coefficient == T::zero() {
                        continue;
                    }
                    let outputs = &delta.outputs.slice()[r * columns + first..r * columns + first + d.len()];
                    add_scaled(terms.scales[r] * coefficient, outputs, d);
                    add_scaled(coefficient, outputs, bias);
                    add_to_label(input, &terms, r, coefficient, outputs, &mut label);
                }
            }
            if let Some((peer, pull)) = &peer {
                let pull = &pull[first..first + bias.len()];
                row_mut(&mut d, active.len()).copy_from_slice(pull);
                add_scaled(T::from_f64(peer.rows as f64), pull, bias);
                for r in 0..peer.rows {
                    add_to_label(input, &terms, r, T::one(), pull, &mut label);
                }
            }
        });

        let all = all.view();
        let (delta, rest) = all.split_at(Axis(0), depth);
        let (bias, label) = rest.split_at(Axis(0), 1);
        let features = if whole {
            input.features.0.view()
        } else {
            ArrayView2::from_shape((depth, width), &features[..depth * width]).map_err(broken)?
        };
        then(Folded { features, delta, bias, label })
    }

    /// The rows of A: the active ones, then the peer's Σ s_r x_r over positive rows.
    fn compact_features(
        &self,
        input: &Input<Self>,
        terms: &RowTerms<T>,
        active: &[usize],
        peer_rows: usize,
        out: &mut [T],
    ) {
        let width = input.features.columns();
        let source = input.features.slice();
        let row = |r: usize| &source[r * width..(r + 1) * width];
        let (compact, last) = out.split_at_mut(active.len() * width);
        for (out, &r) in compact.chunks_exact_mut(width.max(1)).zip(active) {
            out.copy_from_slice(row(r));
        }
        if peer_rows > 0 {
            let last = &mut last[..width];
            last.fill(T::zero());
            for r in 0..peer_rows {
                add_scaled(terms.scales[r], row(r), last);
            }
        }
    }

    pub(crate) fn whole_gradient(
        &self,
        input: &Input<Self>,
        delta: &Delta<Self>,
        weight: &mut Matrix<T>,
        bias: Option<&mut Matrix<T>>,
    ) -> Result<()> {
        shapes::gradient::<Self>(input, delta, weight, bias.as_deref())?;
        self.fold(input, delta, |folded| {
            if let Some(bias) = bias {
                bias.0.assign(&folded.bias);
            }
            let (mut label, mut features) = weight.0.view_mut().split_at(Axis(0), input.classes());
            label.assign(&folded.label);
            let part = Self::rows_per_part(features.nrows(), self.threads);
            let parts = features
                .axis_chunks_iter_mut(Axis(0), part)
                .zip(folded.features.axis_chunks_iter(Axis(1), part));
            self.each(parts.collect(), |(mut out, features)| {
                multiply(&features.t(), &folded.delta, &mut out)
            });
            Ok(())
        })
    }

    /// One step of `rule` over a whole parameter, shared between the threads.
    pub(crate) fn apply(&self, parameter: &mut Parameter<Self>, gradient: &[T], rule: Rule) -> Result<()> {
        needs_second(rule, parameter.second.is_some())?;
        let part = Self::rows_per_part(gradient.len(), self.threads_for(gradient.len()));
        let mut second = parameter.second.as_mut().map(|second| second.slice_mut().chunks_mut(part));
        let values = parameter.value.slice_mut().chunks_mut(part);
        let parts = values.zip(parameter.first.slice_mut().chunks_mut(part)).zip(gradient.chunks(part));
        let parts =
            parts.map(|((w, first), g)| (w, first, second.as_mut().and_then(Iterator::next), g)).collect();
        self.each(parts, |(w, first, second, g)| {
            // The only failure was excluded above.
            let _ = update(w, first, second, g, rule);
        });
        Ok(())
    }

    pub(crate) fn fused_step(
        &self,
        input: &Input<Self>,
        delta: &Delta<Self>,
        layer: &mut Weights<Self>,
        rule: Rule,
    ) -> Result<()> {
        shapes::learn::<Self>(input, delta, layer)?;
        needs_second(rule, layer.weight.second.is_some())?;
        self.fold(input, delta, |folded| {
            if let Some(bias) = &mut layer.bias {
                let gradient = folded.bias.as_slice().unwrap_or_default();
                self.apply(bias, gradient, rule.without_decay())?;
            }
            let Parameter { value, first, second } = &mut layer.weight;
            let classes = input.classes();
            let (label_values, mut values) = value.0.view_mut().split_at(Axis(0), classes);
            let (label_first, mut first) = first.0.view_mut().split_at(Axis(0), classes);
            let (label_second, mut second) =
                second.as_mut().map(|second| second.0.view_mut().split_at(Axis(0), classes)).unzip();
            step_rows(label_values, label_first, label_second, &folded.label, rule);

            let mut seconds = second.as_mut().map(|second| second.axis_chunks_iter_mut(Axis(0), TILE_ROWS));
            let tiles = values
                .axis_chunks_iter_mut(Axis(0), TILE_ROWS)
                .zip(first.axis_chunks_iter_mut(Axis(0), TILE_ROWS));
            let tiles = tiles.zip(folded.features.axis_chunks_iter(Axis(1), TILE_ROWS));
            let tiles = tiles.map(|((values, first), features)| {
                (values, first, seconds.as_mut().and_then(Iterator::next), features)
            });
            self.each_by(tiles.collect(), |thread, (values, first, second, features)| match rule {
                Rule::Momentum { rate, momentum, decay } => {
                    follow(values, first, features, folded.delta, (rate, momentum, decay));
                }
                Rule::Adam { .. } => {
                    let mut scratch = self.tiles[thread].lock().unwrap_or_else(PoisonError::into_inner);
                    step_tiles(values, first, second, features, folded.delta, rule, &mut scratch);
                }
            });
            Ok(())
        })
    }
}

/// Adam over rows of weights: each tile's gradient is made in `scratch` and used up at once.
fn step_tiles<T: Scalar>(
    mut values: ArrayViewMut2<T>,
    mut first: ArrayViewMut2<T>,
    mut second: Option<ArrayViewMut2<T>>,
    features: ArrayView2<T>,
    delta: ArrayView2<T>,
    rule: Rule,
    scratch: &mut Vec<T>,
) {
    scratch.resize(TILE_ROWS * TILE_COLUMNS, T::zero());
    let rows = values.nrows();
    for (index, delta) in delta.axis_chunks_iter(Axis(1), TILE_COLUMNS).enumerate() {
        let range = index * TILE_COLUMNS..index * TILE_COLUMNS + delta.ncols();
        let shape = (rows, delta.ncols());
        let Ok(mut gradient) = ArrayViewMut2::from_shape(shape, &mut scratch[..shape.0 * shape.1]) else {
            return;
        };
        multiply(&features.t(), &delta, &mut gradient);
        let second = second.as_mut().map(|second| second.slice_mut(s![.., range.clone()]));
        let (values, first) = (values.slice_mut(s![.., range.clone()]), first.slice_mut(s![.., range]));
        step_rows(values, first, second, &gradient.view(), rule);
    }
}

/// The momentum rule over rows of weights: the product itself adds to the velocity (beta = μ).
fn follow<T: Scalar>(
    mut values: ArrayViewMut2<T>,
    mut velocity: ArrayViewMut2<T>,
    features: ArrayView2<T>,
    delta: ArrayView2<T>,
    (rate, momentum, decay): (f64, f64, f64),
) {
    let (rate, decay) = (T::from_f64(rate), T::from_f64(decay));
    if features.nrows() == 0 {
        velocity.mapv_inplace(|v| T::from_f64(momentum) * v);
    } else {
        let share = T::from_f64(momentum - 1.0);
        general_mat_mul(share, &features.t(), &delta, T::from_f64(momentum), &mut velocity);
    }
    for (mut values, velocity) in values.rows_mut().into_iter().zip(velocity.rows()) {
        momentum_step(
            values.as_slice_mut().unwrap_or_default(),
            velocity.to_slice().unwrap_or_default(),
            rate,
            decay,
        );
    }
}

/// One step of `rule` row by row.
fn step_rows<T: Scalar>(
    mut values: ArrayViewMut2<T>,
    mut first: ArrayViewMut2<T>,
    mut second: Option<ArrayViewMut2<T>>,
    gradient: &ArrayView2<T>,
    rule: Rule,
) {
    for r in 0..values.nrows() {
        let second = second.as_mut().map(|second| row_mut(second, r));
        let gradient = gradient.row(r).to_slice().unwrap_or_default();
        // Fails only for Adam without a second moment, which was excluded before.
        let _ = update(row_mut(&mut values, r), row_mut(&mut first, r), second, gradient, rule);
    }
}

/// −λ/rows · (mean(m) − m_j): what every positive row's δ gets from peer normalization.
fn pull<T: Scalar>(peer: &ff_backend::Peer<Cpu<T>>) -> Vec<T> {
    let means = peer.mean.slice();
    let mean = means.iter().map(|m| m.widened()).sum::<f64>() / means.len() as f64;
    let share = -peer.strength / peer.rows as f64;
    means.iter().map(|m| T::from_f64(share * (mean - m.widened()))).collect()
}

/// Adds label_scale · factor · x to the gradient of the row's label, or of all labels if it is neutral.
fn add_to_label<T: Scalar>(
    input: &Input<Cpu<T>>,
    terms: &RowTerms<T>,
    row: usize,
    factor: T,
    x: &[T],
    label: &mut ArrayViewMut2<T>,
) {
    let factor = terms.label_scales[row] * factor;
    match (input.label.map(|label| label.code), terms.labels.get(row)) {
        (Some(LabelCode::Neutral), _) => {
            let share = factor / T::from_f64(input.classes() as f64);
            for c in 0..label.nrows() {
                add_scaled(share, x, row_mut(label, c));
            }
        }
        (Some(_), Some(&y)) if y < label.nrows() => add_scaled(factor, x, row_mut(label, y)),
        _ => {}
    }
}

fn needs_second(rule: Rule, has_second: bool) -> Result<()> {
    if matches!(rule, Rule::Adam { .. }) && !has_second {
        return Err(BackendError::Unsupported("Adam needs a second moment".into()));
    }
    Ok(())
}

fn broken(error: ndarray::ShapeError) -> BackendError {
    BackendError::Driver { operation: "gradient", message: error.to_string() }
}

fn row_mut<'a, T>(matrix: &'a mut ArrayViewMut2<T>, row: usize) -> &'a mut [T] {
    let columns = matrix.ncols();
    matrix.row_mut(row).into_slice().map_or(&mut [], |row| &mut row[..columns])
}
