//! A histogram of many values in one pass.
//!
//! Buckets are exponential, as TensorFlow's are, but their edges are round in binary: eight buckets
//! an octave, so that the top bits of a float are the number of its bucket and nothing is searched.

use super::proto::HistogramProto;

/// Bits of an `f32` below sign, exponent and the three mantissa bits that choose the bucket.
const SHIFT: u32 = 20;
/// Buckets of positive values; as many again for negative ones.
const HALF: usize = 1 << (31 - SHIFT);
/// Values below 2⁻⁴⁰ (about 1e-12) in magnitude count as one bucket around zero.
const ZERO: usize = (127 - 40) << (23 - SHIFT);

/// Counts the finite values and takes their minimum, maximum, sum and sum of squares (in `f64`).
///
/// `bucket_limit` is increasing; neighbouring empty buckets are written as one, and those at either
/// end are left out, so that the first bucket begins at `min` (TensorBoard would take an empty one
/// there to run backwards). No finite value: `num` is 0 and one empty bucket is left.
pub fn histogram(values: &[f32]) -> HistogramProto {
    let mut counts = [0_u64; 2 * HALF];
    let (mut min, mut max) = (f32::INFINITY, f32::NEG_INFINITY);
    let (mut sum, mut sum_squares) = (0.0, 0.0);
    for &value in values {
        if !value.is_finite() {
            continue;
        }
        counts[(value.to_bits() >> SHIFT) as usize] += 1;
        min = min.min(value);
        max = max.max(value);
        let wide = f64::from(value);
        sum += wide;
        sum_squares += wide * wide;
    }
    let num = counts.iter().sum::<u64>();
    let (bucket_limit, bucket) = buckets(&counts);
    let of_any = |extreme: f32| if num == 0 { 0.0 } else { extreme.into() };
    HistogramProto {
        min: of_any(min),
        max: of_any(max),
        num: num as f64,
        sum,
        sum_squares,
        bucket_limit,
        bucket,
    }
}

/// Right edges and counts from the most negative bucket to the most positive one.
fn buckets(counts: &[u64; 2 * HALF]) -> (Vec<f64>, Vec<f64>) {
    let (positive, negative) = counts.split_at(HALF);
    let (tiny_positive, positive) = positive.split_at(ZERO);
    let (tiny_negative, negative) = negative.split_at(ZERO);
    let tiny = tiny_positive.iter().chain(tiny_negative).sum();

    // Magnitudes of a bucket reach from its own edge up to the next bucket's; past the largest float
    // the bits mean infinity or NaN, and 2¹²⁸ is the edge instead.
    let edge = |bucket: usize| f64::from(f32::from_bits((bucket as u32) << SHIFT)).min(2.0_f64.powi(128));
    let falling = negative.iter().enumerate().rev();
    let rising = positive.iter().enumerate();
    let ordered = falling
        .map(|(i, &count)| (-edge(ZERO + i), count))
        .chain([(edge(ZERO), tiny)])
        .chain(rising.map(|(i, &count)| (edge(ZERO + i + 1), count)));

    let (mut limits, mut totals) = (Vec::new(), Vec::new());
    let mut gap = None;
    for (limit, count) in ordered {
        if count == 0 {
            gap = Some(limit);
            continue;
        }
        if let Some(end) = gap.take().filter(|_| !limits.is_empty()) {
            limits.push(end);
            totals.push(0.0);
        }
        limits.push(limit);
        totals.push(count as f64);
    }
    if limits.is_empty() {
        return (vec![0.0], vec![0.0]);
    }
    (limits, totals)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a reader may rely on, from the definition, for any input.
    fn check(values: &[f32]) {
        let h = histogram(values);
        let mut finite: Vec<f64> = values.iter().filter(|v| v.is_finite()).map(|&v| v.into()).collect();
        assert_eq!(h.num, finite.len() as f64);
        assert_eq!(h.sum, finite.iter().sum::<f64>());
        assert_eq!(h.sum_squares, finite.iter().map(|v| v * v).sum::<f64>());
        assert_eq!(h.bucket.iter().sum::<f64>(), h.num);
        assert_eq!(h.bucket.len(), h.bucket_limit.len());
        assert!(h.bucket_limit.is_sorted_by(|a, b| a < b));
        finite.sort_by(f64::total_cmp);
        assert_eq!(h.min, finite.first().copied().unwrap_or(0.0));
        assert_eq!(h.max, finite.last().copied().unwrap_or(0.0));
        // Sorted values fill the buckets one after another, each within its edges.
        let mut rest = finite.as_slice();
        let mut left = h.min;
        for (&right, &count) in h.bucket_limit.iter().zip(&h.bucket) {
            let (mine, others) = rest.split_at(count as usize);
            assert!(mine.iter().all(|&v| left <= v && v <= right));
            (left, rest) = (right, others);
        }
        assert!(rest.is_empty());
    }

    proptest! {
        #[test]
        fn any_bits_are_counted(bits in prop::collection::vec(any::<u32>(), 0..300)) {
            check(&bits.into_iter().map(f32::from_bits).collect::<Vec<_>>());
        }

        #[test]
        fn weights_are_counted(values in prop::collection::vec(-2.0_f32..2.0, 0..300)) {
            check(&values);
        }
    }

    #[test]
    fn edge_cases_are_fine() {
        check(&[]);
        check(&[0.0, -0.0]);
        check(&[0.5; 9]);
        check(&[-0.5; 9]);
        check(&[f32::NAN, f32::INFINITY, f32::NEG_INFINITY]);
        check(&[f32::MAX, f32::MIN, f32::MIN_POSITIVE, 1e-45, -1e-45]);
    }

    #[test]
    fn buckets_are_narrow_and_empty_ones_are_merged() {
        let h = histogram(&[1.0, 1.124, -1.0, 0.0, f32::NAN]);
        let tiny = 2.0_f64.powi(-40);
        assert_eq!(h.bucket_limit, [-1.0, -tiny, tiny, 1.0, 1.125]);
        assert_eq!(h.bucket, [1.0, 0.0, 1.0, 0.0, 2.0]);
        assert_eq!((h.num, h.min, h.max), (4.0, -1.0, f64::from(1.124_f32)));
    }
}
