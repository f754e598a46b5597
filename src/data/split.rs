//! One half of a data set.

use std::collections::HashSet;

use ff_backend::host::Pixels;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use super::DataError;

/// Images with their labels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// n × height·width·channels, as [`ImageShape`](super::ImageShape) lays them out.
    pub pixels: Pixels,
    /// n classes, counted from 0.
    pub labels: Vec<u32>,
}

impl Split {
    /// Number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The values of image `i`.
    pub fn image(&self, i: usize) -> Option<&[u8]> {
        if i >= self.len() {
            return None;
        }
        let features = self.features();
        self.pixels.get(i * features..(i + 1) * features)
    }

    /// Divides into a training and a validation part of `size` rows, both in their old order.
    /// The rows are random but the seed fixes them.
    pub fn hold_out(self, size: usize, seed: u64) -> Result<(Split, Split), DataError> {
        let held_out = self.held_out_rows(size, seed)?;
        Ok((self.select(|row| !held_out[row]), self.select(|row| held_out[row])))
    }

    /// Which rows [`Split::hold_out`] takes.
    ///
    /// # Errors
    /// Where they are all, or all of one class: training would never show it.
    pub fn held_out_rows(&self, size: usize, seed: u64) -> Result<Vec<bool>, DataError> {
        let rows = self.len();
        if size >= rows {
            return Err(DataError::HoldOut { size, rows });
        }
        // Held out are the rows that draw the smallest numbers: nothing here depends on how a
        // library shuffles.
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut drawn: Vec<(u64, usize)> = (0..rows).map(|row| (rng.next_u64(), row)).collect();
        drawn.sort_unstable();
        let mut held_out = vec![false; rows];
        for &(_, row) in drawn.iter().take(size) {
            held_out[row] = true;
        }
        let numbered = || self.labels.iter().zip(&held_out);
        let taught: HashSet<u32> = numbered().filter(|(_, held)| !**held).map(|(&label, _)| label).collect();
        match numbered().find(|(label, _)| !taught.contains(label)) {
            None => Ok(held_out),
            Some((&class, _)) => {
                let images = self.labels.iter().filter(|&&label| label == class).count();
                Err(DataError::HoldOutClass { size, seed, class, images })
            }
        }
    }

    /// Whether a label may replace the first `classes` values: their mean over all images is below
    /// 1 % of full brightness. False where an image has fewer, or there is no image.
    pub fn blank_under_label(&self, classes: usize) -> bool {
        let features = self.features();
        if classes == 0 || features < classes {
            return false;
        }
        let ink: u64 = (self.pixels.chunks_exact(features))
            .flat_map(|image| image.iter().take(classes))
            .map(|&pixel| u64::from(pixel))
            .sum();
        (ink as f64) < 0.01 * 255.0 * (classes * self.len()) as f64
    }

    /// Values per image.
    fn features(&self) -> usize {
        self.pixels.len().checked_div(self.len()).unwrap_or(0)
    }

    fn select(&self, wanted: impl Fn(usize) -> bool) -> Split {
        let mut part = Split::default();
        for (row, &label) in self.labels.iter().enumerate().filter(|&(row, _)| wanted(row)) {
            part.pixels.extend_from_slice(self.image(row).unwrap_or_default());
            part.labels.push(label);
        }
        part
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    /// Image i is [i, 2 i] with label i, so that a row is recognized wherever it goes.
    fn numbered(rows: u8) -> Split {
        Split {
            pixels: (0..rows).flat_map(|i| [i, i.wrapping_mul(2)]).collect::<Vec<_>>().into(),
            labels: (0..rows).map(u32::from).collect(),
        }
    }

    /// The same images in one class.
    fn alike(rows: u8) -> Split {
        Split { labels: vec![0; rows.into()], ..numbered(rows) }
    }

    /// The number of each image.
    fn numbers(split: &Split) -> Vec<u8> {
        (0..split.len()).map(|row| split.image(row).unwrap()[0]).collect()
    }

    #[test]
    fn image_of_a_row() {
        let split = numbered(3);
        assert_eq!(split.image(2), Some([2, 4].as_slice()));
        assert_eq!(split.image(3), None);
        assert_eq!(Split::default().image(0), None);
        assert_eq!(split.image(usize::MAX), None);
    }

    #[test]
    fn holding_out_everything_is_an_error() {
        let message = numbered(3).hold_out(3, 1).unwrap_err().to_string();
        assert_eq!(message, "validation_size is 3, expected less than the 3 training rows");
        assert!(Split::default().hold_out(0, 1).is_err());
    }

    #[test]
    fn the_rows_of_a_seed_never_change() {
        let (_, validation) = alike(20).hold_out(5, 42).unwrap();
        assert_eq!(numbers(&validation), [5, 9, 15, 17, 19]);
    }

    #[test]
    fn blank_means_below_one_percent() {
        let dark = |value| Split { pixels: [0, value, 255].repeat(10).into(), labels: vec![0; 10] };
        assert!(dark(0).blank_under_label(2));
        assert!(dark(5).blank_under_label(2)); // mean 2.5 < 2.55
        assert!(!dark(6).blank_under_label(2)); // mean 3
        assert!(!dark(0).blank_under_label(3));
        assert!(!dark(0).blank_under_label(4));
        assert!(!Split::default().blank_under_label(2));
    }

    proptest! {
        #[test]
        fn hold_out_is_a_partition(rows in 1u8..200, share in 0.0..1.0f64, seed: u64) {
            let size = (f64::from(rows) * share) as usize;
            let all = alike(rows);
            let (train, validation) = all.clone().hold_out(size, seed).unwrap();
            prop_assert_eq!(validation.len(), size);
            for part in [&train, &validation] {
                prop_assert!(numbers(part).is_sorted());
                for (i, &number) in numbers(part).iter().enumerate() {
                    prop_assert_eq!(part.image(i), all.image(number.into()));
                }
            }
            let mut both = [numbers(&train), numbers(&validation)].concat();
            both.sort_unstable();
            prop_assert_eq!(both, numbers(&all));
            prop_assert_eq!(all.clone().hold_out(size, seed).unwrap(), all.hold_out(size, seed).unwrap());
        }
    }
}
