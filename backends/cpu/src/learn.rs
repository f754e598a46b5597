//! A layer's learning step: its gradient is made tile by tile, and the optimizer visits a tile of weights while
//! its gradient is in cache. The gradient never reaches memory.

use std::marker::PhantomData;

use ff_backend::{Delta, Fields, Gradient, Input, Parameter, Result, Rule, Weights, shapes};

use crate::fold::{Folded, LeftTransposed};
use crate::kernels::Prepared;
use crate::microkernel::{Interleaved, Kernel, MR, Microkernel, NR, Tile};
use crate::panels::{Panels, count};
use crate::vector::{Loop, widest};
use crate::{Cpu, Matrix, Scalar};

/// Micro-panels that are multiplied with a panel at a time: they stay in the second-level cache.
const MC: usize = 64;
/// Elements that are handed over at a time: half a row of a tile.
const PIECE: usize = NR / 2;
/// Rows of weights that are fetched ahead where a product by lists waits for memory alone.
const AHEAD: usize = 16;

/// What a gradient is for: a part of a panel.
trait Target<T: Scalar>: Send {
    /// Takes the gradient of elements `at..`; implementations are `#[inline(always)]`.
    fn take(&mut self, at: usize, gradient: &[T; PIECE]);

    /// Fetches what taking elements `at..` will need.
    fn fetch<M: Microkernel<T>>(&self, at: usize);
}

/// The gradient itself is wanted.
struct Store<'a, T>(&'a mut [T]);

impl<T: Scalar> Target<T> for Store<'_, T> {
    #[inline(always)]
    fn take(&mut self, at: usize, gradient: &[T; PIECE]) {
        // −0 becomes 0, as in a product.
        self.0[at..at + PIECE].iter_mut().zip(gradient).for_each(|(out, sum)| *out = *sum + T::zero());
    }
    #[inline(always)]
    fn fetch<M: Microkernel<T>>(&self, _at: usize) {}
}

/// A part of a parameter that makes a step.
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
    fn fetch<M: Microkernel<T>>(&self, at: usize) {
        M::fetch(self.values, at);
        M::fetch(self.first, at);
        M::fetch(self.second, at);
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
        let fields = gradient.weight.fields.clone();
        self.fold(input, delta, fields.as_ref(), |folded| {
            if let Some(bias) = &mut gradient.bias {
                bias.slice_mut().copy_from_slice(folded.bias);
            }
            let blocks = folded.blocks(&mut gradient.weight.panels);
            self.each_block(&folded, blocks.into_iter().map(Store));
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
        let second = second.as_mut().map(|second| second.panels.values_mut()).unwrap_or_default();
        let (value, first) = (value.panels.values_mut(), first.panels.values_mut());
        self.step(value, first, second, gradient.weight.panels.values(), rule);
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
        let Weights { weight: Parameter { value, first, second }, bias } = layer;
        let fields = value.fields.clone();
        self.fold(input, delta, fields.as_ref(), |folded| {
            if let Some(bias) = bias {
                self.step_bias(bias, folded.bias, rule);
            }
            let rule = &Prepared::new(rule);
            let mut seconds = second.iter_mut().flat_map(|second| folded.blocks(&mut second.panels));
            let values = folded.blocks(&mut value.panels).into_iter();
            let moments = values.zip(folded.blocks(&mut first.panels));
            let steps = moments.map(|(values, first)| {
                let second = seconds.next().unwrap_or_default();
                Step { values, first, second, rule }
            });
            self.each_block(&folded, steps);
        });
        Ok(())
    }

    /// Gives every block of weights its gradient.
    fn each_block<K: Target<T>>(&self, folded: &Folded<T>, targets: impl Iterator<Item = K>) {
        let count = folded.blocks_of_a_panel();
        let work = |(index, target)| Block { folded, panel: index / count, index: index % count, target };
        let mut blocks: Vec<_> = targets.enumerate().map(work).collect();
        if matches!(folded.left, LeftTransposed::Dense(..)) {
            // What is in cache of the left operand meets all panels.
            blocks.sort_by_key(|block| block.index);
        }
        self.each(blocks, |block| self.instructions.run(block));
    }
}

impl<T: Scalar> Folded<'_, T> {
    /// Label features: the first rows of the weights.
    fn classes(&self) -> usize {
        self.labels.len() / self.grouping.columns.max(1)
    }

    fn blocks_of_a_panel(&self) -> usize {
        count::<MR>(self.width).div_ceil(MC).max(1)
    }

    /// Every panel in blocks of MC · MR rows; the labels' rows belong to the first.
    fn blocks<'a>(&self, panels: &'a mut Panels<T>) -> Vec<&'a mut [T]> {
        panels.blocks(self.classes(), MC * MR, self.blocks_of_a_panel())
    }
}

/// A block of a panel's gradient: MC tiles or fewer.
struct Block<'a, T, K> {
    folded: &'a Folded<'a, T>,
    panel: usize,
    /// Which block of the panel.
    index: usize,
    target: K,
}

impl<T: Scalar, K: Target<T>> Kernel<T> for Block<'_, T, K> {
    #[inline(always)]
    fn run<M: Microkernel<T>>(mut self) {
        let Folded { left, depth, delta, width, fields, grouping, .. } = *self.folded;
        let place = grouping.group_of(self.panel);
        let right = &delta[self.panel * depth * NR..][..depth * NR];
        let at = if self.index == 0 { self.take_labels() } else { 0 };
        let first = self.index * MC * MR;
        let features = first..width.min(first + MC * MR);
        match left {
            LeftTransposed::Dense(left, seen) => {
                // A tile is handed over while the next one is multiplied.
                let (mut at, own) = (at, &seen[place * count::<MR>(width)..]);
                let mut sums = [[[T::zero(); NR]; MR]; 2];
                let [mut now, mut before] = sums.each_mut();
                let mut last = None;
                for feature in features.step_by(MR) {
                    *now = [[T::zero(); NR]; MR];
                    let (target, vectors) = (&mut self.target, PhantomData::<M>);
                    let mut hand_over = HandOver { target, at: last, sums: before, vectors };
                    let left = left.micro_panel(own[feature / MR] as usize);
                    M::multiply(left, right, now, &mut hand_over);
                    last = Some(at);
                    at += MR * NR;
                    std::mem::swap(&mut now, &mut before);
                }
                let (target, vectors) = (&mut self.target, PhantomData::<M>);
                let mut rest = HandOver { target, at: last, sums: before, vectors };
                (0..2 * MR).for_each(|piece| rest.piece(piece));
            }
            LeftTransposed::Lists(left) => {
                let seen = fields.map(|fields| fields.list(place));
                for (i, feature) in features.enumerate() {
                    let at = at + i * NR;
                    let feature = match seen.map(|seen| seen[feature]) {
                        None => Some(feature),
                        Some(feature) => (feature != Fields::NOTHING).then_some(feature as usize),
                    };
                    let mut sums = [T::zero(); NR];
                    M::accumulate(left.list(feature), right, &mut sums);
                    for (piece, gradient) in sums.as_chunks::<PIECE>().0.iter().enumerate() {
                        self.target.fetch::<M>(at + AHEAD * NR + piece * PIECE);
                        self.target.take(at + piece * PIECE, gradient);
                    }
                }
            }
        }
    }
}

impl<T: Scalar, K: Target<T>> Block<'_, T, K> {
    /// Hands the labels' rows over; what follows them begins where it says.
    #[inline(always)]
    fn take_labels(&mut self) -> usize {
        let Folded { labels, grouping, .. } = *self.folded;
        for (row, gradient) in labels.chunks_exact(grouping.columns.max(1)).enumerate() {
            let mut wide = [T::zero(); NR];
            let own = &gradient[grouping.columns_of(self.panel)];
            wide.iter_mut().zip(own).for_each(|(wide, &x)| *wide = x);
            for (piece, gradient) in wide.as_chunks::<PIECE>().0.iter().enumerate() {
                self.target.take(row * NR + piece * PIECE, gradient);
            }
        }
        self.folded.classes() * NR
    }
}

/// Hands a tile over, and fetches what the one after the next will need.
struct HandOver<'a, T, K, M> {
    target: &'a mut K,
    /// Where the tile is; none before the first.
    at: Option<usize>,
    sums: &'a Tile<T>,
    vectors: PhantomData<M>,
}

impl<T: Scalar, K: Target<T>, M: Microkernel<T>> Interleaved for HandOver<'_, T, K, M> {
    const PIECES: usize = 2 * MR;

    #[inline(always)]
    fn piece(&mut self, piece: usize) {
        let Some(at) = self.at else { return };
        if let Some(gradient) = self.sums.as_flattened().as_chunks::<PIECE>().0.get(piece) {
            self.target.take(at + piece * PIECE, gradient);
        }
        self.target.fetch::<M>(at + 2 * MR * NR + piece * PIECE);
    }
}
