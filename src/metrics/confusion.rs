//! Counts of predictions by true class.

use serde::{Deserialize, Serialize};

/// `counts[true class][predicted class]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConfusionMatrix {
    counts: Vec<Vec<u64>>,
}

impl ConfusionMatrix {
    /// Counts predictions; labels outside the classes are left out.
    pub fn new(classes: usize, labels: &[u32], predictions: &[u32]) -> Self {
        let mut counts = vec![vec![0; classes]; classes];
        for (&label, &prediction) in labels.iter().zip(predictions) {
            let cell = counts
                .get_mut(label as usize)
                .and_then(|row: &mut Vec<u64>| row.get_mut(prediction as usize));
            if let Some(cell) = cell {
                *cell += 1;
            }
        }
        ConfusionMatrix { counts }
    }

    /// Rows: true class.
    pub fn rows(&self) -> &[Vec<u64>] {
        &self.counts
    }

    /// Rows that were predicted right.
    pub fn correct(&self) -> u64 {
        self.counts.iter().enumerate().filter_map(|(class, row)| row.get(class)).sum()
    }

    /// All rows.
    pub fn total(&self) -> u64 {
        self.counts.iter().flatten().sum()
    }

    /// Fraction predicted right; 0 of nothing.
    pub fn accuracy(&self) -> f64 {
        fraction(self.correct(), self.total())
    }

    /// Fraction predicted right of each true class; none where there is no such row.
    pub fn class_accuracy(&self) -> Vec<Option<f64>> {
        let of_class = |(class, row): (usize, &Vec<u64>)| {
            let total = row.iter().sum();
            (total > 0).then(|| fraction(row.get(class).copied().unwrap_or(0), total))
        };
        self.counts.iter().enumerate().map(of_class).collect()
    }
}

fn fraction(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
