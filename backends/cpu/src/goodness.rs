//! What goodness is measured by where it is no sum of squares over all units.

use ff_backend::{Goodness, Result, Shape, shapes};

use crate::kernels::{lane_sums, sum_of_squares};
use crate::{Cpu, Matrix, Scalar};

impl<T: Scalar> Cpu<T> {
    pub(crate) fn measure(
        &self,
        activities: &Matrix<T>,
        goodness: Goodness,
        slopes: &mut Matrix<T>,
        sums: &mut Matrix<T>,
    ) -> Result<()> {
        shapes::measure(activities, goodness, slopes, sums)?;
        let (columns, all) = (activities.columns(), activities.slice());
        self.each_row_summed(slopes, sums, |r, slopes| {
            let row = &all[r * columns..(r + 1) * columns];
            match goodness {
                Goodness::TopK { k } => keep_largest(row, k, slopes),
                Goodness::L1 => l1(row, slopes),
                Goodness::Entmax => entmax(row, slopes),
            }
        });
        Ok(())
    }
}

/// slopes = the activities that reach the k-th largest, else 0; their sum of squares.
fn keep_largest<T: Scalar>(row: &[T], k: usize, slopes: &mut [T]) -> T {
    slopes.copy_from_slice(row);
    let descending = |a: &T, b: &T| b.partial_cmp(a).unwrap_or(std::cmp::Ordering::Equal);
    let least = *slopes.select_nth_unstable_by(k - 1, descending).1;
    for (slope, &h) in slopes.iter_mut().zip(row) {
        *slope = if h >= least { h } else { T::zero() };
    }
    sum_of_squares(slopes)
}

/// slopes = 1/2 where a unit is on; the sum of activities.
fn l1<T: Scalar>(row: &[T], slopes: &mut [T]) -> T {
    let half = T::from_f64(0.5);
    for (slope, &h) in slopes.iter_mut().zip(row) {
        *slope = if h > T::zero() { half } else { T::zero() };
    }
    let [sum] = lane_sums(row, |h| [h]);
    sum
}

/// Newton's steps toward the threshold of 1.5-entmax at most. It takes a dozen or less.
const STEPS: usize = 50;

/// Σ s² h² with s = max(0, (h − the largest) / 2 − τ), Σ s² = 1; slopes = half of its slopes, through τ too.
///
/// Less the largest, no h is too large for a τ that is told apart. Σ s² falls with τ and is convex: Newton's steps from below, where the most active unit alone has Σ s² ≥ 1, never go too far.
fn entmax<T: Scalar>(row: &[T], slopes: &mut [T]) -> T {
    let [half, one, two] = [0.5, 1.0, 2.0].map(T::from_f64);
    let largest = row.iter().fold(T::zero(), |largest, &h| if h > largest { h } else { largest });
    let share = |h: T, threshold: T| {
        let share = half * (h - largest) - threshold;
        if share > T::zero() { share } else { T::zero() }
    };
    let mut threshold = -one;
    for _ in 0..STEPS {
        let [squares, shares] = lane_sums(row, |h| {
            let s = share(h, threshold);
            [s * s, s]
        });
        let next = threshold + (squares - one) / (two * shares);
        // Else no step is left, or none that a rounding does not undo.
        match next > threshold {
            true => threshold = next,
            false => break,
        }
    }
    let [weighted, shares] = lane_sums(row, |h| {
        let s = share(h, threshold);
        [s * (h * h), s]
    });
    let mean = weighted / shares;
    for (slope, &h) in slopes.iter_mut().zip(row) {
        let s = share(h, threshold);
        *slope = if h > T::zero() { s * (s * h + half * (h * h - mean)) } else { T::zero() };
    }
    let [sum] = lane_sums(row, |h| {
        let root = share(h, threshold) * h;
        [root * root]
    });
    sum
}
