//! The operands of a layer's gradient.
//!
//! zᵀδ is one product Aᵀ D of two folded operands: rows that share their features are added before the
//! product, rows with a coefficient of 0 are left out, and peer normalization, whose δ is the same for
//! every positive row, is one more row.

use std::sync::PoisonError;

use ff_backend::{Delta, Input, LabelCode, Peer, Shape};
use ndarray::{ArrayViewMut2, Axis};

use crate::forward::{RowTerms, rounded};
use crate::kernels::{add_scaled, multiply_by};
use crate::panels::{panels, room};
use crate::registers::{TALL, WIDE};
use crate::strips::{StripMut, Strips, pack_strips};
use crate::vector::{Loop, widest};
use crate::{Cpu, Scalar};

/// Features that are packed at a time.
const BLOCK: usize = 64;

/// Memory of a product's operands, kept from step to step.
#[derive(Default)]
pub(crate) struct Workspace<T> {
    /// The left operand.
    pub left: Strips<T>,
    /// Panels of D.
    delta: Vec<T>,
    /// Σδ `[1, N]`, then the label rows' gradient `[C, N]`.
    sums: Vec<T>,
    /// The peer's row of A.
    peer: Vec<T>,
}

/// A gradient before its product: bias = Σδ, weight = [labels ; AᵀD].
pub(crate) struct Folded<'a, T> {
    /// The rows of A `[K, F]`.
    pub rows: &'a [&'a [T]],
    /// The same, for tiles.
    pub strips: &'a Strips<T>,
    /// F.
    pub width: usize,
    /// D `[K, N]` in panels `[K, wide]`, the last one filled up with zeros.
    pub delta: &'a [T],
    /// Columns of a panel.
    pub wide: usize,
    /// N.
    pub columns: usize,
    /// `[N]`.
    pub bias: &'a [T],
    /// `[C, N]`.
    pub labels: &'a [T],
}

impl<T: Scalar> Cpu<T> {
    /// Calls `then` with the folded operands.
    pub(crate) fn fold<R>(
        &self,
        input: &Input<Self>,
        delta: &Delta<Self>,
        then: impl FnOnce(Folded<T>) -> R,
    ) -> R {
        // OpenBLAS wants more columns at a time than registers hold.
        let wide = if self.processor.is_some() { WIDE } else { 16 * WIDE };
        let (shared, rows, columns) = (input.features.rows(), delta.outputs.rows(), delta.outputs.columns());
        let (width, classes) = (input.features.columns(), input.classes());
        let terms = RowTerms::new(input, rows);
        let coefficients = delta.coefficients.slice();
        let counts = |k: &usize| (*k..rows).step_by(shared.max(1)).any(|r| coefficients[r] != T::zero());
        let active: Vec<usize> = (0..shared).filter(|k| !self.exact_shortcuts || counts(k)).collect();
        let depth = active.len() + usize::from(delta.peer.is_some());

        let mut workspace = self.workspace.lock().unwrap_or_else(PoisonError::into_inner);
        let Workspace { left, delta: folded, sums, peer: peer_row } = &mut *workspace;
        let folded = room(folded, columns.div_ceil(wide) * wide * depth);
        let sums = room(sums, (1 + classes) * columns);
        let peer_row = room(peer_row, width);
        let source = input.features.slice();
        let row = |k: usize| &source[k * width..(k + 1) * width];
        let mut features: Vec<&[T]> = active.iter().map(|&k| row(k)).collect();
        if let Some(peer) = &delta.peer {
            widest(PeerRow { scales: &terms.scales[..peer.rows], row, out: peer_row });
            features.push(peer_row);
        }

        let pull = delta.peer.as_ref().map(pull);
        let peer = delta.peer.as_ref().map_or(0, |peer| peer.rows);
        // Rows whose coefficient is 0 cost nothing, so few may be left to share.
        let work = depth * rows.div_ceil(shared.max(1)) * columns;
        let part = columns.div_ceil(self.threads_for(work)).next_multiple_of(wide);
        let mut parts_of_delta = folded.chunks_mut((part * depth).max(1));
        if let Ok(mut sums) = ArrayViewMut2::from_shape((1 + classes, columns), &mut *sums) {
            let parts = sums.axis_chunks_iter_mut(Axis(1), part.max(1)).enumerate();
            let parts = parts.map(|(index, sums)| FoldColumns {
                terms: &terms,
                neutral: matches!(input.label.map(|label| label.code), Some(LabelCode::Neutral)),
                coefficients,
                outputs: delta.outputs.slice(),
                columns,
                first: index * part,
                active: &active,
                shared,
                peer,
                pull: pull.as_deref(),
                wide,
                delta: parts_of_delta.next().unwrap_or_default(),
                sums,
            });
            self.each(parts.collect(), widest);
        }
        if self.processor.is_some() {
            let mut strips: Vec<_> = left.room(panels::<TALL>(width), depth).collect();
            let groups = strips.chunks_mut(BLOCK / TALL).enumerate().collect();
            self.each(groups, |(index, strips): (usize, &mut [StripMut<T>])| {
                pack_strips(&features, index * BLOCK, strips);
                if self.exact_shortcuts {
                    strips.iter_mut().for_each(StripMut::skip_zeros);
                }
            });
        }
        let (bias, labels) = sums.split_at(columns);
        then(Folded { rows: &features, strips: left, width, delta: folded, wide, columns, bias, labels })
    }
}

/// Σ s_r x_r over the positive rows: the peer's row of A.
struct PeerRow<'a, T, F> {
    scales: &'a [T],
    row: F,
    out: &'a mut [T],
}

impl<'a, T: Scalar, F: Fn(usize) -> &'a [T]> Loop for PeerRow<'_, T, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        self.out.fill(T::zero());
        for (r, &scale) in self.scales.iter().enumerate() {
            add_scaled(scale, (self.row)(r), self.out);
        }
    }
}

/// λ/rows · (m_j − mean(m)): what every positive row's δ gets from peer normalization.
fn pull<T: Scalar>(peer: &Peer<Cpu<T>>) -> Vec<T> {
    let means = peer.mean.slice();
    let mean = means.iter().map(|m| m.widened()).sum::<f64>() / means.len() as f64;
    let share = rounded::<T>(peer.strength / peer.rows as f64);
    means.iter().map(|m| T::from_f64(share * (m.widened() - mean))).collect()
}

/// D, Σδ and the label rows' gradient, in columns `first..`.
struct FoldColumns<'a, T> {
    terms: &'a RowTerms<T>,
    neutral: bool,
    coefficients: &'a [T],
    outputs: &'a [T],
    columns: usize,
    first: usize,
    /// Shared rows that count.
    active: &'a [usize],
    shared: usize,
    /// Rows that the peer pulls.
    peer: usize,
    pull: Option<&'a [T]>,
    wide: usize,
    /// The panels of these columns.
    delta: &'a mut [T],
    sums: ArrayViewMut2<'a, T>,
}

impl<T: Scalar> FoldColumns<'_, T> {
    /// Adds factor · x to row `k` of D.
    #[inline(always)]
    fn add_to_delta(&mut self, depth: usize, k: usize, factor: T, x: &[T]) {
        for (panel, x) in x.chunks(self.wide).enumerate() {
            add_scaled(factor, x, &mut self.delta[(panel * depth + k) * self.wide..][..x.len()]);
        }
    }

    /// Adds label_scale · factor · x to the gradient of row `r`'s label, or of all labels if it is neutral.
    #[inline(always)]
    fn add_to_label(&mut self, r: usize, factor: T, x: &[T]) {
        let classes = self.sums.nrows() - 1;
        let factor = self.terms.label_scales[r] * factor;
        let (rows, factor) = match self.terms.labels.get(r) {
            _ if self.neutral => (0..classes, factor / T::from_f64(classes as f64)),
            Some(&label) if label < classes => (label..label + 1, factor),
            _ => (0..0, factor),
        };
        for label in rows {
            add_scaled(factor, x, row_mut(&mut self.sums, 1 + label));
        }
    }
}

impl<T: Scalar> Loop for FoldColumns<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(mut self) {
        let depth = self.active.len() + usize::from(self.pull.is_some());
        let (outputs, columns) = (self.outputs, self.sums.ncols());
        self.delta.fill(T::zero());
        self.sums.fill(T::zero());
        for (k, &shared) in self.active.iter().enumerate() {
            for r in (shared..self.coefficients.len()).step_by(self.shared) {
                let coefficient = self.coefficients[r];
                if coefficient == T::zero() {
                    continue;
                }
                let outputs = &outputs[r * self.columns + self.first..][..columns];
                self.add_to_delta(depth, k, coefficient, outputs);
                add_scaled(coefficient, outputs, row_mut(&mut self.sums, 0));
                self.add_to_label(r, coefficient, outputs);
            }
            for panel in self.delta.chunks_exact_mut(depth * self.wide) {
                multiply_by(self.terms.scales[shared], &mut panel[k * self.wide..(k + 1) * self.wide]);
            }
        }
        if let Some(pull) = self.pull {
            let pull = &pull[self.first..self.first + columns];
            self.add_to_delta(depth, self.active.len(), T::one(), pull);
            add_scaled(T::from_f64(self.peer as f64), pull, row_mut(&mut self.sums, 0));
            for r in 0..self.peer {
                self.add_to_label(r, T::one(), pull);
            }
        }
    }
}

#[inline(always)]
fn row_mut<'a, T>(matrix: &'a mut ArrayViewMut2<T>, row: usize) -> &'a mut [T] {
    matrix.row_mut(row).into_slice().unwrap_or_default()
}
