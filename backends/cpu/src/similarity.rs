//! Similarity matching: two products of the batch's centred rows with themselves, and what is between them.

use ff_backend::{Along, IndexSlice, Normalization, Result, Shape, Tensor, shapes, similarity_of_labels};

use crate::kernels::lane_sums;
use crate::kernels::{dot, sum_of_squares};
use crate::products::Raw;
use crate::vector::{Loop, widest};
use crate::{Cpu, Matrix, Scalar, Weight};

/// What the excess of a row's similarities asks of its sums: s (pull − z Σ pull z) where h is above the floor, mixed with
/// what was there.
struct Mix<'a, T> {
    scale: T,
    activities: &'a [T],
    /// The centred row, of length one.
    centred: &'a [T],
    pull: &'a [T],
    floor: T,
    share: T,
    rest: T,
    slopes: &'a mut [T],
}

impl<T: Scalar> Loop for Mix<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Mix { scale, activities, centred, pull, floor, share, rest, slopes } = self;
        let radial = dot(pull, centred);
        let rows = slopes.iter_mut().zip(activities).zip(pull.iter().zip(centred));
        for ((slope, &h), (&pull, &z)) in rows {
            let new = if h > floor { scale * (pull - radial * z) } else { T::zero() };
            let before = if rest > T::zero() { rest * *slope } else { T::zero() };
            *slope = before + share * new;
        }
    }
}

impl<T: Scalar> Cpu<T> {
    pub(crate) fn match_similarities(
        &self,
        activities: &Matrix<T>,
        labels: IndexSlice<Self>,
        classes: usize,
        along: Along,
        slopes: &mut Matrix<T>,
        cost: &mut Matrix<T>,
    ) -> Result<()> {
        shapes::match_similarities::<Self>(activities, &labels, slopes, cost)?;
        let (rows, width) = (activities.rows(), activities.columns());
        if rows == 0 {
            return Ok(());
        }
        let (centred, scales) = self.centred(activities)?;
        let mut right = Weight::zeros(self, rows, width)?;
        right.panels.load(centred.slice());
        let mut excess = Matrix::zeros(self, rows, rows)?;
        self.multiply(&centred, &self.transposed(&right)?, 0, &mut excess, &Raw)?;
        let loss = excess_of(excess.slice_mut(), &labels.indices.0[labels.offset..][..rows], classes);
        cost.slice_mut().iter_mut().for_each(|cost| *cost += T::from_f64(loss));
        let mut pull = Matrix::zeros(self, rows, width)?;
        self.multiply(&excess, &right, 0, &mut pull, &Raw)?;

        let [share, rest, floor] = [along.share(), 1.0 - along.share(), along.floor()].map(T::from_f64);
        let part = Self::rows_per_part(rows, self.threads_for(rows * width)) * width.max(1);
        let operands = activities.slice().chunks(part).zip(centred.slice().chunks(part));
        let operands = operands.zip(pull.slice().chunks(part)).zip(scales.chunks(part / width.max(1)));
        let parts = slopes.slice_mut().chunks_mut(part).zip(operands).collect();
        self.each(parts, |(slopes, (((activities, centred), pull), scales))| {
            for (r, (slopes, &scale)) in slopes.chunks_mut(width).zip(scales).enumerate() {
                let row = r * width..(r + 1) * width;
                let (activities, centred) = (&activities[row.clone()], &centred[row.clone()]);
                let pull = &pull[row];
                widest(Mix { scale, activities, centred, pull, floor, share, rest, slopes });
            }
        });
        self.list_rows(slopes);
        Ok(())
    }

    /// Rows less their mean, of length one; and what they were multiplied by.
    fn centred(&self, activities: &Matrix<T>) -> Result<(Matrix<T>, Vec<T>)> {
        let (rows, width) = (activities.rows(), activities.columns());
        let mut centred = Matrix::zeros(self, rows, width)?;
        let mut scales = vec![T::from_f64(Normalization::Unit.scale(0.0, width)); rows];
        let all = centred.slice_mut().chunks_mut(width.max(1)).zip(activities.slice().chunks(width.max(1)));
        for ((out, h), scale) in all.zip(&mut scales) {
            let [sum] = lane_sums(h, |x| [x]);
            let mean = sum / T::from_f64(width as f64);
            out.iter_mut().zip(h).for_each(|(out, &h)| *out = h - mean);
            *scale = T::from_f64(Normalization::Unit.scale(sum_of_squares(out).widened(), width));
            out.iter_mut().for_each(|out| *out = *scale * *out);
        }
        Ok((centred, scales))
    }
}

/// Similarities `[n, n]` become 4/n times by how much they are above those of the labels; returns the mean square of that.
fn excess_of<T: Scalar>(similarities: &mut [T], labels: &[u32], classes: usize) -> f64 {
    let rows = labels.len();
    let [like, unlike] = [true, false].map(|same| T::from_f64(similarity_of_labels(same, classes)));
    let factor = T::from_f64(4.0 / rows as f64);
    let mut sum = 0.0;
    for (row, label) in similarities.chunks_exact_mut(rows).zip(labels) {
        for (similarity, other) in row.iter_mut().zip(labels) {
            let excess = *similarity - if label == other { like } else { unlike };
            sum += excess.widened() * excess.widened();
            *similarity = factor * excess;
        }
    }
    sum / (rows as f64 * rows as f64)
}
