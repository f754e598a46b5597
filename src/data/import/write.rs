//! A folder of IDX files, there whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::super::class_names;
use super::super::published::{STEMS, with_channels};
use super::super::{DataError, Dataset, ImageShape, Split};
use super::refuse;
use crate::files::temporary;

/// Refuses a folder that is something already.
pub fn refuse_taken(folder: &Path) -> Result<(), DataError> {
    match fs::read_dir(folder) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(refuse(folder, "is not empty; name a folder that is, or is not there")),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(DataError::Io { path: folder.to_owned(), source }),
    }
}

/// Writes a data set under MNIST's names, and its class names: into a folder beside, which is then moved into
/// place.
pub fn write(dataset: &Dataset, folder: &Path) -> Result<(), DataError> {
    refuse_taken(folder)?;
    let failed = |source| DataError::Io { path: folder.to_owned(), source };
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(failed)?;
    let partial = beside(parent);
    fs::create_dir(&partial).map_err(failed)?;
    let written = write_files(dataset, &partial).and_then(|()| fs::rename(&partial, folder));
    if written.is_err() {
        // Nothing of the attempt stays; the error that matters is the first.
        let _ = fs::remove_dir_all(&partial);
    }
    written.and_then(|()| File::open(parent)?.sync_all()).map_err(failed)
}

/// A name that nobody else uses.
fn beside(parent: &Path) -> PathBuf {
    let time = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    parent.join(format!("{}{}-{}", temporary::PREFIX, std::process::id(), time.as_nanos()))
}

fn write_files(dataset: &Dataset, folder: &Path) -> io::Result<()> {
    let [train_images, train_labels, test_images, test_labels] = STEMS;
    for (split, images, labels) in
        [(&dataset.train, train_images, train_labels), (&dataset.test, test_images, test_labels)]
    {
        let images = if dataset.image.channels == 1 { images.to_owned() } else { with_channels(images) };
        write_images(dataset, split, &folder.join(images))?;
        write_labels(split, &folder.join(labels))?;
    }
    if !dataset.class_names.is_empty() {
        let text = dataset.class_names.iter().map(|name| format!("{name}\n")).collect::<String>();
        write_file(&folder.join(class_names::FILE), |file| file.write_all(text.as_bytes()))?;
    }
    File::open(folder)?.sync_all()
}

fn write_images(dataset: &Dataset, split: &Split, path: &Path) -> io::Result<()> {
    let ImageShape { height, width, channels } = dataset.image;
    let mut sizes = vec![split.len(), height, width];
    if channels > 1 {
        sizes.push(channels);
    }
    write_file(path, |file| {
        file.write_all(&[0, 0, 8, sizes.len() as u8])?;
        for size in sizes {
            file.write_all(&(size as u32).to_be_bytes())?;
        }
        file.write_all(&split.pixels)
    })
}

/// Labels as bytes, or, where there are more than 256 classes, as 16-bit numbers.
fn write_labels(split: &Split, path: &Path) -> io::Result<()> {
    let wide = split.labels.iter().any(|&label| label > 255);
    write_file(path, |file| {
        file.write_all(&[0, 0, if wide { 0x0b } else { 8 }, 1])?;
        file.write_all(&(split.len() as u32).to_be_bytes())?;
        for &label in &split.labels {
            match wide {
                true => file.write_all(&(label as u16).to_be_bytes())?,
                false => file.write_all(&[label as u8])?,
            }
        }
        Ok(())
    })
}

fn write_file(path: &Path, contents: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> io::Result<()> {
    let mut file = BufWriter::new(File::create_new(path)?);
    contents(&mut file)?;
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
}
