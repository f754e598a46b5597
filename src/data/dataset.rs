//! A data set in memory, from whichever source.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::checksum::Checksum;
use super::idx::{self, Idx, Kind};
use super::published::{self, Published, PublishedFile};
use super::{DataError, Source, Split, digits, download};

/// More classes than this would need another way to write a label into an image.
const MOST_CLASSES: usize = 1000;

/// Images to train on and images to test on, all of one size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    /// As on the command line.
    pub name: String,
    /// Rows of an image.
    pub height: usize,
    /// Columns of an image.
    pub width: usize,
    /// Number of classes; every label is below it.
    pub classes: usize,
    /// What to train on.
    pub train: Split,
    /// What to test on.
    pub test: Split,
}

impl Dataset {
    /// Reads a data set, after downloading it if its files are in none of: the folder `data_dir`
    /// (empty: `FF_DATA_DIR`, else the platform's cache), or its subfolder with the set's name.
    pub fn load(source: &Source, data_dir: &str, progress: bool) -> Result<Self, DataError> {
        let published = match source {
            Source::Digits => return Ok(digits::load()),
            Source::Idx(folder) => return from_folder(source, folder),
            Source::Mnist => &published::MNIST,
            Source::FashionMnist => &published::FASHION_MNIST,
        };
        let mirrors = download::mirrors(published);
        from_published(published, &download::folder(data_dir)?, &mirrors, progress)
    }

    /// Pixels per image.
    pub fn features(&self) -> usize {
        self.height * self.width
    }
}

/// Four files by their standard names, of any size and number of classes.
fn from_folder(source: &Source, folder: &Path) -> Result<Dataset, DataError> {
    let read = |stem, kind| match idx::find(folder, stem) {
        Some(path) => Idx::read(&path, kind),
        None => Err(DataError::Missing {
            folder: folder.to_owned(),
            names: format!("{stem} or {}", idx::dotted(stem)),
        }),
    };
    let [train_images, train_labels, test_images, test_labels] = published::STEMS;
    let files = Files {
        train_images: read(train_images, Kind::Images)?,
        train_labels: read(train_labels, Kind::Labels)?,
        test_images: read(test_images, Kind::Images)?,
        test_labels: read(test_labels, Kind::Labels)?,
    };
    let test_labels = files.test_labels.path.clone();
    let mut dataset = files.join(source.to_string(), MOST_CLASSES)?;
    dataset.classes = dataset.train.labels.iter().max().map_or(0, |&highest| highest as usize + 1);
    refuse_untaught(&dataset, test_labels)?;
    if dataset.classes < 2 {
        return Err(DataError::Content {
            path: folder.to_owned(),
            problem: "every label is 0, expected at least 2 classes".to_owned(),
        });
    }
    Ok(dataset)
}

/// A test label that training never shows is a mistake in one of the files.
fn refuse_untaught(dataset: &Dataset, path: PathBuf) -> Result<(), DataError> {
    let taught: HashSet<u32> = dataset.train.labels.iter().copied().collect();
    match dataset.test.labels.iter().position(|label| !taught.contains(label)) {
        Some(row) => {
            let label = dataset.test.labels[row];
            let problem = format!("label {label} of image {row}, expected one that a training image has");
            Err(DataError::Content { path, problem })
        }
        None => Ok(()),
    }
}

/// A published set in `folder` or in the subfolder with its name, which missing files are
/// downloaded to.
fn from_published(
    set: &Published,
    folder: &Path,
    mirrors: &[String],
    progress: bool,
) -> Result<Dataset, DataError> {
    let own = folder.join(set.name);
    let read = |file: &PublishedFile| match local(set, file, &[&own, folder])? {
        Some(found) => Ok(found),
        None => {
            let path = download::fetch(set.name, file, mirrors, &own, progress)?;
            checked(set, file, Idx::read(&path, file.kind)?)
        }
    };
    let [train_images, train_labels, test_images, test_labels] = &set.files;
    let files = Files {
        train_images: read(train_images)?,
        train_labels: read(train_labels)?,
        test_images: read(test_images)?,
        test_labels: read(test_labels)?,
    };
    files.join(set.name.to_owned(), published::CLASSES)
}

/// A published file in the first of `folders` that has it.
fn local(set: &Published, file: &PublishedFile, folders: &[&Path]) -> Result<Option<Idx>, DataError> {
    for folder in folders {
        let Some(path) = idx::find(folder, file.stem) else {
            continue;
        };
        let found = Idx::read(&path, file.kind)?;
        // Other sets use the same names: in a folder that is not this set's own, their files may
        // well be there, and do not matter.
        if folder.ends_with(set.name) || !is_of_another(set, &found) {
            return checked(set, file, found).map(Some);
        }
    }
    Ok(None)
}

/// The file again, if it is what was published.
fn checked(set: &Published, file: &PublishedFile, found: Idx) -> Result<Idx, DataError> {
    if let Checksum::Contents(expected) = file.checksum {
        let sha256 = found.sha256();
        if sha256 != expected {
            return Err(DataError::Checksum {
                path: found.path,
                expected: expected.to_owned(),
                found: sha256,
            });
        }
    }
    if is_of_another(set, &found) {
        return Err(found.error(format!("belongs to mnist, expected {}", set.name)));
    }
    if found.sizes() != file.sizes {
        return Err(found.error(format!(
            "sizes are {}, expected {}",
            idx::times(found.sizes()),
            idx::times(file.sizes)
        )));
    }
    Ok(found)
}

/// Whether a file is known to belong to MNIST while another set is wanted.
fn is_of_another(set: &Published, found: &Idx) -> bool {
    set.name != published::MNIST.name && {
        let sha256 = found.sha256();
        (published::MNIST.files.iter()).any(|file| file.checksum == Checksum::Contents(&sha256))
    }
}

/// The four files of a data set.
struct Files {
    train_images: Idx,
    train_labels: Idx,
    test_images: Idx,
    test_labels: Idx,
}

impl Files {
    /// Checks the files against each other; labels have to be below `classes`.
    fn join(self, name: String, classes: usize) -> Result<Dataset, DataError> {
        let (&[_, height, width], &[_, test_height, test_width]) =
            (self.train_images.sizes(), self.test_images.sizes())
        else {
            return Err(self.train_images.error("holds no images".to_owned()));
        };
        if (test_height, test_width) != (height, width) {
            return Err(self.test_images.error(format!(
                "images are {test_height} × {test_width}, expected {height} × {width} as in {}",
                self.train_images.path.display()
            )));
        }
        Ok(Dataset {
            name,
            height: height as usize,
            width: width as usize,
            classes,
            train: pair(self.train_images, self.train_labels, classes)?,
            test: pair(self.test_images, self.test_labels, classes)?,
        })
    }
}

/// Images with as many labels, each below `classes`.
fn pair(images: Idx, labels: Idx, classes: usize) -> Result<Split, DataError> {
    let (images_path, labels_path) = (images.path.clone(), labels.path.clone());
    let images = images.into_images()?;
    let labels = labels.into_labels()?;
    let wrong = |problem| DataError::Content { path: labels_path, problem };
    if labels.len() != images.count {
        return Err(wrong(format!(
            "{} labels, expected {} as there are images in {}",
            labels.len(),
            images.count,
            images_path.display()
        )));
    }
    if let Some(row) = labels.iter().position(|&label| label as usize >= classes) {
        return Err(wrong(format!(
            "label {} of image {row}, expected 0 to {}",
            labels.get(row).copied().unwrap_or_default(),
            classes - 1
        )));
    }
    Ok(Split { pixels: images.pixels, labels })
}

#[cfg(test)]
mod tests;
