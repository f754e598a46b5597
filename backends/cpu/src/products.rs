//! Products of a layer's input with its weights: dense tiles of packed panels, or by the lists of what is on. Both add
//! up each sum in the same order, so the choice does not show in the numbers.

use std::sync::PoisonError;

use ff_backend::{Connected, Result, Shape, Stretch};
use ndarray::{ArrayView1, ArrayViewMut2, Axis};

use crate::fields::blocks;
use crate::lists::{KC, Lists};
use crate::micro_panels::{MicroPanelMut, MicroPanels};
use crate::microkernel::{Kernel, MR, Microkernel, NR};
use crate::panels::{Grouping, Panels, count, room};
use crate::{Cpu, Matrix, Scalar, Weight};

/// Rows of features that are multiplied at a time: with their sums they stay in the second-level cache.
const MC: usize = 384;

/// What becomes of a product's sums, row by row, while they are in cache.
pub(crate) trait Epilogue<T>: Sync {
    /// `out` holds the sums of columns `first..` of row `row`; implementations are `#[inline(always)]`.
    fn finish(&self, row: usize, first: usize, out: &mut [T]);
}

/// Sums as they are.
pub(crate) struct Raw;

impl<T> Epilogue<T> for Raw {
    #[inline(always)]
    fn finish(&self, _row: usize, _first: usize, _out: &mut [T]) {}
}

/// The left operand of a product: what each place sees of each row. Dense weights have one place, which sees all.
#[derive(Clone, Copy)]
enum Left<'a, T> {
    /// For each MR rows a micro-panel, as [`Cpu::pack`] leaves it, and what each place sees of it: [`blocks`].
    Dense(&'a MicroPanels<T>, &'a [Vec<Vec<Stretch>>]),
    /// For each row a list for each place.
    Lists(&'a Lists<T>),
}

impl<T: Scalar> Cpu<T> {
    /// out = features · weight[first_row.., :], each row finished.
    pub(crate) fn multiply(
        &self,
        features: &Matrix<T>,
        weight: &Weight<T>,
        first_row: usize,
        out: &mut Matrix<T>,
        epilogue: &impl Epilogue<T>,
    ) -> Result<()> {
        let (rows, columns) = (features.rows(), out.columns());
        let (depth, grouping) = (weight.rows_for(features.columns()), weight.panels.grouping());
        if columns == 0 {
            return Ok(());
        }
        // Some parts for each thread, so that one that is held up does not hold up the others, though places differ.
        let some = 16 * self.threads_for(rows * depth / 16 * columns);
        let parts = parts(out, grouping, columns.div_ceil(some).next_multiple_of(NR));
        let mut workspace = self.workspace.lock().unwrap_or_else(PoisonError::into_inner);
        let workspace = &mut *workspace;
        let (left, seen) = (&mut workspace.left, &mut workspace.seen);
        let blocks = blocks(weight.fields(), depth);
        let left = match (self.lists(features), weight.fields()) {
            (Some(lists), None) => Left::Lists(lists),
            (Some(_), Some(fields)) => {
                self.list_fields(features, fields, seen);
                Left::Lists(seen)
            }
            (None, _) => {
                self.pack(features, left);
                Left::Dense(left, &blocks)
            }
        };
        self.each_by(parts, |thread, part: Part<T>| {
            let mut scratch = self.scratch[thread].lock().unwrap_or_else(PoisonError::into_inner);
            let tiles = count::<MR>(part.out.nrows()) * count::<NR>(part.out.ncols()) * MR * NR;
            let sums = room(&mut scratch, tiles);
            self.instructions.run(Product {
                left,
                depth,
                weight: &weight.panels,
                first_row,
                part,
                sums,
                epilogue,
            });
        });
        Ok(())
    }

    /// The lists of a product's input, where they are faster than dense tiles.
    pub(crate) fn lists<'a>(&self, features: &'a Matrix<T>) -> Option<&'a Lists<T>> {
        let lists = features.lists().filter(|_| self.exact_shortcuts)?;
        let on = (0..features.rows()).map(|row| lists.count(row)).sum();
        self.lists_pay(on, features.elements()).then_some(lists)
    }

    /// Whether a product of which `on` of `all` values are not 0 is faster by lists.
    pub(crate) fn lists_pay(&self, on: usize, all: usize) -> bool {
        self.exact_shortcuts && on as f64 <= self.break_even * all as f64
    }

    /// Micro-panels of features: one for each MR rows.
    fn pack(&self, features: &Matrix<T>, left: &mut MicroPanels<T>) {
        let (rows, width) = (features.rows(), features.columns());
        let eights = features.slice().chunks((MR * width).max(1));
        let mut eights: Vec<_> = left.room(count::<MR>(rows), width).zip(eights).collect();
        let batch = eights.len().div_ceil(4 * self.threads_for(rows * width)).max(1);
        let skip_zeros = self.exact_shortcuts;
        let parts = eights.chunks_mut(batch).map(|eights| Transpose { eights, width, skip_zeros });
        self.each(parts.collect(), |part| self.instructions.run(part));
    }
}

/// MR rows for each micro-panel, to be packed.
struct Transpose<'a, 'b, T> {
    eights: &'a mut [(MicroPanelMut<'b, T>, &'b [T])],
    width: usize,
    skip_zeros: bool,
}

impl<T: Scalar> Kernel<T> for Transpose<'_, '_, T> {
    #[inline(always)]
    fn run<M: Microkernel<T>>(self) {
        for (panel, rows) in self.eights {
            let row = |i: usize| rows.get(i * self.width..(i + 1) * self.width).unwrap_or_default();
            panel.transpose::<M>(std::array::from_fn(row), self.skip_zeros);
        }
    }
}

/// A part of a product.
struct Part<'a, T> {
    /// Its first row.
    row: usize,
    /// Its first column.
    first: usize,
    /// The first of its panels of weights.
    panel: usize,
    out: ArrayViewMut2<'a, T>,
}

/// A product in parts of `wide` columns, in blocks of equal height: a low block costs as much packing as a high one.
fn parts<T: Scalar>(out: &mut Matrix<T>, grouping: Grouping, wide: usize) -> Vec<Part<'_, T>> {
    let mut parts = Vec::new();
    let rows = out.rows();
    let tall = rows.div_ceil(rows.div_ceil(MC).max(1)).next_multiple_of(MR).max(MR);
    for (block, mut rest) in out.view_mut().into_axis_chunks_iter_mut(Axis(0), tall).enumerate() {
        let mut panel = 0;
        for columns in grouping.parts(wide) {
            let (out, right) = rest.split_at(Axis(1), columns.len());
            parts.push(Part { row: block * tall, first: columns.start, panel, out });
            (panel, rest) = (panel + count::<NR>(columns.len()), right);
        }
    }
    parts
}

/// A part of a product, a panel of weights at a time, in blocks of KC of its rows, so that a block stays in cache while
/// all rows of features meet it. The sums go on from where they were: this does not show in the numbers.
struct Product<'a, 'out, T, E> {
    /// All features.
    left: Left<'a, T>,
    /// Features that a place sees.
    depth: usize,
    weight: &'a Panels<T>,
    /// The row of the weights that the first feature is for.
    first_row: usize,
    part: Part<'out, T>,
    /// Room for the sums, tile after tile.
    sums: &'a mut [T],
    epilogue: &'a E,
}

impl<T: Scalar, E: Epilogue<T>> Kernel<T> for Product<'_, '_, T, E> {
    #[inline(always)]
    fn run<M: Microkernel<T>>(self) {
        match self.left {
            Left::Dense(left, seen) => self.dense::<M>(left, seen),
            Left::Lists(lists) => self.by_lists::<M>(lists),
        }
    }
}

impl<T: Scalar, E: Epilogue<T>> Product<'_, '_, T, E> {
    #[inline(always)]
    fn dense<M: Microkernel<T>>(mut self, left: &MicroPanels<T>, seen: &[Vec<Vec<Stretch>>]) {
        let Part { row: top, first, panel: own, out } = &mut self.part;
        let place = self.weight.grouping().group_of(*own);
        let (rows, width) = (out.nrows(), out.ncols());
        let (blocks, down) = (&seen[place], count::<MR>(rows));
        let (tiles, _) = self.sums.as_chunks_mut::<NR>().0.as_chunks_mut::<MR>();
        for (block, stretches) in blocks.iter().enumerate() {
            let ends = block + 1 == blocks.len();
            for (panel, from) in (0..width).step_by(NR).enumerate() {
                let columns = from..width.min(from + NR);
                let right = &self.weight.panel(*own + panel)[(self.first_row + block * KC) * NR..];
                for i in 0..down {
                    // A tile that ends where it begins stays in cache.
                    let sums = &mut tiles[if blocks.len() == 1 { 0 } else { panel * down + i }];
                    let rows = i * MR..rows.min((i + 1) * MR);
                    if block == 0 {
                        *sums = [[T::zero(); NR]; MR];
                    }
                    // The place of the sums comes from memory meanwhile.
                    for row in rows.clone().filter(|_| ends) {
                        fetch_line::<T, M>(out.row(row), from);
                    }
                    for &Stretch { at, feature, count } in stretches {
                        let left = left.part(*top / MR + i, feature..feature + count);
                        M::multiply(left, &right[at * NR..(at + count) * NR], sums, &mut ());
                    }
                    for (row, sums) in rows.zip(sums).filter(|_| ends) {
                        let mut out = out.row_mut(row);
                        let Some(out) = out.as_slice_mut() else { continue };
                        finish(self.epilogue, *top + row, *first + from, sums, &mut out[columns.clone()]);
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn by_lists<M: Microkernel<T>>(mut self, lists: &Lists<T>) {
        let Part { row: top, first, panel: own, out } = &mut self.part;
        let (places, place) = (self.weight.grouping().groups, self.weight.grouping().group_of(*own));
        let (rows, width) = (out.nrows(), out.ncols());
        let blocks = self.depth.div_ceil(KC).max(1);
        let sums = &mut self.sums.as_chunks_mut::<NR>().0[..rows];
        for panel in 0..count::<NR>(width) {
            let columns = panel * NR..width.min((panel + 1) * NR);
            let right = &self.weight.panel(*own + panel)[self.first_row * NR..];
            sums.fill([T::zero(); NR]);
            for block in 0..blocks {
                for (row, sums) in sums.iter_mut().enumerate() {
                    // The lines of the next block come from memory meanwhile.
                    if row < KC {
                        let next = ((block + 1) * KC + row) * NR;
                        M::fetch(right, next);
                        M::fetch(right, next + NR / 2);
                    }
                    // So does the place of the sums, in the last block.
                    if block + 1 == blocks {
                        fetch_line::<T, M>(out.row(row), columns.start);
                    }
                    if self.depth > 0 {
                        M::accumulate(lists.list((*top + row) * places + place, block), right, sums);
                    }
                }
            }
            for (row, (mut out, sums)) in out.rows_mut().into_iter().zip(&mut *sums).enumerate() {
                let Some(out) = out.as_slice_mut() else { continue };
                finish(self.epilogue, *top + row, *first + columns.start, sums, &mut out[columns.clone()]);
            }
        }
    }
}

/// Fetches NR elements of a row.
#[inline(always)]
fn fetch_line<T: Scalar, M: Microkernel<T>>(row: ArrayView1<T>, from: usize) {
    let row = row.to_slice().unwrap_or_default();
    M::fetch(row, from);
    M::fetch(row, from + NR / 2);
}

/// Writes a row of sums out, finished. The epilogue works on sums in cache, so that nothing waits for the place of the
/// output, which is only written.
#[inline(always)]
fn finish<T: Scalar>(
    epilogue: &impl Epilogue<T>,
    row: usize,
    first: usize,
    sums: &mut [T; NR],
    out: &mut [T],
) {
    // −0 becomes 0: which zero a sum of underflowed terms is depends on the zeros between them.
    sums.iter_mut().for_each(|sum| *sum += T::zero());
    match out.first_chunk_mut::<NR>() {
        Some(out) => {
            epilogue.finish(row, first, sums);
            *out = *sums;
        }
        None => {
            let sums = &mut sums[..out.len()];
            epilogue.finish(row, first, sums);
            out.copy_from_slice(sums);
        }
    }
}
