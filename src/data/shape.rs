//! What of a data set decides shapes and sizes, without its images.

use super::{Dataset, ImageShape, Source, Splits};

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
            image: ImageShape { height: dataset.height, width: dataset.width },
            classes: dataset.classes,
            train: dataset.train.len(),
            test: dataset.test.len(),
            blank_under_label: dataset.train.blank_under_label(dataset.classes),
        }
    }

    /// The shape of a published data set, which need not be there for it.
    pub fn published(source: &Source) -> Option<Self> {
        let image = ImageShape { height: 28, width: 28 };
        match source {
            Source::Mnist | Source::FashionMnist => {
                Some(DataShape { image, classes: 10, train: 60_000, test: 10_000, blank_under_label: true })
            }
            Source::Digits | Source::Idx(_) => None,
        }
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
