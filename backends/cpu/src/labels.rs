//! Reading labels: softmax head, hard negatives, argmax. Small next to the layers, so plain loops.

use ff_backend::host::Indices;
use ff_backend::{IndexSlice, Normalization, Real, Result, Shape, shapes};

use crate::forward::rounded;
use crate::lists::{List, Lists};
use crate::microkernel::{CHAINS, Kernel, MASKED as LANES, Microkernel};
use crate::panels::pack_columns;
use crate::{Cpu, Matrix, Scalar, Weight};

/// logits (+)= s_r h_r · weight for some rows.
///
/// Element k of a sum belongs to chain k mod 4, so that one need not wait for the other; what is left over at the
/// end belongs to the first.
struct ReadOut<'a, T> {
    activities: &'a [T],
    /// The same by lists, where that is faster, and the number of the first row.
    lists: Option<(&'a Lists<T>, usize)>,
    width: usize,
    scales: Vec<T>,
    weight: &'a [T],
    classes: usize,
    logits: &'a mut [T],
    add: bool,
}

impl<T: Scalar> Kernel<T> for ReadOut<'_, T> {
    #[inline(always)]
    fn run<M: Microkernel<T>>(self) {
        let mut panel = vec![T::zero(); self.width * LANES];
        for first in (0..self.classes).step_by(LANES) {
            pack_columns::<T, LANES>(self.weight.chunks_exact(self.classes), first, &mut panel);
            for (row, &scale) in self.scales.iter().enumerate() {
                let [a, b, c, d] = match self.lists {
                    Some((lists, first)) => chains_of_list(lists.row(first + row), self.width, &panel),
                    None => {
                        let activities = &self.activities[row * self.width..(row + 1) * self.width];
                        let mut chains = [[T::zero(); LANES]; CHAINS];
                        M::read(activities, &panel, &mut chains);
                        chains
                    }
                };
                let logits = &mut self.logits[row * self.classes..(row + 1) * self.classes];
                for (i, logit) in logits[first..].iter_mut().take(LANES).enumerate() {
                    let value = scale * ((a[i] + b[i]) + (c[i] + d[i]));
                    *logit = if self.add { *logit + value } else { value };
                }
            }
        }
    }
}

/// The chains of a row, from its list.
#[inline(always)]
fn chains_of_list<T: Scalar>(list: List<T>, width: usize, panel: &[T]) -> [[T; LANES]; CHAINS] {
    let (weights, by_four) = (panel.as_chunks::<LANES>().0, width / CHAINS * CHAINS);
    let mut chains = [[T::zero(); LANES]; CHAINS];
    for (&at, &h) in list.at.iter().zip(list.values) {
        let at = at as usize;
        let chain = if at < by_four { at % CHAINS } else { 0 };
        chains[chain].iter_mut().zip(&weights[at]).for_each(|(sum, &weight)| *sum += h * weight);
    }
    chains
}

impl<T: Scalar> Cpu<T> {
    pub(crate) fn read_out(
        &self,
        activities: &Matrix<T>,
        squares: &Matrix<T>,
        normalization: Normalization,
        weight: &Weight<T>,
        logits: &mut Matrix<T>,
        add: bool,
    ) -> Result<()> {
        shapes::read_out(activities, squares, weight, logits)?;
        let (rows, classes, width) = (logits.rows(), logits.columns(), activities.columns());
        if classes == 0 {
            return Ok(());
        }
        let part = Self::rows_per_part(rows, self.threads_for(rows * width));
        let weight = weight.first_rows(width);
        let (mut rest, mut first) = (activities.slice(), 0);
        let lists = self.lists(activities);
        let parts = logits.slice_mut().chunks_mut(part * classes).zip(squares.slice().chunks(part));
        let parts = parts.map(|(logits, squares)| {
            let (activities, after) = rest.split_at(squares.len() * width);
            rest = after;
            let scale = |square: &T| T::from_f64(normalization.scale(square.widened(), width));
            let scales = squares.iter().map(scale).collect();
            let lists = lists.map(|lists| (lists, first));
            first += squares.len();
            ReadOut { activities, lists, width, scales, weight: &weight, classes, logits, add }
        });
        self.each(parts.collect(), |part| self.instructions.run(part));
        Ok(())
    }

    pub(crate) fn softmax(
        &self,
        logits: &Matrix<T>,
        labels: IndexSlice<Self>,
        smoothing: f64,
        errors: &mut Matrix<T>,
        cost: &mut Matrix<T>,
    ) -> Result<()> {
        shapes::softmax::<Self>(logits, &labels, errors, cost)?;
        let rows = logits.rows().max(1) as f64;
        let smoothing = rounded::<T>(smoothing);
        let even = smoothing / logits.columns().max(1) as f64;
        let labels = &labels.indices.0[labels.offset..];
        let mut entropy = 0.0;
        for ((logits, mut errors), &label) in
            logits.view().rows().into_iter().zip(errors.view_mut().rows_mut()).zip(labels)
        {
            let largest = logits.iter().fold(f64::NEG_INFINITY, |best, x| best.max(x.widened()));
            let total: f64 = logits.iter().map(|x| (x.widened() - largest).exp()).sum();
            let own = logits.get(label as usize).map_or(0.0, |x| x.widened());
            for (c, (error, x)) in errors.iter_mut().zip(logits).enumerate() {
                let target = even + if c == label as usize { 1.0 - smoothing } else { 0.0 };
                *error = T::from_f64(((x.widened() - largest).exp() / total).flushed() - target);
            }
            let all: f64 = logits.iter().map(|x| x.widened()).sum();
            entropy += total.ln() + largest - ((1.0 - smoothing) * own + even * all);
        }
        cost.slice_mut().iter_mut().for_each(|cost| *cost += T::from_f64(entropy / rows));
        Ok(())
    }

    pub(crate) fn draw_labels(
        &self,
        errors: &Matrix<T>,
        labels: IndexSlice<Self>,
        uniforms: IndexSlice<Self>,
        out: &mut Indices,
    ) -> Result<()> {
        shapes::draw_labels::<Self>(errors, &labels, &uniforms, out)?;
        let (positives, negatives) = out.0.split_at_mut(errors.rows());
        let labels = &labels.indices.0[labels.offset..];
        let uniforms = &uniforms.indices.0[uniforms.offset..];
        let errors = errors.view();
        let rows = errors.rows().into_iter().zip(labels).zip(uniforms);
        for (((errors, &label), &uniform), (positive, negative)) in
            rows.zip(positives.iter_mut().zip(negatives))
        {
            let others = || errors.iter().enumerate().filter(|(c, _)| *c != label as usize);
            let total: f64 = others().map(|(_, p)| p.widened()).sum();
            let target = f64::from(uniform) / 4_294_967_296.0 * total;
            let mut sum = 0.0;
            let drawn = others().find(|(_, p)| {
                sum += p.widened();
                sum > target
            });
            *positive = label;
            *negative = drawn.map_or((label + 1) % errors.len() as u32, |(c, _)| c as u32);
        }
        Ok(())
    }

    pub(crate) fn accumulate(
        &self,
        squares: &Matrix<T>,
        factor: f64,
        scores: &mut Matrix<T>,
        column: usize,
    ) -> Result<()> {
        shapes::accumulate(squares, scores, column)?;
        for (score, &square) in scores.view_mut().column_mut(column).iter_mut().zip(squares.slice()) {
            *score += T::from_f64(factor) * square;
        }
        Ok(())
    }

    pub(crate) fn argmax(&self, scores: &mut Matrix<T>, out: &mut Indices, offset: usize) -> Result<()> {
        shapes::argmax(scores, out, offset)?;
        for (row, out) in scores.view().rows().into_iter().zip(&mut out.0[offset..]) {
            let mut best = (0, row.first().copied().unwrap_or(T::zero()));
            for (c, &score) in row.iter().enumerate() {
                if score > best.1 {
                    best = (c, score);
                }
            }
            *out = best.0 as u32;
        }
        scores.slice_mut().fill(T::zero());
        Ok(())
    }
}
