//! CIFAR-10's binary version: `data_batch_1.bin` … `data_batch_5.bin` and `test_batch.bin` in a folder, or the archive
//! that holds them. A row is a label and a plane each of red, green and blue.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::checksum::Checksum;
use super::download::{self, Wanted};
use super::{DataError, ImageShape, Split, class_names, idx};
use crate::files::reading;

/// As on the command line; also the name of its folder.
pub const NAME: &str = "cifar10";
/// What it is, in a few words.
pub const MEANING: &str = "60,000 color pictures of 32×32 pixels, downloaded once.";
/// Shape of its images.
pub const IMAGE: ImageShape = ImageShape { height: 32, width: 32, channels: 3 };
/// What its classes are called.
pub const CLASS_NAMES: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];
/// Training and test images of the published set.
pub const ROWS: [usize; 2] = [50_000, 10_000];

/// The archive as published, by A. Krizhevsky ("Learning multiple layers of features from tiny images", 2009).
const ARCHIVE: &str = "cifar-10-binary.tar.gz";
const SHA256: &str = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd";
const MIRRORS: &[&str] = &["https://www.cs.toronto.edu/~kriz"];
/// The folder in the archive.
const UNPACKED: &str = "cifar-10-batches-bin";

const TRAIN: [&str; 5] =
    ["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"];
const TEST: &str = "test_batch.bin";
/// A class a line.
const NAMES: &str = "batches.meta.txt";

/// Bytes of a row: a label and the pixels.
const ROW: usize = 1 + IMAGE.values();
/// Rows of the 100-class kind have a second label.
const ROW_OF_100: usize = ROW + 1;
/// What its training images are in.
const TRAIN_OF_100: &str = "train.bin";
/// What is wrong with it.
const OF_100: &str = "is of CIFAR-100, which has 100 classes; expected data_batch_1.bin to data_batch_5.bin and test_batch.bin";
/// Much more than a published file has, of 30,730,000.
const MOST_BYTES: u64 = 1 << 28;

/// What the first published image begins with: its label and its red pixels, from the top left.
const FIRST: (u32, [u8; 8]) = (6, [59, 43, 50, 68, 98, 119, 139, 145]);

/// The set in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cifar10 {
    /// What to train on.
    pub train: Split,
    /// What to test on.
    pub test: Split,
    /// What the classes are called: as the files say, else [`CLASS_NAMES`].
    pub class_names: Vec<String>,
}

/// Reads the set from `folder` or its subfolder `cifar10`, where the archive is downloaded to if neither has it.
pub fn load(folder: &Path, progress: bool) -> Result<Cifar10, DataError> {
    from_mirrors(folder, &download::mirrors(NAME, MIRRORS), Checksum::Archive(SHA256), progress)
}

fn from_mirrors(
    folder: &Path,
    mirrors: &[String],
    checksum: Checksum,
    progress: bool,
) -> Result<Cifar10, DataError> {
    let own = folder.join(NAME);
    for folder in [&own, folder] {
        for folder in [folder, &folder.join(UNPACKED)] {
            for name in TRAIN.iter().chain([&TEST]) {
                if is_there(&folder.join(name))? {
                    return Files::of_folder(folder)?.read();
                }
            }
        }
        refuse_100(folder)?;
        let archive = folder.join(ARCHIVE);
        if is_there(&archive)? {
            return Files::of_archive(&archive)?.read();
        }
    }
    let by_hand = format!("{ARCHIVE}, or the .bin files in it,");
    let wanted = Wanted { name: ARCHIVE.to_owned(), checksum, by_hand };
    Files::of_archive(&download::fetch(&wanted, mirrors, &own, progress)?)?.read()
}

/// Refuses a folder that holds CIFAR-100's files themselves: whoever names it wants no download of other ones.
fn refuse_100(folder: &Path) -> Result<(), DataError> {
    let path = folder.join(TRAIN_OF_100);
    if !is_there(&path)? {
        return Ok(());
    }
    let bytes = fs::metadata(&path).map_err(|source| DataError::Io { path: path.clone(), source })?.len();
    match bytes > 0 && bytes.is_multiple_of(ROW_OF_100 as u64) {
        true => Err(DataError::Content { path, problem: OF_100.into() }),
        false => Ok(()),
    }
}

/// Whether there is such a file; an error is not absence.
fn is_there(path: &Path) -> Result<bool, DataError> {
    match fs::metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(false),
        Err(source) => Err(DataError::Io { path: path.to_owned(), source }),
    }
}

/// What to know beside figures of these training images: that they are not the published ones.
pub fn note(train: &Split) -> Option<String> {
    let (label, red) = FIRST;
    let pixels = train.image(0).unwrap_or_default().iter().step_by(IMAGE.channels).take(red.len());
    let published = train.len() == ROWS[0] && train.labels.first() == Some(&label) && pixels.copied().eq(red);
    (!published).then(|| {
        "the images are not CIFAR-10 as published, by their number or their first one: figures are of a copy"
            .to_owned()
    })
}

/// The contents of the files, with their paths for messages.
#[derive(Default)]
struct Files {
    /// Training batches in their order, then the test batch.
    batches: Vec<(PathBuf, Vec<u8>)>,
    names: Option<(PathBuf, Vec<u8>)>,
}

impl Files {
    fn of_folder(folder: &Path) -> Result<Files, DataError> {
        let read = |name: &str| {
            let path = folder.join(name);
            match reading::read(&path, MOST_BYTES) {
                Ok(bytes) => Ok((path, bytes)),
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    let problem =
                        format!("is missing; {} to {} and {TEST} belong together", TRAIN[0], TRAIN[4]);
                    Err(DataError::Content { path, problem })
                }
                Err(source) => Err(DataError::Io { path, source }),
            }
        };
        let batches = TRAIN.iter().chain([&TEST]).map(|name| read(name)).collect::<Result<_, _>>()?;
        let names = is_there(&folder.join(NAMES))?.then(|| read(NAMES)).transpose()?;
        Ok(Files { batches, names })
    }

    fn of_archive(path: &Path) -> Result<Files, DataError> {
        let refuse = |problem: String| DataError::Content { path: path.to_owned(), problem };
        let broken = |error: std::io::Error| refuse(format!("not a readable .tar.gz: {error}"));
        let (source, _) =
            idx::open(path).map_err(|source| DataError::Io { path: path.to_owned(), source })?;
        let mut archive = tar::Archive::new(source);
        let mut found: Vec<(PathBuf, Vec<u8>)> = Vec::new();
        let mut of_100 = false;
        for entry in archive.entries().map_err(broken)? {
            let entry = entry.map_err(broken)?;
            let name = entry.path().map_err(broken)?.file_name().unwrap_or_default().to_owned();
            of_100 |= name == *TRAIN_OF_100;
            if TRAIN.iter().chain([&TEST, &NAMES]).any(|wanted| name == **wanted) {
                if found.iter().any(|(path, _)| path.ends_with(&name)) {
                    return Err(refuse(format!("holds {} twice", name.display())));
                }
                let size = entry.size();
                let bytes = reading::read_all(entry, MOST_BYTES).map_err(broken)?;
                if bytes.len() as u64 != size {
                    return Err(refuse(format!("cut short within {}", name.display())));
                }
                found.push((path.join(name), bytes));
            }
        }
        let mut take = |name: &str| {
            let at = found.iter().position(|(path, _)| path.ends_with(name))?;
            Some(found.swap_remove(at))
        };
        let missing = |name: &str| match of_100 {
            true => refuse(OF_100.into()),
            false => refuse(format!("holds no {name}: it is not {ARCHIVE} as published")),
        };
        let batches = TRAIN
            .iter()
            .chain([&TEST])
            .map(|name| take(name).ok_or_else(|| missing(name)))
            .collect::<Result<_, _>>()?;
        Ok(Files { batches, names: take(NAMES) })
    }

    fn read(self) -> Result<Cifar10, DataError> {
        let (mut train, mut test) = (Split::default(), Split::default());
        for (index, (path, bytes)) in self.batches.iter().enumerate() {
            let split = if index < TRAIN.len() { &mut train } else { &mut test };
            append(split, bytes).map_err(|problem| DataError::Content { path: path.clone(), problem })?;
        }
        let class_names = match self.names {
            Some((path, text)) => named(&text).map_err(|problem| DataError::Content { path, problem })?,
            None => CLASS_NAMES.map(str::to_owned).to_vec(),
        };
        Ok(Cifar10 { train, test, class_names })
    }
}

/// Adds the rows of a file; an error is the problem found.
fn append(split: &mut Split, bytes: &[u8]) -> Result<(), String> {
    let found = bytes.len();
    if bytes.is_empty() || !found.is_multiple_of(ROW) {
        let kind = match !bytes.is_empty() && found.is_multiple_of(ROW_OF_100) {
            true => format!(": rows of {ROW_OF_100} are those of CIFAR-100, which has 100 classes"),
            false => "; it is cut short, or not the binary version".to_owned(),
        };
        return Err(format!("{found} bytes, expected rows of {ROW}, a label and 3 × 32 × 32 pixels{kind}"));
    }
    for (row, bytes) in bytes.chunks_exact(ROW).enumerate() {
        let Some((&label, pixels)) = bytes.split_first() else { continue };
        if usize::from(label) >= CLASS_NAMES.len() {
            return Err(format!("label {label} of image {row}, expected 0 to 9"));
        }
        split.labels.push(label.into());
        split.pixels.extend(IMAGE.interleaved(pixels));
    }
    Ok(())
}

/// The class names in a list of them; an error is the problem found.
fn named(text: &[u8]) -> Result<Vec<String>, String> {
    let text = String::from_utf8_lossy(text);
    let names: Vec<String> = text.trim_end().lines().map(|name| name.trim().to_owned()).collect();
    if names.len() != CLASS_NAMES.len() {
        return Err(format!("{} lines, expected a name for each of 10 classes", names.len()));
    }
    class_names::problem(&names).map_or(Ok(names), Err)
}

#[cfg(test)]
mod tests;
