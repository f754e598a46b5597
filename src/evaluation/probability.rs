//! Scores of labels as probabilities.

use crate::config::PredictKind;
use crate::spec::Spec;

/// T of [`probabilities`] for scores of a network.
///
/// A head is trained so that softmax(logits) are probabilities: T = 1. A layer under `bce` is trained so that a row
/// is positive with odds exp((G − θ) / T); with θ the same for every label, and one label being right,
/// p(k) ∝ exp(Σ_l G_l(k) / T). A layer under `symba` is trained so that of a pair the first is positive with odds
/// exp(α (G − G')): T = 1 / α. Other losses: [`Loss::temperature`](ff_backend::Loss::temperature).
pub fn temperature(spec: &Spec, by: PredictKind) -> f64 {
    match by {
        PredictKind::Head => 1.0,
        PredictKind::Energy => spec.layers.first().map_or(1.0, |layer| layer.objective.loss.temperature()),
    }
}

/// p(k) = exp(s(k) / T) / Σ_j exp(s(j) / T): what training takes the scores `s` of one image's labels for. They are
/// not calibrated: layers are counted as if they saw independent evidence.
pub fn probabilities(scores: &[f32], temperature: f64) -> Vec<f64> {
    let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let odds: Vec<f64> =
        scores.iter().map(|&score| (f64::from(score - largest) / temperature).exp()).collect();
    let sum: f64 = odds.iter().sum();
    odds.into_iter().map(|odds| odds / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odds_are_exponentials_of_differences() {
        let p = probabilities(&[1.0, 1.0 + 2.0 * 3f32.ln(), 1.0], 2.0);
        for (found, expected) in p.iter().zip([0.2, 0.6, 0.2]) {
            assert!((found - expected).abs() < 1e-6, "{p:?}");
        }
        assert_eq!(probabilities(&[1e30, 0.0], 1.0), [1.0, 0.0]);
        assert_eq!(probabilities(&[7.0], 1.0), [1.0]);
    }
}
