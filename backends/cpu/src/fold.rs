//! The operands of a layer's gradient.
//!
//! zᵀδ is one product Aᵀ D of two folded operands: rows that share their features are added before the
//! product, rows with a coefficient of 0 are left out, and peer normalization, whose δ is the same for
//! every positive row, is one more row.

use std::sync::PoisonError;

use ff_backend::{Delta, Fields, Input, LabelCode, Peer, Shape};
use ndarray::{ArrayViewMut2, Axis};

use crate::forward::{RowTerms, rounded};
use crate::kernels::{add_scaled, multiply_by};
use crate::lists::{ColumnLists, ColumnsMut, Lists};
use crate::micro_panels::{Columns, MicroPanelMut, MicroPanels, columns, pack_columns_of_rows};
use crate::microkernel::{MR, NR};
use crate::panels::{Grouping, count, room};
use crate::vector::{Loop, widest};
use crate::{Cpu, Matrix, Scalar};

/// Features that are packed at a time.
const BLOCK: usize = 64;

/// Memory of a product's operands, kept from step to step.
#[derive(Default)]
pub(crate) struct Workspace<T> {
    /// The left operand, dense.
    pub left: MicroPanels<T>,
    /// The left operand of local weights, by lists.
    pub seen: Lists<T>,
    /// The transposed left operand, by lists.
    columns: ColumnLists<T>,
    /// Panels of D.
    delta: Vec<T>,
    /// Σδ `[1, N]`, then the label rows' gradient `[C, N]`.
    sums: Vec<T>,
    /// The peer's row of A.
    peer: Vec<T>,
}

/// A gradient before its product: bias = Σδ, weight = [labels ; AᵀD].
pub(crate) struct Folded<'a, T> {
    /// A `[K, F]`.
    pub left: LeftTransposed<'a, T>,
    /// K.
    pub depth: usize,
    /// Rows of the weights below the labels': F, or as many as a place sees.
    pub width: usize,
    /// What the units of each place see, if not everything.
    pub fields: Option<&'a Fields>,
    /// D `[K, N]` in panels `[K, NR]`, the last one of each group filled up with zeros.
    pub delta: &'a [T],
    /// N columns, in a group for each place.
    pub grouping: Grouping,
    /// `[N]`.
    pub bias: &'a [T],
    /// `[C, N]`.
    pub labels: &'a [T],
}

/// The left operand Aᵀ: its columns, that is the features, are what a tile's rows are made of.
#[derive(Clone, Copy)]
pub(crate) enum LeftTransposed<'a, T> {
    /// Micro-panels, and which of them each place has for each MR features that it sees.
    Dense(&'a MicroPanels<T>, &'a [u32]),
    /// For each feature, the rows in which it is on.
    Lists(&'a ColumnLists<T>),
}

impl<T: Scalar> Cpu<T> {
    /// Calls `then` with the folded operands, for weights of these fields.
    pub(crate) fn fold<R>(
        &self,
        input: &Input<Self>,
        delta: &Delta<Self>,
        fields: Option<&Fields>,
        then: impl FnOnce(Folded<T>) -> R,
    ) -> R {
        let (shared, rows, columns) = (input.features.rows(), delta.outputs.rows(), delta.outputs.columns());
        let (width, classes) = (input.features.columns(), input.classes());
        let terms = RowTerms::new(input, rows);
        let coefficients = delta.coefficients.slice();
        let counts = |k: &usize| (*k..rows).step_by(shared.max(1)).any(|r| coefficients[r] != T::zero());
        let active: Vec<usize> = (0..shared).filter(|k| !self.exact_shortcuts || counts(k)).collect();
        let depth = active.len() + usize::from(delta.peer.is_some());

        let mut workspace = self.workspace.lock().unwrap_or_else(PoisonError::into_inner);
        let Workspace { left, columns: column_lists, delta: folded, sums, peer: peer_row, .. } =
            &mut *workspace;
        let grouping = Grouping { columns, groups: fields.map_or(1, Fields::places) };
        let folded = room(folded, grouping.panels() * NR * depth);
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
        let part = columns.div_ceil(self.threads_for(work)).next_multiple_of(NR);
        if let Ok(sums) = ArrayViewMut2::from_shape((1 + classes, columns), &mut *sums) {
            let (mut parts, mut sums_left, mut delta_left) = (Vec::new(), sums, &mut *folded);
            for columns_here in grouping.parts(part) {
                let (sums, sums_right) = sums_left.split_at(Axis(1), columns_here.len());
                let panels = count::<NR>(columns_here.len()) * NR * depth;
                let (folded, delta_right) = delta_left.split_at_mut(panels);
                (sums_left, delta_left) = (sums_right, delta_right);
                parts.push(FoldColumns {
                    terms: &terms,
                    neutral: matches!(input.label.map(|label| label.code), Some(LabelCode::Neutral)),
                    coefficients,
                    outputs: delta.outputs.slice(),
                    columns,
                    first: columns_here.start,
                    active: &active,
                    shared,
                    peer,
                    pull: pull.as_deref(),
                    delta: folded,
                    sums,
                });
            }
            self.each(parts, widest);
        }
        let peer_row = delta.peer.as_ref().map(|_| &*peer_row);
        let seen;
        let left = match self.column_lists(input.features, &active, peer_row, column_lists) {
            true => LeftTransposed::Lists(column_lists),
            false => {
                seen = self.pack_transposed(&features, fields, width, left);
                LeftTransposed::Dense(left, &seen)
            }
        };
        let (bias, labels) = sums.split_at(columns);
        let width = fields.map_or(width, Fields::rows);
        then(Folded { left, depth, width, fields, delta: folded, grouping, bias, labels })
    }

    /// Micro-panels of the transposed left operand; which of them each place has for each MR features that it sees.
    fn pack_transposed(
        &self,
        rows: &[&[T]],
        fields: Option<&Fields>,
        width: usize,
        left: &mut MicroPanels<T>,
    ) -> Vec<u32> {
        let (columns, seen) = columns(fields, width);
        let panels = left.room(columns.len(), rows.len());
        let mut panels: Vec<_> = columns.into_iter().zip(panels).collect();
        let skip_zeros = self.exact_shortcuts;
        let parts = panels.chunks_mut(BLOCK / MR).map(|panels| PackColumns { rows, panels, skip_zeros });
        self.each(parts.collect(), widest);
        seen
    }

    /// Makes the list of every feature: the rows, of those that are active, in which it is on, and the peer's row after
    /// them. False, and nothing is made, where dense tiles are faster.
    fn column_lists(
        &self,
        features: &Matrix<T>,
        active: &[usize],
        peer: Option<&[T]>,
        columns: &mut ColumnLists<T>,
    ) -> bool {
        let Some(lists) = features.lists() else { return false };
        let width = features.columns();
        let dense = peer.map_or(0, |_| width);
        let on = dense + active.iter().map(|&row| lists.count(row)).sum::<usize>();
        if !self.lists_pay(on, active.len() * width + dense) {
            return false;
        }
        let depth = active.len() + usize::from(peer.is_some());
        let blocks = columns.blocks(width, depth).enumerate().collect();
        self.each(blocks, |(block, mut columns): (usize, ColumnsMut<T>)| {
            for (k, &row) in active.iter().enumerate() {
                columns.add(k, lists.list(row, block));
            }
            if let Some(peer) = peer {
                columns.add_dense(active.len(), peer);
            }
        });
        true
    }
}

/// Micro-panels, to be filled with their columns of these rows.
struct PackColumns<'a, 'b, T> {
    rows: &'a [&'a [T]],
    panels: &'a mut [(Columns<'b>, MicroPanelMut<'b, T>)],
    skip_zeros: bool,
}

impl<T: Scalar> Loop for PackColumns<'_, '_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        pack_columns_of_rows(self.rows, self.panels, self.skip_zeros);
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
    /// The panels of these columns.
    delta: &'a mut [T],
    sums: ArrayViewMut2<'a, T>,
}

impl<T: Scalar> FoldColumns<'_, T> {
    /// Adds factor · x to row `k` of D.
    #[inline(always)]
    fn add_to_delta(&mut self, depth: usize, k: usize, factor: T, x: &[T]) {
        for (panel, x) in x.chunks(NR).enumerate() {
            add_scaled(factor, x, &mut self.delta[(panel * depth + k) * NR..][..x.len()]);
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
            for panel in self.delta.chunks_exact_mut(depth * NR) {
                multiply_by(self.terms.scales[shared], &mut panel[k * NR..(k + 1) * NR]);
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
