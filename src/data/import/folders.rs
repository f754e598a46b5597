//! A folder for each class, with its pictures: `SOURCE/train/CLASS/*.png` and `SOURCE/test/CLASS/*.png`, or
//! `SOURCE/CLASS/*.png` alone.

use std::path::{Path, PathBuf};

use super::super::pictures::{self, Encoded};
use super::super::{DataError, ImageShape, Split};
use super::{Imported, Options, divide, entries, name, refuse};

const TRAIN: [&str; 2] = ["train", "training"];
const TEST: [&str; 5] = ["test", "testing", "val", "valid", "validation"];

/// Reads class folders.
pub fn read(source: &Path, options: &Options) -> Result<Imported, DataError> {
    let folders: Vec<PathBuf> = entries(source)?.into_iter().filter(|path| path.is_dir()).collect();
    let called = |names: &[&str]| {
        let wanted = |path: &&PathBuf| names.contains(&name(path).to_lowercase().as_str());
        folders.iter().find(wanted).cloned()
    };
    // The first of its names: test before validation.
    let test = TEST.iter().find_map(|test| called(&[test]));
    let train = called(&TRAIN);
    let root = train.as_deref().unwrap_or(source);
    let class_folders: Vec<PathBuf> = entries(root)?.into_iter().filter(|path| path.is_dir()).collect();
    let class_names: Vec<String> = class_folders.iter().map(|path| name(path)).collect();
    let is_name = |path: &&PathBuf| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.trim() == name)
    };
    if let Some(path) = class_folders.iter().find(|path| !is_name(path)) {
        return Err(refuse(path, "is no name of a class: spaces at an end, or letters that are not UTF-8"));
    }
    if class_names.len() < 2 {
        return Err(refuse(
            source,
            "holds no data that are known: expected folders of classes with .png or .jpg, .npz, .csv or IDX files",
        ));
    }
    let mut shape = options.size.or(options.fit.then_some(ImageShape::gray(28, 28)));
    let all = read_classes(&class_folders, &mut shape, options)?;
    let (train, test) = match test.filter(|_| train.is_some()) {
        None => divide(all, options.test_every),
        Some(test) => (all, read_classes(&same_classes(&test, &class_names)?, &mut shape, options)?),
    };
    let Some(shape) = shape else { return Err(refuse(source, "holds no .png, .jpg or .jpeg")) };
    let shape = ImageShape { channels: channels(options), ..shape };
    Ok(Imported { shape, class_names, train, test, notes: Vec::new() })
}

/// What a picture becomes: gray, or its red, green and blue.
fn channels(options: &Options) -> usize {
    if options.color { 3 } else { 1 }
}

/// The folders below `test` in the order of the classes; a class that training does not have is a mistake.
fn same_classes(test: &Path, class_names: &[String]) -> Result<Vec<PathBuf>, DataError> {
    for path in entries(test)?.iter().filter(|path| path.is_dir()) {
        if !class_names.contains(&name(path)) {
            return Err(refuse(
                path,
                format!("expected a class that training has: {}", class_names.join(", ")),
            ));
        }
    }
    Ok(class_names.iter().map(|class| test.join(class)).collect())
}

/// The pictures of folders, each folder a class; the first picture gives the size if nobody else does.
fn read_classes(
    folders: &[PathBuf],
    shape: &mut Option<ImageShape>,
    options: &Options,
) -> Result<Split, DataError> {
    let mut split = Split::default();
    for (class, folder) in folders.iter().enumerate() {
        if !folder.is_dir() {
            continue;
        }
        for path in pictures::list(folder)? {
            let encoded = Encoded::read(&path)?;
            let wanted = *shape.get_or_insert(encoded.shape);
            if options.size.is_none() && !options.fit && encoded.shape != wanted {
                return Err(refuse(
                    &path,
                    format!(
                        "{}×{} pixels, but others have {}×{}; --size {}x{} scales them, --fit cuts out their ink",
                        encoded.shape.height,
                        encoded.shape.width,
                        wanted.height,
                        wanted.width,
                        wanted.height,
                        wanted.width
                    ),
                ));
            }
            let picture = encoded.decode(channels(options))?;
            // Ink is light; `--invert` has to come before it is looked for.
            let picture = match (options.fit, options.invert) {
                (true, true) => picture.inverted().fitted(wanted).inverted(),
                (true, false) => picture.fitted(wanted),
                (false, _) => picture.resized(wanted),
            };
            split.pixels.extend(picture.pixels);
            split.labels.push(class as u32);
        }
    }
    Ok(split)
}
