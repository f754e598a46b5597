//! The images that figures show: errors, the most confident first, then images that are right.

use ff_backend::{Backend, Result};

use crate::data::Split;
use crate::evaluation::Evaluator;
use crate::network::Network;
use crate::run::SampleRecord;

/// As many as a figure has room for.
const SAMPLES: usize = 25;

/// Images of `split`, whose rows the evaluator holds, with what they were taken for. An error is the more confident
/// the further the score of the predicted label lies above that of the true one; only errors are scored for it.
pub fn samples<B: Backend>(
    backend: &B,
    network: &Network<B>,
    evaluator: &mut Evaluator<B>,
    split: &Split,
    predictions: &[u32],
) -> Result<Vec<SampleRecord>> {
    let is_wrong = |image: &u32| split.labels.get(*image as usize) != predictions.get(*image as usize);
    let (wrong, right): (Vec<u32>, Vec<u32>) = (0..predictions.len() as u32).partition(is_wrong);
    let scores = match wrong.is_empty() {
        true => Vec::new(),
        false => evaluator.scores_of(backend, network, network.spec.predict, &wrong)?,
    };
    let wrong = most_confident(&wrong, split, predictions, &scores);
    let sample = |image: u32| {
        let i = image as usize;
        let (&label, &prediction) = (split.labels.get(i)?, predictions.get(i)?);
        Some(SampleRecord { pixels: split.image(i)?.to_vec(), label, prediction })
    };
    Ok(wrong.into_iter().chain(right).take(SAMPLES).filter_map(sample).collect())
}

/// Errors with the largest distance of scores `[wrong, classes]` first; of equals the earlier image.
fn most_confident(wrong: &[u32], split: &Split, predictions: &[u32], scores: &[f32]) -> Vec<u32> {
    let classes = scores.len() / wrong.len().max(1);
    let distance = |(&image, scores): (&u32, &[f32])| {
        let i = image as usize;
        let score = |labels: &[u32]| scores.get(*labels.get(i)? as usize).copied();
        let distance = score(predictions).zip(score(&split.labels)).map(|(taken, own)| taken - own);
        (image, distance.unwrap_or(0.0))
    };
    let mut distances: Vec<(u32, f32)> =
        wrong.iter().zip(scores.chunks(classes.max(1))).map(distance).collect();
    distances.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    distances.into_iter().map(|(image, _)| image).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_further_above_the_true_label_the_earlier() {
        let labels = vec![0, 1, 2, 0];
        let split = Split { pixels: vec![0; 4].into(), labels };
        let predictions = [1, 1, 0, 2];
        // Of images 0, 2, 3.
        let scores = [0.5, 1.0, 0.0, 9.0, 0.0, 1.0, 1.0, 0.0, 4.0];
        assert_eq!(most_confident(&[0, 2, 3], &split, &predictions, &scores), [2, 3, 0]);
        assert!(most_confident(&[], &split, &predictions, &[]).is_empty());
    }
}
