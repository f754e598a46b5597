//! Products of a layer's input with its weights: tiles of packed panels, or OpenBLAS where the processor has no
//! fused multiply-add of its own that [`registers`](crate::registers) knows.

use std::sync::PoisonError;

use ff_backend::{Result, Shape};
use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2, Axis, s};

use crate::panels::{Panels, panels, room};
use crate::registers::{PanelWork, Registers, TALL, WIDE};
use crate::strips::Strips;
use crate::vector::{Loop, widest};
use crate::{Cpu, Layout, Matrix, Scalar, Weight};

/// Rows of weights that are multiplied at a time, so that a panel of them stays in cache. The sums go on from
/// where they were: this does not show in the numbers.
const DEEP: usize = 256;
/// Rows of features that are multiplied at a time: with their sums they stay in the second-level cache.
const MANY: usize = 384;

/// What becomes of a product's sums, row by row, while they are in cache.
pub(crate) trait Finish<T>: Sync {
    /// `out` holds the sums of columns `first..` of row `row`; implementations are `#[inline(always)]`.
    fn finish(&self, row: usize, first: usize, out: &mut [T]);
}

/// Sums as they are.
pub(crate) struct Raw;

impl<T> Finish<T> for Raw {
    #[inline(always)]
    fn finish(&self, _row: usize, _first: usize, _out: &mut [T]) {}
}

/// out = a · b, also where the inner dimension is 0.
pub(crate) fn blas<T: Scalar>(a: &ArrayView2<T>, b: &ArrayView2<T>, out: &mut ArrayViewMut2<T>) {
    if a.ncols() == 0 {
        out.fill(T::zero());
    } else {
        general_mat_mul(T::one(), a, b, T::zero(), out);
    }
}

impl<T: Scalar> Cpu<T> {
    /// out = features · weight[first_row.., :], each row finished. With `skip_zeros`, features that are 0 in all
    /// rows of a tile are left out.
    pub(crate) fn multiply(
        &self,
        features: &Matrix<T>,
        weight: &Weight<T>,
        first_row: usize,
        skip_zeros: bool,
        out: &mut Matrix<T>,
        finish: &impl Finish<T>,
    ) -> Result<()> {
        let (rows, depth, columns) = (features.rows(), features.columns(), out.columns());
        if columns == 0 {
            return Ok(());
        }
        // A few parts for each thread, so that one that is held up does not hold up the others.
        let few = 4 * self.threads_for(rows * depth / 16 * columns);
        let parts = parts(out, columns.div_ceil(few).next_multiple_of(WIDE));
        let (Some(processor), Layout::Panels(weight)) = (self.processor, &weight.0) else {
            let (rows, features) = (weight.first_rows(weight.rows()), features.view());
            let Ok(weight) = ArrayView2::from_shape((weight.rows(), columns), &rows) else { return Ok(()) };
            let weight = weight.slice(s![first_row.., ..]);
            self.each(parts, |mut part: Part<T>| {
                let features = features.slice(s![part.row..part.row + part.out.nrows(), ..]);
                let columns = part.first..part.first + part.out.ncols();
                blas(&features, &weight.slice(s![.., columns]), &mut part.out);
                widest(FinishRows { part, finish });
            });
            return Ok(());
        };

        let mut workspace = self.workspace.lock().unwrap_or_else(PoisonError::into_inner);
        self.pack(features, skip_zeros, &mut workspace.left);
        let left = &workspace.left;
        self.each_by(parts, |thread, part: Part<T>| {
            let mut scratch = self.scratch[thread].lock().unwrap_or_else(PoisonError::into_inner);
            let tiles = panels::<TALL>(part.out.nrows()) * panels::<WIDE>(part.out.ncols()) * TALL * WIDE;
            let sums = room(&mut scratch, tiles);
            processor.run(Tiles { left, depth, weight, first_row, part, sums, finish });
        });
        Ok(())
    }

    /// Strips of features: for each eight rows one for each `DEEP` columns.
    fn pack(&self, features: &Matrix<T>, skip_zeros: bool, left: &mut Strips<T>) {
        let (rows, depth) = (features.rows(), features.columns());
        let layers = depth.div_ceil(DEEP);
        let mut strips: Vec<_> = left.room(panels::<TALL>(rows) * layers, DEEP).collect();
        let eights = features.slice().chunks((TALL * depth).max(1));
        let mut eights: Vec<_> = strips.chunks_mut(layers.max(1)).zip(eights).collect();
        let batch = eights.len().div_ceil(self.threads_for(rows * depth)).max(1);
        self.each(eights.chunks_mut(batch).collect(), |eights| {
            for (strips, rows) in eights {
                for (layer, strip) in strips.iter_mut().enumerate() {
                    let deep = layer * DEEP..depth.min((layer + 1) * DEEP);
                    let row =
                        |i: usize| rows.get(i * depth + deep.start..i * depth + deep.end).unwrap_or_default();
                    strip.transpose(std::array::from_fn(row));
                    if skip_zeros {
                        strip.skip_zeros();
                    }
                }
            }
        });
    }
}

/// A part of a product.
struct Part<'a, T> {
    /// Its first row.
    row: usize,
    /// Its first column.
    first: usize,
    out: ArrayViewMut2<'a, T>,
}

fn parts<T: Scalar>(out: &mut Matrix<T>, wide: usize) -> Vec<Part<'_, T>> {
    let mut parts = Vec::new();
    let rows = out.rows();
    // Blocks of equal height: a low one costs as much packing as a high one.
    let tall = rows.div_ceil(rows.div_ceil(MANY).max(1)).next_multiple_of(TALL).max(TALL);
    for (block, mut rest) in out.0.axis_chunks_iter_mut(Axis(0), tall).enumerate() {
        let mut first = 0;
        while rest.ncols() > 0 {
            let columns = wide.min(rest.ncols());
            let (out, right) = rest.split_at(Axis(1), columns);
            parts.push(Part { row: block * tall, first, out });
            (first, rest) = (first + columns, right);
        }
    }
    parts
}

/// A part of a product, tile by tile.
struct Tiles<'a, 'out, T, F> {
    /// All features, as [`Cpu::pack`] leaves them.
    left: &'a Strips<T>,
    depth: usize,
    weight: &'a Panels<T>,
    /// The row of the weights that the first feature is for.
    first_row: usize,
    part: Part<'out, T>,
    /// Room for the sums, tile after tile.
    sums: &'a mut [T],
    finish: &'a F,
}

impl<T: Scalar, F: Finish<T>> PanelWork<T> for Tiles<'_, '_, T, F> {
    #[inline(always)]
    fn run<R: Registers<T>>(mut self) {
        let Part { row: top, first, out } = &mut self.part;
        let (rows, width) = (out.nrows(), out.ncols());
        let (across, down) = (panels::<WIDE>(width), panels::<TALL>(rows));
        let layers = self.depth.div_ceil(DEEP);
        self.sums.fill(T::zero());
        let (tiles, _) = self.sums.as_chunks_mut::<WIDE>().0.as_chunks_mut::<TALL>();
        for layer in 0..layers {
            let deep = (layer * DEEP)..self.depth.min((layer + 1) * DEEP);
            for panel in 0..across {
                let right = self.weight.panel(*first / WIDE + panel);
                let right = &right[(self.first_row + deep.start) * WIDE..(self.first_row + deep.end) * WIDE];
                for (strip, sums) in tiles[panel * down..][..down].iter_mut().enumerate() {
                    let left = self.left.strip((*top / TALL + strip) * layers + layer);
                    R::multiply(left, right, sums, &mut ());
                }
            }
        }
        for (row, out) in out.rows_mut().into_iter().enumerate() {
            let Some(out) = out.into_slice() else { continue };
            for (panel, out) in out.chunks_mut(WIDE).enumerate() {
                let sums = &tiles[panel * down + row / TALL][row % TALL];
                out.copy_from_slice(&sums[..out.len()]);
                self.finish.finish(*top + row, *first + panel * WIDE, out);
            }
        }
    }
}

/// Finishes the rows of a tile that OpenBLAS has filled.
struct FinishRows<'a, T, F> {
    part: Part<'a, T>,
    finish: &'a F,
}

impl<T: Scalar, F: Finish<T>> Loop for FinishRows<'_, T, F> {
    type Output = ();
    #[inline(always)]
    fn run(mut self) {
        let Part { row: first_row, first, out } = &mut self.part;
        for (row, out) in out.rows_mut().into_iter().enumerate() {
            if let Some(out) = out.into_slice() {
                self.finish.finish(*first_row + row, *first, out);
            }
        }
    }
}
