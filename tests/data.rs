//! Data sets as a user of the library loads them.
#![allow(clippy::unwrap_used, missing_docs)]

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::{Compression, write::GzEncoder};
use forward_forward::data::{DataError, Dataset, ImageShape, Source};

/// An IDX file of bytes.
fn idx(sizes: &[u32], values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, sizes.len() as u8];
    bytes.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
    bytes.extend(values);
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Images whose pixels all equal their label, `count` of each class.
fn write(folder: &Path, names: [&str; 2], count: u32, side: u32, classes: u32) {
    let labels: Vec<u8> = (0..count * classes).map(|i| (i % classes) as u8).collect();
    let pixels: Vec<u8> = labels.iter().flat_map(|&label| vec![label; (side * side) as usize]).collect();
    let contents = [idx(&[count * classes, side, side], &pixels), idx(&[count * classes], &labels)];
    for (name, contents) in names.iter().zip(contents) {
        let contents = match name.ends_with(".gz") {
            true => gzip(&contents),
            false => contents,
        };
        fs::write(folder.join(name), contents).unwrap();
    }
}

const TRAIN: [&str; 2] = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"];
const TEST: [&str; 2] = ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

fn load(folder: &Path) -> Result<Dataset, DataError> {
    Dataset::load(&Source::Idx(folder.to_owned()), "", false)
}

/// The message of a folder that is right but for what `spoil` does to it.
fn spoilt(spoil: impl Fn(&Path)) -> String {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), TRAIN, 4, 3, 2);
    write(folder.path(), TEST, 1, 3, 2);
    load(folder.path()).unwrap();
    spoil(folder.path());
    let message = load(folder.path()).unwrap_err().to_string();
    assert!(!message.contains('\n'), "{message}");
    assert!(message.starts_with(&folder.path().display().to_string()), "{message}");
    message
}

#[test]
fn any_size_any_classes_any_spelling() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), ["train-images.idx3-ubyte", "train-labels-idx1-ubyte.gz"], 20, 14, 5);
    write(folder.path(), ["t10k-images.idx3-ubyte.gz", "t10k-labels.idx1-ubyte"], 2, 14, 5);
    let dataset = load(folder.path()).unwrap();
    assert_eq!(dataset.name, format!("idx:{}", folder.path().display()));
    assert_eq!((dataset.image, dataset.classes), (ImageShape::gray(14, 14), 5));
    assert_eq!((dataset.train.len(), dataset.test.len()), (100, 10));
    assert_eq!(dataset.features(), 196);
    assert_eq!(dataset.test.image(3), Some([3u8; 196].as_slice()));
    assert!(!dataset.train.is_empty());
    let info = dataset.describe();
    assert_eq!(info.train.per_class, [20; 5]);
    assert_eq!(info.train.mean_pixel, 2.0);
    assert_eq!(info.sha256.len(), 64);
}

#[test]
fn one_image_per_split_is_enough() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), TRAIN, 1, 1, 2);
    write(folder.path(), TEST, 1, 1, 1);
    assert_eq!(load(folder.path()).unwrap().classes, 2);
}

#[test]
fn every_missing_file_is_named() {
    for name in TRAIN.iter().chain(&TEST) {
        let message = spoilt(|folder| fs::remove_file(folder.join(name)).unwrap());
        let dotted = name.replace("-idx", ".idx");
        assert!(message.ends_with(&format!("no {name} or {dotted}, plain or .gz")), "{message}");
    }
    let message = load(Path::new("no/such/folder")).unwrap_err().to_string();
    assert!(message.starts_with("no/such/folder: no train-images"), "{message}");
}

#[test]
fn counts_that_differ() {
    let message =
        spoilt(|folder| fs::write(folder.join(TRAIN[1]), idx(&[7], &[0, 1, 0, 1, 0, 1, 0])).unwrap());
    assert!(
        message.contains("train-labels-idx1-ubyte: 7 labels, expected 8 as there are images in"),
        "{message}"
    );
}

#[test]
fn sizes_that_differ() {
    let message = spoilt(|folder| fs::write(folder.join(TEST[0]), idx(&[2, 9, 1], &[0; 18])).unwrap());
    assert!(message.contains("t10k-images-idx3-ubyte: images are 9×1, expected 3×3 as in"), "{message}");
}

#[test]
fn one_class_is_too_few_and_a_thousand_are_the_most() {
    let message = spoilt(|folder| {
        write(folder, TRAIN, 4, 3, 1);
        write(folder, TEST, 4, 3, 1);
    });
    assert!(message.ends_with("every label is 0, expected at least 2 classes"), "{message}");
    let i16_labels = |labels: [u16; 2]| {
        let values = labels.map(u16::to_be_bytes).concat();
        [&[0, 0, 0x0b, 1, 0, 0, 0, 2], values.as_slice()].concat()
    };
    let message = spoilt(|folder| fs::write(folder.join(TEST[1]), i16_labels([0, 1000])).unwrap());
    assert!(
        message.ends_with("t10k-labels-idx1-ubyte: label 1000 of image 1, expected 0 to 999"),
        "{message}"
    );
    let message = spoilt(|folder| fs::write(folder.join(TEST[1]), i16_labels([0xffff, 0])).unwrap());
    assert!(message.ends_with("label -1, expected 0 or above"), "{message}");
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), TRAIN, 1, 3, 2);
    write(folder.path(), TEST, 1, 3, 2);
    for labels in [TRAIN[1], TEST[1]] {
        fs::write(folder.path().join(labels), i16_labels([0, 999])).unwrap();
    }
    assert_eq!(load(folder.path()).unwrap().classes, 1000);
}

#[test]
fn images_and_labels_swapped_or_corrupt() {
    let message = spoilt(|folder| {
        fs::copy(folder.join(TRAIN[0]), folder.join(TRAIN[1])).unwrap();
    });
    assert!(message.contains("magic number is 0x00000803, expected 0x00000801"), "{message}");
    let message = spoilt(|folder| {
        let mut bytes = gzip(&fs::read(folder.join(TEST[0])).unwrap());
        let crc = bytes.len() - 8;
        bytes[crc] ^= 1;
        fs::write(folder.join(TEST[0]), bytes).unwrap();
    });
    assert!(message.contains("t10k-images-idx3-ubyte: corrupt gzip: "), "{message}");
}

#[test]
fn info_tells_data_apart_and_serializes() {
    let digits = Dataset::load(&Source::Digits, "", false).unwrap();
    let info = digits.describe();
    assert_eq!(info.train.count + info.test.count, 1797);
    let json = serde_json::to_value(&info).unwrap();
    assert_eq!(json["height"], 8);
    assert_eq!(json["test"]["per_class"].as_array().unwrap().len(), 10);
    let mut other = digits.clone();
    other.test.labels[0] ^= 1;
    assert_ne!(other.describe().sha256, info.sha256);
}

#[test]
fn mnist() {
    if std::env::var_os("FF_DATA_DIR").is_none() {
        // Not eprintln!, which the test harness hides.
        writeln!(std::io::stderr(), "skipped: FF_DATA_DIR not set").unwrap();
        return;
    }
    let mnist = Dataset::load(&Source::MNIST, "", false).unwrap();
    assert_eq!((mnist.image, mnist.classes), (ImageShape::gray(28, 28), 10));
    assert_eq!((mnist.train.len(), mnist.test.len()), (60_000, 10_000));
    assert_eq!(mnist.train.labels[..5], [5, 0, 4, 1, 9]);
    assert_eq!(mnist.test.labels[..5], [7, 2, 1, 0, 4]);
    assert!(mnist.train.blank_under_label(10));
    let info = mnist.describe();
    assert_eq!(info.test.per_class, [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
    assert!((info.train.mean_pixel / 255.0 - 0.1307).abs() < 1e-4);
}
