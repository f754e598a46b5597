//! The 1,797 digits of 8×8 pixels that need no download.

use super::{Dataset, Split};

/// Every so many images of a class go to the test set.
const TEST_EVERY: usize = 5;

/// The UCI handwritten digits, split by a fixed rule: of each class, every fifth image is a test
/// image. 1,442 train, 355 test.
pub fn load() -> Dataset {
    let raw = smartcore::dataset::digits::load_dataset();
    let mut dataset = Dataset {
        name: "digits".to_owned(),
        height: 8,
        width: 8,
        classes: 10,
        class_names: Vec::new(),
        train: Split::default(),
        test: Split::default(),
    };
    let mut seen = [0usize; 10];
    for (image, &label) in raw.data.chunks_exact(64).zip(&raw.target) {
        let label = label as u32;
        let Some(seen) = seen.get_mut(label as usize) else {
            continue;
        };
        *seen += 1;
        let split = match *seen % TEST_EVERY {
            0 => &mut dataset.test,
            _ => &mut dataset.train,
        };
        // 0..=16 becomes 0..=255.
        (split.pixels).extend(image.iter().map(|ink| (ink * 255.0 / 16.0).round() as u8));
        split.labels.push(label);
    }
    dataset
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_images_are_there_and_every_class_is_split_alike() {
        let digits = load();
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
        let digits = load();
        let ink = [0.0, 0.0, 5.0, 13.0, 9.0, 1.0, 0.0, 0.0];
        let pixels = ink.map(|ink: f64| (ink * 255.0 / 16.0).round() as u8);
        assert_eq!(digits.train.image(0).and_then(|image| image.get(..8)), Some(pixels.as_slice()));
        assert_eq!(digits.train.labels.first(), Some(&0));
        assert_eq!(digits.train.pixels.iter().max(), Some(&255));
    }
}
