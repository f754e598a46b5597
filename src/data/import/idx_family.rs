//! IDX files under the names that MNIST and its kin are published with, also below a root of torchvision.

use std::path::{Path, PathBuf};

use super::super::class_names;
use super::super::idx::{self, Kind, Opened};
use super::super::published;
use super::super::{DataError, ImageShape, Split};
use super::{Imported, Options, entries, name, refuse};
use crate::files::reading;

/// Folders below a source where the files lie: as they are unpacked, and as torchvision keeps them.
const PLACES: [&str; 9] = [
    "",
    "raw",
    "gzip",
    "MNIST/raw",
    "FashionMNIST/raw",
    "KMNIST/raw",
    "EMNIST/raw",
    "QMNIST/raw",
    "EMNIST/raw/gzip",
];

/// Four files of one data set.
#[derive(Debug)]
pub struct Family {
    folder: PathBuf,
    /// Names without `.gz`: training images and labels, test images and labels.
    stems: [String; 4],
    /// The part of EMNIST.
    emnist: Option<String>,
}

/// The data set in a folder, if it is of the family.
///
/// # Errors
/// Several are there and `split` chooses none.
pub fn find(source: &Path, split: Option<&str>) -> Result<Option<Family>, DataError> {
    let mut found = Vec::new();
    for place in PLACES {
        let folder = source.join(place);
        if folder.is_dir() {
            found.extend(in_folder(&folder)?);
        }
    }
    let called =
        |family: &Family| family.emnist.clone().unwrap_or_else(|| family.folder.display().to_string());
    if let Some(split) = split {
        let there: Vec<String> = found.iter().map(called).collect();
        return match found.into_iter().find(|family| family.emnist.as_deref() == Some(split)) {
            Some(family) => Ok(Some(family)),
            None if there.is_empty() => Ok(None),
            None => Err(refuse(source, format!("has no part {split}, but {}", there.join(", ")))),
        };
    }
    match found.len() {
        0 | 1 => Ok(found.pop()),
        _ if found.iter().all(|family| family.emnist.is_some()) => {
            let parts: Vec<String> = found.iter().map(called).collect();
            Err(refuse(source, format!("holds several parts; choose one with --split: {}", parts.join(", "))))
        }
        _ => {
            let folders: Vec<String> = found.iter().map(called).collect();
            Err(refuse(source, format!("holds several data sets, give one: {}", folders.join(", "))))
        }
    }
}

fn in_folder(folder: &Path) -> Result<Vec<Family>, DataError> {
    let mut found = Vec::new();
    let stems = |stems: [&str; 4]| stems.map(str::to_owned);
    let qmnist = [
        "qmnist-train-images-idx3-ubyte",
        "qmnist-train-labels-idx2-int",
        "qmnist-test-images-idx3-ubyte",
        "qmnist-test-labels-idx2-int",
    ];
    for names in [published::STEMS, qmnist] {
        if idx::find(folder, names[0])?.is_some() {
            found.push(Family { folder: folder.to_owned(), stems: stems(names), emnist: None });
        }
    }
    for path in entries(folder)? {
        let name = name(&path);
        let part = name.strip_prefix("emnist-").and_then(|rest| rest.split_once("-train-images-idx3-ubyte"));
        if let Some((part, "" | ".gz")) = part {
            let stem = |rest: &str| format!("emnist-{part}-{rest}");
            let stems = [
                stem("train-images-idx3-ubyte"),
                stem("train-labels-idx1-ubyte"),
                stem("test-images-idx3-ubyte"),
                stem("test-labels-idx1-ubyte"),
            ];
            if !found.iter().any(|family: &Family| family.stems == stems) {
                found.push(Family { folder: folder.to_owned(), stems, emnist: Some(part.to_owned()) });
            }
        }
    }
    Ok(found)
}

impl Family {
    /// Reads the files.
    pub fn read(&self, options: &Options) -> Result<Imported, DataError> {
        let [train_images, train_labels, test_images, test_labels] = &self.stems;
        let (shape, train) = self.read_split(train_images, train_labels)?;
        let (test_shape, test) = self.read_split(test_images, test_labels)?;
        if shape != test_shape {
            return Err(refuse(&self.folder, "training and test images differ in size"));
        }
        if let Some(size) = options.size.filter(|&size| !size.has_size_of(shape)) {
            let (height, width) = (shape.height, shape.width);
            return Err(refuse(
                &self.folder,
                format!("images have {height}×{width} pixels, --size {}x{}", size.height, size.width),
            ));
        }
        let mut imported =
            Imported { shape, class_names: self.class_names()?, train, test, notes: Vec::new() };
        // EMNIST's letters are counted from 1.
        let lowest = imported.train.labels.iter().chain(&imported.test.labels).min().copied().unwrap_or(0);
        // Names are those of numbers from 0.
        if lowest > 0 && (self.emnist.is_some() || imported.class_names.is_empty()) {
            for split in [&mut imported.train, &mut imported.test] {
                split.labels.iter_mut().for_each(|label| *label -= lowest);
            }
            imported.notes.push(format!("labels were counted from {lowest}, and are from 0 now"));
        }
        if self.emnist.is_some() {
            let shape = imported.shape;
            if shape.channels > 1 {
                return Err(refuse(
                    &self.folder,
                    format!("images are {shape}, expected gray ones as EMNIST's"),
                ));
            }
            for split in [&mut imported.train, &mut imported.test] {
                split.pixels = transposed(&split.pixels, shape).into();
            }
            imported.shape = ImageShape::gray(shape.width, shape.height);
            imported.notes.push("images were transposed, as EMNIST has them, and are upright now".into());
        }
        Ok(imported)
    }

    fn read_split(&self, images: &str, labels: &str) -> Result<(ImageShape, Split), DataError> {
        let open = |stem: &str, kind| match idx::find(&self.folder, stem)? {
            Some(path) => Opened::open(&path, kind),
            None => Err(DataError::Missing {
                folder: self.folder.clone(),
                names: stem.to_owned(),
                hint: String::new(),
            }),
        };
        let (images, labels) = (open(images, Kind::Images)?, open(labels, Kind::Labels)?);
        if images.sizes().first() != labels.sizes().first() {
            let counts = [&images, &labels].map(|file| file.sizes().first().copied().unwrap_or(0));
            return Err(
                labels.error(format!("{} labels, expected {} as there are images", counts[1], counts[0]))
            );
        }
        let labels = labels.read()?.into_labels()?;
        let images = images.read()?.into_images()?;
        let shape = images.image;
        Ok((shape, Split { pixels: images.pixels.into(), labels }))
    }

    /// Those that lie beside the files; of a published set its own; of EMNIST those of its mapping, a class and the
    /// letters it stands for a line, or, where that is missing, as it was published.
    fn class_names(&self) -> Result<Vec<String>, DataError> {
        let Some(part) = &self.emnist else {
            let beside = class_names::read(&self.folder)?;
            if !beside.is_empty() {
                return Ok(beside);
            }
            let of_torchvision = published::SETS.iter().find(|set| self.folder.ends_with(set.torchvision));
            let names = of_torchvision.map(|set| set.class_names).unwrap_or_default();
            return Ok(names.iter().map(|&name| name.to_owned()).collect());
        };
        let path = self.folder.join(format!("emnist-{part}-mapping.txt"));
        match reading::read_text(&path, 1 << 20) {
            Ok(text) => text.lines().map(|line| mapped(&path, line)).collect(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(alphabet(part)),
            Err(source) => Err(DataError::Io { path, source }),
        }
    }
}

/// The letters of a line `class code code …`.
fn mapped(path: &Path, line: &str) -> Result<String, DataError> {
    let codes = line.split_whitespace().skip(1).map(|code| code.parse().ok().and_then(char::from_u32));
    codes
        .collect::<Option<String>>()
        .filter(|name| !name.is_empty())
        .ok_or_else(|| refuse(path, format!("{line:?}, expected a class and the codes of its letters")))
}

fn alphabet(part: &str) -> Vec<String> {
    let letters = || 'A'..='Z';
    let each = |text: &str| text.chars().map(String::from).collect();
    match part {
        "letters" => letters().map(|letter| format!("{letter}{}", letter.to_ascii_lowercase())).collect(),
        "balanced" | "bymerge" => each("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt"),
        "byclass" => each("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
        _ => Vec::new(),
    }
}

/// Every image with its rows as columns.
fn transposed(pixels: &[u8], shape: ImageShape) -> Vec<u8> {
    let ImageShape { height, width, .. } = shape;
    let mut all = Vec::with_capacity(pixels.len());
    for image in pixels.chunks_exact(shape.pixels()) {
        for column in 0..width {
            all.extend((0..height).map(|row| image[row * width + column]));
        }
    }
    all
}
