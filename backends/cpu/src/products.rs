//! Products of a layer's input with its weights: dense tiles of packed panels, or by the lists of what is on. Both add
//! up each sum in the same order, so the choice does not show in the numbers.

use std::sync::PoisonError;

use ff_backend::{Connected, Fields, Result, Shape};
use ndarray::{ArrayViewMut2, Axis};

use crate::fields::{gather, stretches};
use crate::lists::{KC, Lists};
use crate::micro_panels::MicroPanels;
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
    /// For each MR rows and each place a micro-panel for each KC columns, as [`Cpu::pack`] leaves them.
    Dense(&'a MicroPanels<T>),
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
        // A few parts for each thread, so that one that is held up does not hold up the others.
        let few = 4 * self.threads_for(rows * depth / 16 * columns);
        let parts = parts(out, grouping, columns.div_ceil(few).next_multiple_of(NR));
        let mut workspace = self.workspace.lock().unwrap_or_else(PoisonError::into_inner);
        let workspace = &mut *workspace;
        let (left, seen) = (&mut workspace.left, &mut workspace.seen);
        let left = match (self.lists(features), weight.fields()) {
            (Some(lists), None) => Left::Lists(lists),
            (Some(_), Some(fields)) => {
                self.list_fields(features, fields, seen);
                Left::Lists(seen)
            }
            (None, fields) => {
                self.pack(features, fields, left);
                Left::Dense(left)
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

    /// Micro-panels of features: for each MR rows and each place one for each KC columns.
    fn pack(&self, features: &Matrix<T>, fields: Option<&Fields>, left: &mut MicroPanels<T>) {
        let (rows, width) = (features.rows(), features.columns());
        let (places, depth) = fields.map_or((1, width), |fields| (fields.places(), fields.rows()));
        let stretches = &fields.map(stretches).unwrap_or_default();
        let blocks = depth.div_ceil(KC);
        let mut panels: Vec<_> = left.room(count::<MR>(rows) * places * blocks, KC.min(depth)).collect();
        let eights = features.slice().chunks((MR * width).max(1));
        let mut eights: Vec<_> = panels.chunks_mut((places * blocks).max(1)).zip(eights).collect();
        let batch = eights.len().div_ceil(self.threads_for(rows * places * depth)).max(1);
        self.each_by(eights.chunks_mut(batch).collect(), |thread, eights| {
            let mut scratch = self.scratch[thread].lock().unwrap_or_else(PoisonError::into_inner);
            let seen = room(&mut scratch, if stretches.is_empty() { 0 } else { MR * depth });
            for (panels, rows) in eights {
                for (place, panels) in panels.chunks_mut(blocks.max(1)).enumerate() {
                    let rows = match stretches.get(place) {
                        None => &**rows,
                        Some(stretches) => {
                            let each =
                                rows.chunks_exact(width.max(1)).zip(seen.chunks_exact_mut(depth.max(1)));
                            each.for_each(|(row, seen)| gather(stretches, row, seen));
                            &seen[..rows.len() / width.max(1) * depth]
                        }
                    };
                    for (block, panel) in panels.iter_mut().enumerate() {
                        let part = block * KC..depth.min((block + 1) * KC);
                        let row = |i: usize| {
                            rows.get(i * depth + part.start..i * depth + part.end).unwrap_or_default()
                        };
                        panel.transpose(std::array::from_fn(row));
                        if self.exact_shortcuts {
                            panel.skip_zeros();
                        }
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
            Left::Dense(left) => self.dense::<M>(left),
            Left::Lists(lists) => self.by_lists::<M>(lists),
        }
    }
}

impl<T: Scalar, E: Epilogue<T>> Product<'_, '_, T, E> {
    #[inline(always)]
    fn dense<M: Microkernel<T>>(mut self, left: &MicroPanels<T>) {
        let Part { row: top, first, panel: own, out } = &mut self.part;
        let (places, place) = (self.weight.grouping().groups, self.weight.grouping().group_of(*own));
        let (across, down) = (count::<NR>(out.ncols()), count::<MR>(out.nrows()));
        let blocks = self.depth.div_ceil(KC);
        self.sums.fill(T::zero());
        let (tiles, _) = self.sums.as_chunks_mut::<NR>().0.as_chunks_mut::<MR>();
        for block in 0..blocks {
            let deep = (block * KC)..self.depth.min((block + 1) * KC);
            for panel in 0..across {
                let right = self.weight.panel(*own + panel);
                let right = &right[(self.first_row + deep.start) * NR..(self.first_row + deep.end) * NR];
                for (i, sums) in tiles[panel * down..][..down].iter_mut().enumerate() {
                    let left = left.micro_panel(((*top / MR + i) * places + place) * blocks + block);
                    M::multiply(left, right, sums, &mut ());
                }
            }
        }
        for (row, out) in out.rows_mut().into_iter().enumerate() {
            let Some(out) = out.into_slice() else { continue };
            for (panel, out) in out.chunks_mut(NR).enumerate() {
                let sums = &tiles[panel * down + row / MR][row % MR];
                finish(self.epilogue, *top + row, *first + panel * NR, sums, out);
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
                        let out = out.row(row).to_slice().unwrap_or_default();
                        M::fetch(out, columns.start);
                        M::fetch(out, columns.start + NR / 2);
                    }
                    if self.depth > 0 {
                        M::accumulate(lists.list((*top + row) * places + place, block), right, sums);
                    }
                }
            }
            for (row, (mut out, sums)) in out.rows_mut().into_iter().zip(&*sums).enumerate() {
                let Some(out) = out.as_slice_mut() else { continue };
                finish(self.epilogue, *top + row, *first + columns.start, sums, &mut out[columns.clone()]);
            }
        }
    }
}

/// Writes a row of sums out, finished. The epilogue works on a copy in cache, so that nothing waits for the place of
/// the output, which is only written.
#[inline(always)]
fn finish<T: Scalar>(epilogue: &impl Epilogue<T>, row: usize, first: usize, sums: &[T; NR], out: &mut [T]) {
    // −0 becomes 0: which zero a sum of underflowed terms is depends on the zeros between them.
    let mut done = sums.map(|sum| sum + T::zero());
    match out.first_chunk_mut::<NR>() {
        Some(out) => {
            epilogue.finish(row, first, &mut done);
            *out = done;
        }
        None => {
            let done = &mut done[..out.len()];
            epilogue.finish(row, first, done);
            out.copy_from_slice(done);
        }
    }
}
