//! What of a data set decides shapes and sizes, without its images.

use super::published::CLASSES;
use super::{Dataset, ImageShape, Source, Splits, cifar10};

/// Shape and size of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataShape {
    /// Of every image.
    pub image: ImageShape,
    /// Number of labels.
    pub classes: usize,
    /// Training rows, before any are held out.
    pub train: usize,
    /// Test rows.
    pub test: usize,
    /// Whether a label may replace the first pixels.
    pub blank_under_label: bool,
}

impl DataShape {
    /// The shape of a data set in memory.
    pub fn of(dataset: &Dataset) -> Self {
        DataShape {
            image: dataset.image,
            classes: dataset.classes,
            train: dataset.train.len(),
            test: dataset.test.len(),
            blank_under_label: dataset.train.blank_under_label(dataset.classes),
        }
    }

    /// The shape of a published data set, which need not be there for it.
    pub fn published(source: &Source) -> Option<Self> {
        if *source == Source::Cifar10 {
            let [train, test] = cifar10::ROWS;
            let (image, classes) = (cifar10::IMAGE, cifar10::CLASS_NAMES.len());
            return Some(DataShape { image, classes, train, test, blank_under_label: false });
        }
        let Source::Published(set) = source else { return None };
        let [train, _, test, _] = &set.files;
        let (&[train, height, width], &[test, ..]) = (train.sizes, test.sizes) else { return None };
        Some(DataShape {
            image: ImageShape::gray(height as usize, width as usize),
            classes: CLASSES,
            train: train as usize,
            test: test as usize,
            blank_under_label: set.blank_under_label,
        })
    }
}

impl Splits {
    /// The shape of the data set that was divided.
    pub fn shape(&self) -> DataShape {
        let held_out = self.validation.as_ref().map_or(0, |validation| validation.len());
        DataShape {
            image: self.image,
            classes: self.classes,
            train: self.train.len() + held_out,
            test: self.test.len(),
            blank_under_label: self.blank_under_label,
        }
    }
}
