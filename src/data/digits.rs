//! The 1,797 digits of 8×8 pixels that need no download.

use super::Split;

/// Every so many images of a class go to the test set.
const TEST_EVERY: usize = 5;

/// Rows and columns of an image.
pub const SIDE: usize = 8;
/// Number of classes.
pub const CLASSES: usize = 10;

/// The UCI handwritten digits, to train on and to test on, split by a fixed rule: of each class, every fifth image is a
/// test image. 1,442 train, 355 test.
pub fn load() -> (Split, Split) {
    let raw = smartcore::dataset::digits::load_dataset();
    let (mut train, mut test) = (Split::default(), Split::default());
    let mut seen = [0usize; CLASSES];
    for (image, &label) in raw.data.chunks_exact(SIDE * SIDE).zip(&raw.target) {
        let label = label as u32;
        let Some(seen) = seen.get_mut(label as usize) else {
            continue;
        };
        *seen += 1;
        let split = match *seen % TEST_EVERY {
            0 => &mut test,
            _ => &mut train,
        };
        // 0..=16 becomes 0..=255.
        (split.pixels).extend(image.iter().map(|ink| (ink * 255.0 / 16.0).round() as u8));
        split.labels.push(label);
    }
    (train, test)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::data::{Dataset, Source};

    #[test]
    fn all_images_are_there_and_every_class_is_split_alike() {
        let digits = Dataset::load(&Source::Digits, "", false).unwrap();
        assert_eq!((digits.train.len(), digits.test.len()), (1442, 355));
        assert_eq!(digits.train.pixels.len(), 1442 * 64);
        let info = digits.describe();
        let total: Vec<usize> = (info.train.per_class.iter())
            .zip(&info.test.per_class)
            .map(|(train, test)| train + test)
            .collect();
        assert_eq!(total, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
        for (total, test) in total.iter().zip(&info.test.per_class) {
            assert_eq!(*test, total / 5);
        }
        assert!(!digits.train.blank_under_label(10));
    }

    #[test]
    fn the_first_image_is_the_well_known_zero() {
        let digits = Dataset::load(&Source::Digits, "", false).unwrap();
        let ink = [0.0, 0.0, 5.0, 13.0, 9.0, 1.0, 0.0, 0.0];
        let pixels = ink.map(|ink: f64| (ink * 255.0 / 16.0).round() as u8);
        assert_eq!(digits.train.image(0).and_then(|image| image.get(..8)), Some(pixels.as_slice()));
        assert_eq!(digits.train.labels.first(), Some(&0));
        assert_eq!(digits.train.pixels.iter().max(), Some(&255));
    }
}
