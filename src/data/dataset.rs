//! A data set in memory, from whichever source.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::checksum::Checksum;
use super::cifar10::{self, Cifar10};
use super::class_names::{self, MOST_CLASSES};
use super::download::Wanted;
use super::idx::{self, Idx, Images, Kind, Opened};
use super::published::{self, Published, PublishedFile};
use super::{DataError, ImageShape, Source, Split, digits, download};

/// Images to train on and images to test on, all of one size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    /// As on the command line.
    pub name: String,
    /// Shape of every image.
    pub image: ImageShape,
    /// Number of classes; every label is below it.
    pub classes: usize,
    /// What the classes are called, one name each; empty where their numbers are their names.
    pub class_names: Vec<String>,
    /// What to train on.
    pub train: Split,
    /// What to test on.
    pub test: Split,
}

impl Dataset {
    /// Reads a data set, after downloading it if its files are in none of: the folder `data_dir`
    /// (empty: `FF_DATA_DIR`, else the platform's cache), its subfolder with the set's name, or the one
    /// where torchvision keeps them.
    pub fn load(source: &Source, data_dir: &str, progress: bool) -> Result<Self, DataError> {
        match source {
            Source::Digits => Ok(embedded()),
            Source::Cifar10 => cifar10::load(&download::folder(data_dir)?, progress).map(colored),
            Source::Idx(folder) => from_folder(source, folder),
            Source::Published(set) => from_published(
                set,
                &download::folder(data_dir)?,
                &download::mirrors(set.name, set.mirrors),
                progress,
            ),
        }
    }

    /// Values per image.
    pub fn features(&self) -> usize {
        self.image.values()
    }
}

/// The digits that are part of the program.
fn embedded() -> Dataset {
    let (train, test) = digits::load();
    let image = ImageShape::gray(digits::SIDE, digits::SIDE);
    let class_names = Vec::new();
    Dataset { name: "digits".to_owned(), image, classes: digits::CLASSES, class_names, train, test }
}

/// CIFAR-10.
fn colored(read: Cifar10) -> Dataset {
    let Cifar10 { train, test, class_names } = read;
    let classes = cifar10::CLASS_NAMES.len();
    Dataset { name: cifar10::NAME.to_owned(), image: cifar10::IMAGE, classes, class_names, train, test }
}

/// Four files by their standard names, of any size, channels and number of classes; in `classes.txt` beside them, if it is
/// there, a name for each class.
fn from_folder(source: &Source, folder: &Path) -> Result<Dataset, DataError> {
    let open = |stem, kind| match find_idx(folder, stem)? {
        Some(path) => Opened::open(&path, kind),
        None => Err(DataError::Missing {
            folder: folder.to_owned(),
            names: format!("{stem} or {}", idx::dotted(stem)),
            hint: elsewhere(folder),
        }),
    };
    let [train_images, train_labels, test_images, test_labels] = published::STEMS;
    let files = Files {
        train_images: open(train_images, Kind::Images)?,
        train_labels: open(train_labels, Kind::Labels)?,
        test_images: open(test_images, Kind::Images)?,
        test_labels: open(test_labels, Kind::Labels)?,
    };
    let class_names = class_names::read(folder)?;
    let limit = if class_names.is_empty() { MOST_CLASSES } else { class_names.len() };
    let test_labels = files.test_labels.path.clone();
    let mut dataset = files.read(source.to_string(), limit)?;
    dataset.classes = match class_names.len() {
        0 => dataset.train.labels.iter().max().map_or(0, |&highest| highest as usize + 1),
        named => named,
    };
    dataset.class_names = class_names;
    refuse_untaught(&dataset, test_labels)?;
    if dataset.classes < 2 {
        return Err(DataError::Content {
            path: folder.to_owned(),
            problem: "every label is 0, expected at least 2 classes".to_owned(),
        });
    }
    Ok(dataset)
}

/// The file by its standard name, or by the one that four dimensions have.
fn find_idx(folder: &Path, stem: &str) -> Result<Option<PathBuf>, DataError> {
    match idx::find(folder, stem)? {
        None => idx::find(folder, &published::with_channels(stem)),
        found => Ok(found),
    }
}

/// What lies in a folder in the place of the four files; as the end of a message.
fn elsewhere(folder: &Path) -> String {
    let torchvision =
        published::SETS.iter().map(|set| set.torchvision).chain(["raw", "EMNIST/raw", "QMNIST/raw"]);
    for below in torchvision {
        if folder.join(below).is_dir() {
            return format!("; torchvision's files are in {}", folder.join(below).display());
        }
    }
    let names = || std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let import = "`ff data import` makes IDX files of it";
    for name in names() {
        let name = name.to_string_lossy();
        for family in ["emnist", "qmnist", "kmnist", "k49"] {
            if name.starts_with(family) {
                return format!("; {name} is of {}: {import}", family.to_uppercase());
            }
        }
        if [".csv", ".npz"].iter().any(|ending| name.ends_with(ending)) || folder.join(&*name).is_dir() {
            return format!("; {name} is there: {import}, if it holds the data");
        }
    }
    String::new()
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

/// A published set in `folder`, in the subfolder with its name, which missing files are downloaded to, or in
/// torchvision's.
fn from_published(
    set: &Published,
    folder: &Path,
    mirrors: &[String],
    progress: bool,
) -> Result<Dataset, DataError> {
    let own = folder.join(set.name);
    let torchvision = folder.join(set.torchvision);
    let read = |file: &PublishedFile| match local(set, file, &[&own, folder, &torchvision])? {
        Some(found) => Ok(found),
        None => {
            let wanted = Wanted {
                name: format!("{}.gz", file.stem),
                checksum: file.checksum,
                by_hand: format!("the IDX files of {} (plain or .gz)", set.name),
            };
            let path = download::fetch(&wanted, mirrors, &own, progress)?;
            let found = sized(file, Opened::open(&path, file.kind)?)?.read()?;
            checked(set, file, &found.sha256(), found)
        }
    };
    let [train_images, train_labels, test_images, test_labels] = &set.files;
    // Labels first: they are small, and tell one set from another.
    let (train_labels, test_labels) = (read(train_labels)?, read(test_labels)?);
    let (train_images, test_images) = (read(train_images)?, read(test_images)?);
    let mut dataset = join(
        [train_images, train_labels, test_images, test_labels],
        set.name.to_owned(),
        published::CLASSES,
    )?;
    dataset.class_names = set.class_names.iter().map(|&name| name.to_owned()).collect();
    Ok(dataset)
}

/// A published file in the first of `folders` that has it.
fn local(set: &Published, file: &PublishedFile, folders: &[&Path]) -> Result<Option<Idx>, DataError> {
    for folder in folders {
        let Some(path) = idx::find(folder, file.stem)? else {
            continue;
        };
        let found = sized(file, Opened::open(&path, file.kind)?)?.read()?;
        // Other sets use the same names: in a folder that is not this set's own, their files may
        // well be there, and do not matter.
        let own = folder.ends_with(set.name) || folder.ends_with(set.torchvision);
        let sha256 = found.sha256();
        if own || owner(set, file, &sha256).is_none() {
            return checked(set, file, &sha256, found).map(Some);
        }
    }
    Ok(None)
}

/// The file again, if it has the published sizes; its values are not read for that.
fn sized(file: &PublishedFile, found: Opened) -> Result<Opened, DataError> {
    match found.sizes() == file.sizes {
        true => Ok(found),
        false => Err(found.error(format!(
            "sizes are {}, expected {}",
            idx::times(found.sizes()),
            idx::times(file.sizes)
        ))),
    }
}

/// The file again, whose contents have this checksum, if it is what was published. One whose contents' checksum nobody
/// published is known by the other three.
fn checked(set: &Published, file: &PublishedFile, sha256: &str, found: Idx) -> Result<Idx, DataError> {
    if let Some(owner) = owner(set, file, sha256) {
        return Err(found.error(format!("belongs to {owner}, expected {}", set.name)));
    }
    if let Checksum::Contents(expected) = file.checksum
        && sha256 != expected
    {
        return Err(DataError::Checksum {
            path: found.path,
            expected: expected.to_owned(),
            found: sha256.to_owned(),
        });
    }
    Ok(found)
}

/// The other published set that a file with this checksum is known to belong to, unless it is this set's too.
fn owner(set: &Published, file: &PublishedFile, sha256: &str) -> Option<&'static str> {
    let known = Checksum::Contents(sha256);
    let others = published::SETS.iter().filter(|other| other.name != set.name && file.checksum != known);
    others
        .filter(|other| other.files.iter().any(|file| file.checksum == known))
        .map(|other| other.name)
        .next()
}

/// The four files of a data set, opened: their headers are checked against each other before anything else is
/// read.
struct Files {
    train_images: Opened,
    train_labels: Opened,
    test_images: Opened,
    test_labels: Opened,
}

impl Files {
    /// Reads the files; labels have to be below `classes`.
    fn read(self, name: String, classes: usize) -> Result<Dataset, DataError> {
        let Files { train_images, train_labels, test_images, test_labels } = self;
        for (images, labels) in [(&train_images, &train_labels), (&test_images, &test_labels)] {
            let (count, expected) = (labels.sizes().first(), images.sizes().first());
            if let (Some(count), Some(expected), true) = (count, expected, count != expected) {
                // Who takes other files for images does not expect channels.
                let color = images.image().filter(|image| image.channels > 1);
                let color = color.map_or(String::new(), |image| format!(", of four dimensions: {image}"));
                return Err(labels.error(format!(
                    "{count} labels, expected {expected} as there are images in {}{color}",
                    images.path.display()
                )));
            }
        }
        if let (Some(found), Some(expected)) = (test_images.image(), train_images.image())
            && found != expected
        {
            let path = train_images.path.display();
            return Err(test_images.error(format!("images are {found}, expected {expected} as in {path}")));
        }
        // Labels first: they are small, and a wrong one is found before images are read.
        let (train_labels, test_labels) = (train_labels.read()?, test_labels.read()?);
        join([train_images.read()?, train_labels, test_images.read()?, test_labels], name, classes)
    }
}

/// A data set of four files, training before test, images before labels; their sizes fit.
fn join(files: [Idx; 4], name: String, classes: usize) -> Result<Dataset, DataError> {
    let [train_images, train_labels, test_images, test_labels] = files;
    let (image, train) = pair(train_images, train_labels, classes)?;
    let (_, test) = pair(test_images, test_labels, classes)?;
    Ok(Dataset { name, image, classes, class_names: Vec::new(), train, test })
}

/// Images with as many labels, each below `classes`.
fn pair(images: Idx, labels: Idx, classes: usize) -> Result<(ImageShape, Split), DataError> {
    let path = labels.path.clone();
    let labels = labels.into_labels()?;
    if let Some(row) = labels.iter().position(|&label| label as usize >= classes) {
        let problem = format!(
            "label {} of image {row}, expected 0 to {}",
            labels.get(row).copied().unwrap_or_default(),
            classes - 1
        );
        return Err(DataError::Content { path, problem });
    }
    let Images { image, pixels, .. } = images.into_images()?;
    Ok((image, Split { pixels: pixels.into(), labels }))
}

#[cfg(test)]
mod tests;
