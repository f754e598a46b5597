//! A layer's learning step: its gradient is made tile by tile, and the optimizer visits a tile of weights while
//! its gradient is in cache. The gradient never reaches memory.

use std::marker::PhantomData;

use ff_backend::{Delta, Gradient, Input, Parameter, Result, Rule, Weights, shapes, unfused};
use ndarray::{ArrayView2, ArrayViewMut2, Axis, s};

use crate::fold::Folded;
use crate::kernels::Prepared;
use crate::panels::{Panels, panels};
use crate::products::blas;
use crate::registers::{Aside, PanelWork, Processor, Registers, TALL, Tile, WIDE};
use crate::vector::{Loop, widest};
use crate::{Cpu, Layout, Matrix, Scalar};

/// Strips that are multiplied with a panel at a time: they stay in the second-level cache.
const MANY: usize = 64;
/// Elements that are handed over at a time: half a row of a tile.
const PIECE: usize = WIDE / 2;

/// What a gradient is for: a stretch of a panel.
trait Target<T: Scalar>: Send {
    /// Takes the gradient of elements `at..`; implementations are `#[inline(always)]`.
    fn take(&mut self, at: usize, gradient: &[T; PIECE]);

    /// Fetches what taking elements `at..` will need.
    fn fetch<R: Registers<T>>(&self, at: usize);
}

/// The gradient itself is wanted.
struct Store<'a, T>(&'a mut [T]);

impl<T: Scalar> Target<T> for Store<'_, T> {
    #[inline(always)]
    fn take(&mut self, at: usize, gradient: &[T; PIECE]) {
        self.0[at..at + PIECE].copy_from_slice(gradient);
    }
    #[inline(always)]
    fn fetch<R: Registers<T>>(&self, _at: usize) {}
}

/// A stretch of a parameter that makes a step.
struct Step<'a, T> {
    values: &'a mut [T],
    first: &'a mut [T],
    /// Empty where the rule has no second moment.
    second: &'a mut [T],
    rule: &'a Prepared<T>,
}

impl<T: Scalar> Target<T> for Step<'_, T> {
    #[inline(always)]
    fn take(&mut self, at: usize, gradient: &[T; PIECE]) {
        let part = at..at + PIECE;
        let second = self.second.get_mut(part.clone()).unwrap_or_default();
        self.rule.step(&mut self.values[part.clone()], &mut self.first[part], second, gradient);
    }
    #[inline(always)]
    fn fetch<R: Registers<T>>(&self, at: usize) {
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
    fn run(self) {
        let Whole(Step { values, first, second, rule }, gradient) = self;
        rule.step(values, first, second, gradient);
    }
}

impl<T: Scalar> Cpu<T> {
    pub(crate) fn gradient(
        &self,
        input: &Input<Self>,
        delta: &Delta<Self>,
        gradient: &mut Gradient<Self>,
    ) -> Result<()> {
        shapes::gradient::<Self>(input, delta, gradient)?;
        self.fold(input, delta, |folded| {
            if let Some(bias) = &mut gradient.bias {
                bias.slice_mut().copy_from_slice(folded.bias);
            }
            match (self.processor, &mut gradient.weight.0) {
                (Some(processor), Layout::Panels(panels)) => {
                    let stretches = folded.stretches(panels);
                    self.each_stretch(processor, &folded, stretches.into_iter().map(Store));
                }
                _ => self.blas_gradient(&folded, gradient.weight.slice_mut()),
            }
        });
        Ok(())
    }

    pub(crate) fn update(
        &self,
        layer: &mut Weights<Self>,
        gradient: &Gradient<Self>,
        rule: Rule,
    ) -> Result<()> {
        shapes::update::<Self>(layer, gradient, rule)?;
        let Parameter { value, first, second } = &mut layer.weight;
        let second = second.as_mut().map(|second| second.slice_mut()).unwrap_or_default();
        self.step(value.slice_mut(), first.slice_mut(), second, gradient.weight.slice(), rule);
        if let (Some(bias), Some(gradient)) = (&mut layer.bias, &gradient.bias) {
            self.step_bias(bias, gradient.slice(), rule);
        }
        Ok(())
    }

    fn step_bias(&self, bias: &mut Parameter<Matrix<T>>, gradient: &[T], rule: Rule) {
        let Parameter { value, first, second } = bias;
        let second = second.as_mut().map(|second| second.slice_mut()).unwrap_or_default();
        self.step(value.slice_mut(), first.slice_mut(), second, gradient, rule.without_decay());
    }

    /// One step of `rule`; `second` is empty where the rule has no second moment.
    fn step(&self, values: &mut [T], first: &mut [T], second: &mut [T], gradient: &[T], rule: Rule) {
        let rule = &Prepared::new(rule);
        let part = Self::rows_per_part(gradient.len(), self.threads_for(gradient.len()));
        let mut seconds = second.chunks_mut(part);
        let moments = values.chunks_mut(part).zip(first.chunks_mut(part));
        let steps = moments.zip(gradient.chunks(part)).map(|((values, first), gradient)| {
            let second = seconds.next().unwrap_or_default();
            Whole(Step { values, first, second, rule }, gradient)
        });
        self.each(steps.collect(), widest);
    }

    pub(crate) fn learn(
        &self,
        input: &Input<Self>,
        delta: &Delta<Self>,
        layer: &mut Weights<Self>,
        rule: Rule,
    ) -> Result<()> {
        shapes::learn::<Self>(input, delta, layer, rule)?;
        let Weights { weight, bias } = layer;
        let (Some(processor), Layout::Panels(values), Layout::Panels(first)) =
            (self.processor, &mut weight.value.0, &mut weight.first.0)
        else {
            return unfused::learn(self, input, delta, layer, rule);
        };
        self.fold(input, delta, |folded| {
            if let Some(bias) = bias {
                self.step_bias(bias, folded.bias, rule);
            }
            let rule = &Prepared::new(rule);
            let mut seconds = match weight.second.as_mut().map(|second| &mut second.0) {
                Some(Layout::Panels(second)) => folded.stretches(second),
                _ => Vec::new(),
            }
            .into_iter();
            let moments = folded.stretches(values).into_iter().zip(folded.stretches(first));
            let steps = moments.map(|(values, first)| {
                let second = seconds.next().unwrap_or_default();
                Step { values, first, second, rule }
            });
            self.each_stretch(processor, &folded, steps);
            Ok(())
        })
    }

    /// Gives every stretch of weights its gradient.
    fn each_stretch<K: Target<T>>(
        &self,
        processor: Processor,
        folded: &Folded<T>,
        targets: impl Iterator<Item = K>,
    ) {
        let count = folded.stretches_of_a_panel();
        let work = |(index, target)| Stretch { folded, panel: index / count, part: index % count, target };
        let mut stretches: Vec<_> = targets.enumerate().map(work).collect();
        // Strips that are in cache meet all panels.
        stretches.sort_by_key(|stretch| stretch.part);
        self.each(stretches, |stretch| processor.run(stretch));
    }

    /// [labels ; AᵀD] by OpenBLAS, a panel of D at a time.
    fn blas_gradient(&self, folded: &Folded<T>, out: &mut [T]) {
        let Folded { rows, delta, wide, columns, width, labels, .. } = *folded;
        let (labels_out, out) = out.split_at_mut(labels.len());
        labels_out.copy_from_slice(labels);
        let depth = rows.len();
        let left: Vec<T> = rows.iter().copied().flatten().copied().collect();
        let (Ok(left), Ok(mut out)) =
            (ArrayView2::from_shape((depth, width), &left), ArrayViewMut2::from_shape((width, columns), out))
        else {
            return;
        };
        let parts = out.axis_chunks_iter_mut(Axis(1), wide).enumerate().collect();
        self.each(parts, |(panel, mut out): (usize, ArrayViewMut2<T>)| {
            let right = &delta[panel * depth * wide..][..depth * wide];
            if let Ok(right) = ArrayView2::from_shape((depth, wide), right) {
                blas(&left.t(), &right.slice(s![.., ..out.ncols()]), &mut out);
            }
        });
    }
}

impl<T: Scalar> Folded<'_, T> {
    /// Label features: the first rows of the weights.
    fn classes(&self) -> usize {
        self.labels.len() / self.columns.max(1)
    }

    fn stretches_of_a_panel(&self) -> usize {
        panels::<TALL>(self.width).div_ceil(MANY).max(1)
    }

    /// Every panel in stretches of `MANY` strips; the labels' rows belong to the first.
    fn stretches<'a>(&self, panels: &'a mut Panels<T>) -> Vec<&'a mut [T]> {
        panels.stretches(self.classes(), MANY * TALL, self.stretches_of_a_panel())
    }
}

/// A stretch of a panel's gradient: `MANY` tiles or fewer.
struct Stretch<'a, T, K> {
    folded: &'a Folded<'a, T>,
    panel: usize,
    /// Which stretch of the panel.
    part: usize,
    target: K,
}

impl<T: Scalar, K: Target<T>> PanelWork<T> for Stretch<'_, T, K> {
    #[inline(always)]
    fn run<R: Registers<T>>(mut self) {
        let Folded { rows, strips, delta, width, .. } = *self.folded;
        let right = &delta[self.panel * rows.len() * WIDE..][..rows.len() * WIDE];
        let mut at = if self.part == 0 { self.take_labels() } else { 0 };
        // A tile is handed over while the next one is multiplied.
        let mut sums = [[[T::zero(); WIDE]; TALL]; 2];
        let [mut now, mut before] = sums.each_mut();
        let mut last = None;
        let first = self.part * MANY;
        for strip in first..panels::<TALL>(width).min(first + MANY) {
            *now = [[T::zero(); WIDE]; TALL];
            let (target, registers) = (&mut self.target, PhantomData::<R>);
            R::multiply(
                strips.strip(strip),
                right,
                now,
                &mut HandOver { target, at: last, sums: before, registers },
            );
            last = Some(at);
            at += TALL * WIDE;
            std::mem::swap(&mut now, &mut before);
        }
        let (target, registers) = (&mut self.target, PhantomData::<R>);
        let mut rest = HandOver { target, at: last, sums: before, registers };
        (0..2 * TALL).for_each(|piece| rest.piece(piece));
    }
}

impl<T: Scalar, K: Target<T>> Stretch<'_, T, K> {
    /// Hands the labels' rows over; what follows them begins where it says.
    #[inline(always)]
    fn take_labels(&mut self) -> usize {
        let Folded { labels, columns, .. } = *self.folded;
        for (row, gradient) in labels.chunks_exact(columns.max(1)).enumerate() {
            let mut wide = [T::zero(); WIDE];
            wide.iter_mut().zip(&gradient[self.panel * WIDE..]).for_each(|(wide, &x)| *wide = x);
            for (piece, gradient) in wide.as_chunks::<PIECE>().0.iter().enumerate() {
                self.target.take(row * WIDE + piece * PIECE, gradient);
            }
        }
        self.folded.classes() * WIDE
    }
}

/// Hands a tile over, and fetches what the one after the next will need.
struct HandOver<'a, T, K, R> {
    target: &'a mut K,
    /// Where the tile is; none before the first.
    at: Option<usize>,
    sums: &'a Tile<T>,
    registers: PhantomData<R>,
}

impl<T: Scalar, K: Target<T>, R: Registers<T>> Aside for HandOver<'_, T, K, R> {
    const PIECES: usize = 2 * TALL;

    #[inline(always)]
    fn piece(&mut self, piece: usize) {
        let Some(at) = self.at else { return };
        if let Some(gradient) = self.sums.as_flattened().as_chunks::<PIECE>().0.get(piece) {
            self.target.take(at + piece * PIECE, gradient);
        }
        self.target.fetch::<R>(at + 2 * TALL * WIDE + piece * PIECE);
    }
}
