//! Data sets as they come, made into a folder of four IDX files and a list of class names.

mod csv;
mod folders;
mod idx_family;
mod npz;
mod report;
mod write;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{DataError, Dataset, ImageShape, Split};

pub use report::{Duplicates, Report};
pub use write::{refuse_taken, write};

/// How a source is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Size of the images; `None`: that of the source.
    pub size: Option<ImageShape>,
    /// Cut out the ink of pictures and center it, as MNIST was made.
    pub fit: bool,
    /// Light for dark and dark for light.
    pub invert: bool,
    /// Keep the colors of pictures and arrays: images of three channels.
    pub color: bool,
    /// Where the source has no test set: of each class every so many images make it.
    pub test_every: usize,
    /// Which part of a source that has several, such as EMNIST's `letters`.
    pub split: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Options { size: None, fit: false, invert: false, color: false, test_every: 5, split: None }
    }
}

/// Images and labels of a source.
pub struct Imported {
    /// Every image's size.
    pub shape: ImageShape,
    /// A name for each class; empty where numbers are the names.
    pub class_names: Vec<String>,
    /// What to train on.
    pub train: Split,
    /// What to test on.
    pub test: Split,
    /// What the reader of the report should know.
    pub notes: Vec<String>,
}

/// Reads a source: a folder of class folders with PNG or JPEG pictures, `.npz`, CSV with the label first, or IDX
/// files under the names of MNIST, KMNIST, EMNIST, QMNIST, also below a root of torchvision.
pub fn read(source: &Path, options: &Options) -> Result<Imported, DataError> {
    let kind = match std::fs::metadata(source) {
        Ok(metadata) => metadata.file_type(),
        Err(error) => return Err(DataError::Io { path: source.to_owned(), source: error }),
    };
    if options.fit && !(kind.is_dir() && holds_pictures(source, options)?) {
        return Err(refuse(source, "is no folder of pictures; --fit is for those, whose ink it cuts out"));
    }
    let imported = if kind.is_dir() { read_folder(source, options) } else { read_file(source, options) }?;
    if options.color && imported.shape.channels == 1 {
        return Err(refuse(
            source,
            "holds gray images; --color is for pictures, and for arrays with channels",
        ));
    }
    let imported = if options.invert { imported.inverted() } else { imported };
    imported.checked(source)
}

/// Whether a folder is read as one of pictures.
fn holds_pictures(folder: &Path, options: &Options) -> Result<bool, DataError> {
    let is_data = |path: &PathBuf| path.is_file() && matches!(extension(path).as_str(), "csv" | "npz");
    Ok(idx_family::find(folder, options.split.as_deref())?.is_none() && !entries(folder)?.iter().any(is_data))
}

fn read_file(source: &Path, options: &Options) -> Result<Imported, DataError> {
    match extension(source).as_str() {
        "npz" => npz::read(source, options),
        "csv" => csv::read(&[source.to_owned()], options),
        _ => Err(refuse(source, "is no .npz, no .csv and no folder")),
    }
}

fn read_folder(source: &Path, options: &Options) -> Result<Imported, DataError> {
    if let Some(found) = idx_family::find(source, options.split.as_deref())? {
        return found.read(options);
    }
    let files = entries(source)?;
    let of_kind = |kind: &str| -> Vec<PathBuf> {
        files.iter().filter(|path| path.is_file() && extension(path) == kind).cloned().collect()
    };
    let (tables, archives) = (of_kind("csv"), of_kind("npz"));
    if !tables.is_empty() {
        return csv::read(&tables, options);
    }
    match archives.as_slice() {
        [] => folders::read(source, options),
        [one] => npz::read(one, options),
        several => npz::read_apart(source, several, options),
    }
}

/// What is in a folder, hidden files left out, sorted by name; numbers in their order.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let failed = |source| DataError::Io { path: folder.to_owned(), source };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            found.push(entry.path());
        }
    }
    found.sort_by_key(|path| {
        let name = name(path);
        (name.parse::<u64>().unwrap_or(u64::MAX), name)
    });
    Ok(found)
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn extension(path: &Path) -> String {
    path.extension().unwrap_or_default().to_string_lossy().to_lowercase()
}

fn refuse(path: &Path, problem: impl Into<String>) -> DataError {
    DataError::Content { path: path.to_owned(), problem: problem.into() }
}

/// Divides images that have no test set: of each class, every `every`-th image is a test image.
fn divide(all: Split, every: usize) -> (Split, Split) {
    let features = all.pixels.len().checked_div(all.len()).unwrap_or(0);
    let (mut train, mut test) = (Split::default(), Split::default());
    let mut seen = std::collections::HashMap::new();
    for (image, &label) in all.pixels.chunks(features.max(1)).zip(&all.labels) {
        let seen: &mut usize = seen.entry(label).or_default();
        *seen += 1;
        let part = if seen.is_multiple_of(every) { &mut test } else { &mut train };
        part.pixels.extend_from_slice(image);
        part.labels.push(label);
    }
    (train, test)
}

impl Imported {
    fn inverted(mut self) -> Self {
        for split in [&mut self.train, &mut self.test] {
            split.pixels.iter_mut().for_each(|pixel| *pixel = 255 - *pixel);
        }
        self
    }

    /// Refuses what could not be trained on.
    fn checked(mut self, source: &Path) -> Result<Self, DataError> {
        for (split, what) in [(&self.train, "training"), (&self.test, "test")] {
            if split.is_empty() {
                return Err(refuse(source, format!("holds no {what} images")));
            }
        }
        let taught: BTreeSet<u32> = self.train.labels.iter().copied().collect();
        if let (1, Some(only)) = (taught.len(), taught.first()) {
            return Err(refuse(source, format!("every label is {only}, expected at least 2 classes")));
        }
        let mut tested = self.test.labels.iter().enumerate();
        if let Some((image, label)) = tested.find(|(_, label)| !taught.contains(label)) {
            return Err(refuse(
                source,
                format!("label {label} of test image {image}, expected one that a training image has"),
            ));
        }
        if !self.class_names.is_empty()
            && let Some(problem) = super::class_names::problem(&self.class_names)
        {
            return Err(refuse(source, format!("class names: {problem}")));
        }
        // Numbers are what classes without names are called.
        if self.class_names.iter().enumerate().all(|(class, name)| *name == class.to_string()) {
            self.class_names.clear();
        }
        Ok(self)
    }

    /// As a data set of the folder it is written to.
    pub fn into_dataset(self, folder: &Path) -> Dataset {
        let highest = self.train.labels.iter().chain(&self.test.labels).max();
        Dataset {
            name: super::Source::Idx(folder.to_owned()).to_string(),
            image: self.shape,
            classes: self.class_names.len().max(highest.map_or(0, |&label| label as usize + 1)),
            class_names: self.class_names,
            train: self.train,
            test: self.test,
        }
    }
}

#[cfg(test)]
mod tests;
