//! What was imported: counts, means, checksum, and images that are there more than once.

use std::collections::HashMap;

use serde::Serialize;

use super::super::{Dataset, DatasetInfo, Split};

/// A data set in numbers.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Counts, means and the checksum.
    #[serde(flatten)]
    pub info: DatasetInfo,
    /// Images that are there more than once.
    pub duplicates: Duplicates,
    /// What was changed on the way.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Images whose every pixel is that of an earlier one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Duplicates {
    /// Training images that are those of an earlier training image.
    pub in_train: usize,
    /// Test images that are those of an earlier test image.
    pub in_test: usize,
    /// Test images that are in the training set too: they measure memory.
    pub test_in_train: usize,
    /// Images that an earlier one has another label for.
    pub under_another_label: usize,
}

impl Report {
    /// Of a data set and what its reader noted.
    pub fn new(dataset: &Dataset, notes: Vec<String>) -> Report {
        Report { info: dataset.describe(), duplicates: Duplicates::of(&dataset.train, &dataset.test), notes }
    }
}

impl Duplicates {
    /// Between and within two splits.
    pub fn of(train: &Split, test: &Split) -> Duplicates {
        let mut found = Duplicates::default();
        let mut seen = HashMap::new();
        found.in_train = found.count(train, &mut seen);
        let mut seen_in_test = HashMap::new();
        found.in_test = found.count(test, &mut seen_in_test);
        for (image, label) in images(test) {
            if let Some(&earlier) = seen.get(image) {
                found.test_in_train += 1;
                found.under_another_label += usize::from(earlier != label);
            }
        }
        found
    }

    fn count<'a>(&mut self, split: &'a Split, seen: &mut HashMap<&'a [u8], u32>) -> usize {
        let mut duplicates = 0;
        for (image, label) in images(split) {
            if let Some(&earlier) = seen.get(image) {
                duplicates += 1;
                self.under_another_label += usize::from(earlier != label);
            } else {
                seen.insert(image, label);
            }
        }
        duplicates
    }
}

fn images(split: &Split) -> impl Iterator<Item = (&[u8], u32)> {
    (0..split.len()).filter_map(|row| Some((split.image(row)?, *split.labels.get(row)?)))
}
