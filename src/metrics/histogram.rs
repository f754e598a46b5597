//! How goodness is distributed.

use serde::{Deserialize, Serialize};

/// Distribution of a layer's goodness over held-out rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GoodnessHistogram {
    /// θ, where the loss has one.
    pub threshold: Option<f64>,
    /// Bounds of the bins: one more than there are bins.
    pub edges: Vec<f64>,
    /// Positive rows in each bin.
    pub positive: Vec<u64>,
    /// Negative rows in each bin.
    pub negative: Vec<u64>,
}

impl GoodnessHistogram {
    /// `bins` bins of equal width from the smallest finite goodness to just above the largest. Values that are
    /// not finite are left out.
    pub fn new(positive: &[f64], negative: &[f64], bins: usize, threshold: Option<f64>) -> Self {
        let finite = || positive.iter().chain(negative).copied().filter(|g| g.is_finite());
        let smallest = finite().fold(f64::INFINITY, f64::min).min(f64::MAX);
        let span = finite().fold(0.0, |span: f64, g| span.max(g - smallest));
        let (first, width) = if span > 0.0 { (smallest, span * 1.000_001 / bins as f64) } else { (0.0, 1.0) };
        let count = |rows: &[f64]| {
            let mut counts = vec![0; bins];
            for goodness in rows.iter().filter(|g| g.is_finite()) {
                if let Some(bin) = counts.get_mut(((goodness - first) / width) as usize) {
                    *bin += 1;
                }
            }
            counts
        };
        GoodnessHistogram {
            threshold,
            edges: (0..=bins).map(|edge| first + edge as f64 * width).collect(),
            positive: count(positive),
            negative: count(negative),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finite_value_is_in_one_bin() {
        let histogram =
            GoodnessHistogram::new(&[0.0, 1.0, f64::NAN], &[2.0, 2.0, f64::INFINITY], 2, Some(1.5));
        assert_eq!(histogram.positive, [2, 0]);
        assert_eq!(histogram.negative, [0, 2]);
        assert_eq!(histogram.edges.len(), 3);
        // The network is constant, or there are no rows.
        assert_eq!(GoodnessHistogram::new(&[0.0], &[], 3, None).positive, [1, 0, 0]);
    }
}
