//! A data set in a few numbers.

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::checksum::hex;
use super::{Dataset, ImageShape, Split, cifar10};

/// What a data set holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DatasetInfo {
    /// As on the command line.
    pub name: String,
    /// Height, width and, unless it is one, channels of an image.
    #[serde(flatten)]
    pub image: ImageShape,
    /// Number of classes.
    pub classes: usize,
    /// What they are called; left out where their numbers are their names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub class_names: Vec<String>,
    /// What is trained on.
    pub train: SplitInfo,
    /// What is tested on.
    pub test: SplitInfo,
    /// What to know beside figures of it; left out where there is nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// SHA-256 of train pixels, train labels, test pixels, test labels; labels as little-endian
    /// `u32`. Runs with the same value saw the same data.
    pub sha256: String,
}

/// What a split holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SplitInfo {
    /// Number of images.
    pub count: usize,
    /// Number of images of each class.
    pub per_class: Vec<usize>,
    /// Mean over all pixels and channels, 0 to 255.
    pub mean_pixel: f64,
}

impl Dataset {
    /// SHA-256 of train pixels, train labels, test pixels, test labels, see [`DatasetInfo::sha256`].
    pub fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        for split in [&self.train, &self.test] {
            hash.update(split.pixels.as_slice());
            let labels: Vec<u8> = split.labels.iter().flat_map(|label| label.to_le_bytes()).collect();
            hash.update(labels);
        }
        hex(&hash.finalize())
    }

    /// Counts and checksums of this data set.
    pub fn describe(&self) -> DatasetInfo {
        DatasetInfo {
            name: self.name.clone(),
            image: self.image,
            classes: self.classes,
            class_names: self.class_names.clone(),
            train: SplitInfo::of(&self.train, self.classes),
            test: SplitInfo::of(&self.test, self.classes),
            note: self.note(),
            sha256: self.sha256(),
        }
    }
}

impl DatasetInfo {
    /// Something to think about before training: classes that nothing is known of.
    pub fn warning(&self) -> Option<String> {
        warning(&self.train.per_class)
    }
}

impl Dataset {
    /// What to know beside figures of it.
    pub fn note(&self) -> Option<String> {
        if self.name == cifar10::NAME { cifar10::note(&self.train) } else { None }
    }

    /// The warning of its [`DatasetInfo`], for less than a checksum of everything.
    pub fn warning(&self) -> Option<String> {
        warning(&per_class(&self.train, self.classes))
    }
}

fn warning(per_class: &[usize]) -> Option<String> {
    /// Most classes that are named one by one.
    const NAMED: usize = 5;
    let numbered = per_class.iter().enumerate();
    let empty: Vec<usize> = numbered.filter_map(|(class, &count)| (count == 0).then_some(class)).collect();
    let classes = per_class.len();
    match empty[..] {
        [] => None,
        // As with letters, a = 1: nothing is wrong, and nothing will be predicted as 0.
        [0] => Some(format!("labels are counted from 1 to {}: class 0 has no training image", classes - 1)),
        [class] => Some(format!("class {class} of the {classes} has no training image")),
        _ if empty.len() <= NAMED => {
            let list = empty.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
            Some(format!("classes {list} of the {classes} have no training image"))
        }
        [first, .., last] => Some(format!(
            "{} of the {classes} classes have no training image, {first} to {last} among them; is the highest \
             label meant?",
            empty.len()
        )),
    }
}

fn per_class(split: &Split, classes: usize) -> Vec<usize> {
    let mut counts = vec![0; classes];
    for &label in &split.labels {
        if let Some(count) = counts.get_mut(label as usize) {
            *count += 1;
        }
    }
    counts
}

impl SplitInfo {
    fn of(split: &Split, classes: usize) -> Self {
        let per_class = per_class(split, classes);
        let ink: u64 = split.pixels.iter().map(|&pixel| u64::from(pixel)).sum();
        Self { count: split.len(), per_class, mean_pixel: ink as f64 / split.pixels.len().max(1) as f64 }
    }
}
