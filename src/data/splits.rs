//! The rows a run trains on, chooses on, and is judged by.

use super::{Brightness, DataError, Dataset, ImageShape, Split};

/// A data set divided for a run.
pub struct Splits {
    /// Shape of every image.
    pub image: ImageShape,
    /// Number of labels.
    pub classes: usize,
    /// Whether a label may replace the first pixels: those of all training rows are blank.
    pub blank_under_label: bool,
    /// What the classes are called; empty where their numbers are their names.
    pub class_names: Vec<String>,
    /// How bright the training rows are.
    pub brightness: Brightness,
    /// Rows to train on.
    pub train: Split,
    /// Training rows held out to choose the best checkpoint on.
    pub validation: Option<Split>,
    /// Rows to be judged by.
    pub test: Split,
    /// What to know beside figures of it, see [`Dataset::note`].
    pub note: Option<String>,
    /// SHA-256 of the whole data set, see [`DatasetInfo`](super::DatasetInfo).
    pub data_sha256: String,
}

impl Splits {
    /// Holds out `validation_size` training rows, drawn from the seed.
    pub fn new(dataset: Dataset, validation_size: usize, seed: u64) -> Result<Splits, DataError> {
        let data_sha256 = dataset.sha256();
        let note = dataset.note();
        let image = dataset.image;
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
            class_names: dataset.class_names,
            brightness: Brightness::of(&train),
            train,
            validation,
            test: dataset.test,
            note,
            data_sha256,
        })
    }

    /// What accuracy is measured on after every epoch: validation rows if there are any, else the test set.
    pub fn held_out(&self) -> &Split {
        self.validation.as_ref().unwrap_or(&self.test)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn no_class_is_held_out_whole() {
        let labels = [vec![0; 20], vec![1; 20], vec![2]].concat();
        let train = Split { pixels: vec![7; labels.len()].into(), labels };
        let test = Split { pixels: vec![7; 3].into(), labels: vec![0, 1, 2] };
        let dataset = |classes| Dataset {
            name: "three".into(),
            image: ImageShape::gray(1, 1),
            classes,
            class_names: Vec::new(),
            train: train.clone(),
            test: test.clone(),
        };
        let lost = |seed| Splits::new(dataset(3), 20, seed).err().map(|error| error.to_string());
        let refused: Vec<String> = (0..20).filter_map(lost).collect();
        // The only image of class 2 is among the held-out half of the rows about every second time.
        assert!((4..=16).contains(&refused.len()), "{refused:?}");
        assert!(
            refused[0].contains("every training image of class 2, of which there is one"),
            "{}",
            refused[0]
        );
    }
}
