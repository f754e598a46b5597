//! The rows a run trains on, chooses on, and is judged by.

use super::{DataError, Dataset, ImageShape, Split};

/// A data set divided for a run.
pub struct Splits {
    /// Shape of every image.
    pub image: ImageShape,
    /// Number of labels.
    pub classes: usize,
    /// Whether a label may replace the first pixels: those of all training rows are blank.
    pub blank_under_label: bool,
    /// Rows to train on.
    pub train: Split,
    /// Training rows held out to choose the best checkpoint on.
    pub validation: Option<Split>,
    /// Rows to be judged by.
    pub test: Split,
}

impl Splits {
    /// Holds out `validation_size` training rows, drawn from the seed.
    pub fn new(dataset: Dataset, validation_size: usize, seed: u64) -> Result<Splits, DataError> {
        let image = ImageShape { height: dataset.height, width: dataset.width };
        let blank_under_label = dataset.train.blank_under_label(dataset.classes);
        let (train, validation) = match validation_size {
            0 => (dataset.train, None),
            size => {
                let (train, validation) = dataset.train.hold_out(size, seed)?;
                (train, Some(validation))
            }
        };
        Ok(Splits {
            image,
            classes: dataset.classes,
            blank_under_label,
            train,
            validation,
            test: dataset.test,
        })
    }

    /// What accuracy is measured on after every epoch: validation rows if there are any, else the test set.
    pub fn held_out(&self) -> &Split {
        self.validation.as_ref().unwrap_or(&self.test)
    }
}
