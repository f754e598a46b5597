//! Scores of labels as probabilities.

use crate::config::PredictKind;
use crate::spec::Spec;

/// T of [`probabilities`] for scores of a network.
///
/// A head is trained so that softmax(logits) are probabilities: T = 1. A layer under `bce` is trained so that a row
/// is positive with odds exp((G − θ) / T); with θ the same for every label, and one label being right,
/// p(k) ∝ exp(Σ_l G_l(k) / T). A layer under `symba` is trained so that of a pair the first is positive with odds
/// exp(α (G − G')): T = 1 / α. Other losses: [`Loss::temperature`](ff_backend::Loss::temperature). Scores of an
/// ensemble are logarithms of probabilities: T = 1.
pub fn temperature(spec: &Spec, by: PredictKind) -> f64 {
    match by {
        PredictKind::Head | PredictKind::Ensemble => 1.0,
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

/// ln of the mean over an ensemble's members of what [`probabilities`] are, row by row. A member is its scores
/// `[n, classes]` and their T.
pub fn mean_log_probabilities(members: &[(Vec<f32>, f64)], classes: usize) -> Vec<f32> {
    let log = |row: &[f32], temperature: f64| -> Vec<f64> {
        let odds = || row.iter().map(|&score| f64::from(score) / temperature);
        let all = log_sum_exp(odds());
        odds().map(|odds| odds - all).collect()
    };
    let members: Vec<Vec<f64>> = members
        .iter()
        .map(|(scores, t)| scores.chunks(classes.max(1)).flat_map(|row| log(row, *t)).collect())
        .collect();
    let entries = members.iter().map(Vec::len).min().unwrap_or(0);
    let mean = |i: usize| log_sum_exp(members.iter().map(|member| member[i])) - (members.len() as f64).ln();
    (0..entries).map(|i| mean(i) as f32).collect()
}

/// ln Σ exp(x), without overflow.
fn log_sum_exp(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = values.clone().fold(f64::NEG_INFINITY, f64::max);
    largest + values.map(|x| (x - largest).exp()).sum::<f64>().ln()
}

/// The label with the largest score, the first of equals.
pub fn largest(scores: &[f32]) -> usize {
    let better = |best: usize, label: usize| if scores[label] > scores[best] { label } else { best };
    (0..scores.len()).reduce(better).unwrap_or(0)
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

    #[test]
    fn an_ensemble_has_the_mean_of_the_probabilities() {
        let members = [(vec![1.0, 2.0, -1.0, 0.5], 1.0), (vec![3.0, 9.0, 4.0, -2.0], 2.0)];
        let means = mean_log_probabilities(&members, 2);
        for row in [0..2, 2..4] {
            let parts = members.each_ref().map(|(scores, t)| probabilities(&scores[row.clone()], *t));
            let found = probabilities(&means[row], 1.0);
            for label in 0..2 {
                let expected = (parts[0][label] + parts[1][label]) / 2.0;
                assert!((found[label] - expected).abs() < 1e-6, "{found:?} of {parts:?}");
            }
        }
        // Labels that are beyond what an exponential holds are still ordered.
        let far = mean_log_probabilities(&[(vec![0.0, -2000.0, -3000.0], 1.0)], 3);
        assert_eq!(far, [0.0, -2000.0, -3000.0]);
        assert_eq!(largest(&[1.0, 3.0, 3.0]), 1);
    }
}
