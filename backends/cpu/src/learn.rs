//! A layer's learning step: its gradient is made tile by tile, and the optimizer visits a tile of weights while
//! its gradient is in cache. The gradient never reaches memory.

use std::marker::PhantomData;
use std::sync::PoisonError;

use ff_backend::{BackendError, Delta, Input, Parameter, Result, Rule, Weights, shapes};
use ndarray::{ArrayView2, ArrayViewMut2};

use crate::fold::Folded;
use crate::kernels::Prepared;
use crate::panels::{StripMut, columns_of, pack_strips, panels};
use crate::products::Scratch;
use crate::products::{blas, room};
use crate::registers::{Aside, PanelWork, Registers, TALL, Tile, WIDE};
use crate::vector::{Loop, widest};
use crate::{Cpu, Matrix, Scalar};

/// Rows of weights that a thread takes at a time: their part of A stays in its second-level cache.
const BLOCK: usize = 64;
/// Columns of what is handed over at a time.
const PIECE: usize = WIDE / 2;

/// What a gradient is for: `BLOCK` rows of weights or fewer.
trait Target<T: Scalar>: Send {
    /// Takes the gradient of columns `first..` of row `row`; implementations are `#[inline(always)]`.
    fn take(&mut self, row: usize, first: usize, gradient: &[T]);

    /// Fetches what taking a piece there will need.
    fn fetch<R: Registers<T>>(&self, row: usize, first: usize);
}

/// The gradient itself is wanted.
struct Store<'a, T> {
    gradient: &'a mut [T],
    columns: usize,
}

impl<T: Scalar> Target<T> for Store<'_, T> {
    #[inline(always)]
    fn take(&mut self, row: usize, first: usize, gradient: &[T]) {
        self.gradient[row * self.columns + first..][..gradient.len()].copy_from_slice(gradient);
    }
    #[inline(always)]
    fn fetch<R: Registers<T>>(&self, _row: usize, _first: usize) {}
}

/// A stretch of a parameter that makes a step.
struct Step<'a, T> {
    values: &'a mut [T],
    first: &'a mut [T],
    /// Empty where the rule has no second moment.
    second: &'a mut [T],
    columns: usize,
    rule: &'a Prepared<T>,
}

impl<'a, T: Scalar> Step<'a, T> {
    /// The parts of a parameter from element `from` on, `part` elements each.
    fn parts(
        parameter: &'a mut Parameter<Cpu<T>>,
        from: usize,
        part: usize,
        columns: usize,
        rule: &'a Prepared<T>,
    ) -> impl Iterator<Item = Self> {
        let mut seconds = parameter.second.as_mut().map(|second| second.slice_mut()[from..].chunks_mut(part));
        let values = parameter.value.slice_mut()[from..].chunks_mut(part);
        values.zip(parameter.first.slice_mut()[from..].chunks_mut(part)).map(move |(values, first)| {
            let second = seconds.as_mut().and_then(Iterator::next).unwrap_or_default();
            Step { values, first, second, columns, rule }
        })
    }
}

impl<T: Scalar> Target<T> for Step<'_, T> {
    #[inline(always)]
    fn take(&mut self, row: usize, first: usize, gradient: &[T]) {
        let at = row * self.columns + first;
        let part = at..at + gradient.len();
        let second = self.second.get_mut(part.clone()).unwrap_or_default();
        self.rule.step(&mut self.values[part.clone()], &mut self.first[part], second, gradient);
    }
    #[inline(always)]
    fn fetch<R: Registers<T>>(&self, row: usize, first: usize) {
        let at = row * self.columns + first;
        R::fetch(self.values, at);
        R::fetch(self.first, at);
        R::fetch(self.second, at);
    }
}

/// A step whose gradient is at hand.
struct Whole<'a, T>(Step<'a, T>, &'a [T]);

impl<T: Scalar> Loop for Whole<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(mut self) {
        self.0.take(0, 0, self.1);
    }
}

impl<T: Scalar> Cpu<T> {
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
                bias.slice_mut().copy_from_slice(folded.bias);
            }
            let (labels, features) = weight.slice_mut().split_at_mut(folded.labels.len());
            labels.copy_from_slice(folded.labels);
            let columns = folded.columns;
            let blocks = features.chunks_mut((BLOCK * columns).max(1));
            self.each_block(&folded, blocks.map(|gradient| Store { gradient, columns }).collect());
        });
        Ok(())
    }

    /// One step of `rule` over the first elements of a parameter, as many as it has a gradient for.
    pub(crate) fn apply(&self, parameter: &mut Parameter<Self>, gradient: &[T], rule: Rule) -> Result<()> {
        needs_second(rule, parameter.second.is_some())?;
        let rule = Prepared::new(rule);
        let part = Self::rows_per_part(gradient.len(), self.threads_for(gradient.len()));
        let steps = Step::parts(parameter, 0, part, 0, &rule).zip(gradient.chunks(part));
        self.each(steps.collect(), |(step, gradient)| widest(Whole(step, gradient)));
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
                self.apply(bias, folded.bias, rule.without_decay())?;
            }
            self.apply(&mut layer.weight, folded.labels, rule)?;
            let (rule, columns) = (Prepared::new(rule), folded.columns);
            let part = (BLOCK * columns).max(1);
            let blocks = Step::parts(&mut layer.weight, folded.labels.len(), part, columns, &rule);
            self.each_block(&folded, blocks.collect());
            Ok(())
        })
    }

    /// Gives every block of weights its gradient.
    fn each_block(&self, folded: &Folded<T>, blocks: Vec<impl Target<T>>) {
        self.each_by(blocks.into_iter().enumerate().collect(), |thread, (index, target)| {
            let mut scratch = self.scratch[thread].lock().unwrap_or_else(PoisonError::into_inner);
            let from = index * BLOCK;
            let rows = BLOCK.min(folded.width - from);
            let block = Block { folded, from, rows, target, scratch: &mut scratch };
            match self.processor {
                Some(processor) => processor.run(block),
                None => block.run_blas(),
            }
        });
    }
}

/// Rows `from..from + rows` of Aᵀ D.
struct Block<'a, T, K> {
    folded: &'a Folded<'a, T>,
    from: usize,
    rows: usize,
    target: K,
    scratch: &'a mut Scratch<T>,
}

impl<T: Scalar, K: Target<T>> PanelWork<T> for Block<'_, T, K> {
    #[inline(always)]
    fn run<R: Registers<T>>(mut self) {
        let Folded { rows: features, delta, columns, .. } = *self.folded;
        let depth = features.len();
        let (across, down) = (panels::<WIDE>(columns), panels::<TALL>(self.rows));
        for row in 0..down * TALL {
            self.target.fetch::<R>(row, 0);
            self.target.fetch::<R>(row, PIECE);
        }
        let strips = &mut self.scratch.strips;
        let mut packed: Vec<_> = strips.room(down, depth).collect();
        pack_strips(features, self.from, &mut packed);
        if self.folded.skip_zeros {
            packed.iter_mut().for_each(StripMut::skip_zeros);
        }
        // A tile is handed over while the next one is multiplied.
        let mut sums = [[[T::zero(); WIDE]; TALL]; 2];
        let [mut now, mut before] = sums.each_mut();
        let mut place = Place { row: 0, first: 0, tall: 0, wide: 0 };
        for panel in 0..across {
            let right = &delta[panel * depth * WIDE..][..depth * WIDE];
            let (first, wide) = (panel * WIDE, columns_of(panel, columns));
            for strip in 0..down {
                let (left, row) = (strips.strip(strip), strip * TALL);
                *now = [[T::zero(); WIDE]; TALL];
                // This strip's tile in the panel to the right will be wanted next.
                let fetch = (panel + 1 < across).then_some((row, first + WIDE));
                let (target, registers) = (&mut self.target, PhantomData::<R>);
                let mut aside = HandOver { target, place, sums: before, fetch, registers };
                R::multiply(left, right, wide, now, &mut aside);
                place = Place { row, first, tall: self.rows - row, wide };
                std::mem::swap(&mut now, &mut before);
            }
        }
        let (target, registers) = (&mut self.target, PhantomData::<R>);
        let mut last = HandOver { target, place, sums: before, fetch: None, registers };
        (0..2 * TALL).for_each(|piece| last.piece(piece));
    }
}

impl<T: Scalar, K: Target<T>> Block<'_, T, K> {
    /// As [`PanelWork::run`], a panel at a time by OpenBLAS.
    fn run_blas(mut self) {
        let Folded { rows: features, delta, wide, columns, .. } = *self.folded;
        let depth = features.len();
        let (left, sums) =
            room(&mut self.scratch.values, self.rows * (depth + wide)).split_at_mut(self.rows * depth);
        for (out, row) in left.chunks_exact_mut(self.rows).zip(features) {
            out.copy_from_slice(&row[self.from..self.from + self.rows]);
        }
        for panel in 0..columns.div_ceil(wide) {
            let right = &delta[panel * depth * wide..][..depth * wide];
            let (Ok(left), Ok(right), Ok(mut product)) = (
                ArrayView2::from_shape((depth, self.rows), &*left),
                ArrayView2::from_shape((depth, wide), right),
                ArrayViewMut2::from_shape((self.rows, wide), &mut *sums),
            ) else {
                continue;
            };
            blas(&left.t(), &right, &mut product);
            let first = panel * wide;
            widest(Hand { target: &mut self.target, first, wide: wide.min(columns - first), sums: &product });
        }
    }
}

/// A tile of a gradient: its first row, its first column, and how many rows and columns are wanted.
#[derive(Clone, Copy)]
struct Place {
    row: usize,
    first: usize,
    tall: usize,
    wide: usize,
}

/// Hands a tile to the target, and fetches what the target will need at the tile at (row, column).
struct HandOver<'a, T, K, R> {
    target: &'a mut K,
    place: Place,
    sums: &'a Tile<T>,
    fetch: Option<(usize, usize)>,
    registers: PhantomData<R>,
}

impl<T: Scalar, K: Target<T>, R: Registers<T>> Aside for HandOver<'_, T, K, R> {
    const PIECES: usize = 2 * TALL;

    #[inline(always)]
    fn piece(&mut self, piece: usize) {
        let (row, at) = (piece / 2, piece % 2 * PIECE);
        let Place { row: first_row, first, tall, wide } = self.place;
        if row < tall && at < wide {
            let sums = &self.sums[row][at..wide];
            match sums.first_chunk::<PIECE>() {
                // The common case, with a length that the compiler knows.
                Some(sums) => self.target.take(first_row + row, first + at, sums),
                None => self.target.take(first_row + row, first + at, sums),
            }
        }
        if let Some((first_row, first)) = self.fetch {
            self.target.fetch::<R>(first_row + row, first + at);
        }
    }
}

/// Hands the rows of a gradient to their target.
struct Hand<'a, T, K> {
    target: &'a mut K,
    first: usize,
    wide: usize,
    sums: &'a ArrayViewMut2<'a, T>,
}

impl<T: Scalar, K: Target<T>> Loop for Hand<'_, T, K> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (row, sums) in self.sums.rows().into_iter().enumerate() {
            let sums = sums.to_slice().unwrap_or_default();
            self.target.take(row, self.first, &sums[..self.wide]);
        }
    }
}

fn needs_second(rule: Rule, has_second: bool) -> Result<()> {
    if matches!(rule, Rule::Adam { .. }) && !has_second {
        return Err(BackendError::Unsupported("Adam needs a second moment".into()));
    }
    Ok(())
}
