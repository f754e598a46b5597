//! IDX folders: any shape trains, and what is broken is named.

use std::fs;

use crate::idx::{self, FILES, write_set};
use crate::place::Place;

const TRAIN: &str = "train 100 100 --dataset idx:set --num-epochs 10 --backend cpu --log-dir run";

#[test]
fn images_of_14_by_14_in_5_classes() {
    let place = Place::new();
    write_set(&place.at("set"), 14, 5, 3000, 100);
    let summary = place.json(&format!("{TRAIN} --json"));
    assert_eq!(summary["classes"], 5);
    let accuracy = summary["test_accuracy"].as_f64().unwrap();
    assert!(accuracy > 0.9, "{accuracy}");
    let report = place.json("eval run --json");
    assert_eq!(report["accuracy"], summary["test_accuracy"]);
    assert_eq!(report["confusion_matrix"], summary["confusion_matrix"]);
    assert_eq!(report["total"], 100);
    assert_eq!(report["class_accuracy"].as_array().unwrap().len(), 5);
    // The first row is blank, so the label lies over it.
    assert_eq!(place.config("run")["network"]["label"].as_str(), Some("overlay"));
}

#[test]
fn labels_go_before_images_that_are_not_blank_under_them() {
    let place = Place::new();
    place.done("train 12 --dataset digits --num-epochs 1 --backend cpu --log-dir run");
    assert_eq!(place.config("run")["network"]["label"].as_str(), Some("prepend"));
}

/// The message about a set that is right but for one file.
fn spoilt(file: usize, spoil: impl Fn(&mut Vec<u8>)) -> String {
    let place = Place::new();
    write_set(&place.at("set"), 14, 5, 200, 50);
    let path = place.at("set").join(FILES[file]);
    let mut bytes = fs::read(&path).unwrap();
    spoil(&mut bytes);
    fs::write(&path, bytes).unwrap();
    let message = place.refused(TRAIN);
    assert!(message.contains(FILES[file]), "{message} does not name {}", FILES[file]);
    assert_eq!(place.refused("data info idx:set"), message);
    message
}

#[test]
fn broken_files_are_named() {
    for file in 0..4 {
        spoilt(file, |bytes| bytes.truncate(bytes.len() - 1));
        spoilt(file, |bytes| bytes.truncate(3));
        spoilt(file, Vec::clear);
        spoilt(file, |bytes| bytes.push(0));
        spoilt(file, |bytes| bytes[2] = 9);
        // A gzip header with nothing in it.
        spoilt(file, |bytes| *bytes = vec![0x1f, 0x8b, 8, 0]);
    }
    assert!(spoilt(0, |bytes| bytes[3] = 1).contains("magic number is 0x00000801, expected 0x00000803"));
}

#[test]
fn sizes_that_no_file_can_have() {
    let message = spoilt(0, |bytes| bytes[4..16].fill(0xff));
    assert!(message.contains("4294967295"), "{message}");
    spoilt(2, |bytes| bytes[8..12].fill(0));
}

#[test]
fn counts_and_labels_that_do_not_fit() {
    let message = spoilt(1, |bytes| *bytes = idx::file(&[199], &[0; 199]));
    assert!(message.contains("199 labels, expected 200"), "{message}");
    let message = spoilt(3, |bytes| {
        *bytes = [&[0, 0, 0x0b, 1, 0, 0, 0, 50], [0xff, 0xff].repeat(50).as_slice()].concat();
    });
    assert!(message.contains("label -1, expected 0 or above"), "{message}");
    let message = spoilt(3, |bytes| {
        *bytes = [&[0, 0, 0x0b, 1, 0, 0, 0, 50], [0x7f, 0xff].repeat(50).as_slice()].concat();
    });
    assert!(message.contains("label 32767"), "{message}");
}

#[test]
fn a_file_that_is_not_there() {
    for file in FILES {
        let place = Place::new();
        write_set(&place.at("set"), 14, 5, 200, 50);
        fs::remove_file(place.at("set").join(file)).unwrap();
        assert!(place.refused(TRAIN).contains(file));
    }
}

#[test]
fn test_labels_that_training_never_shows() {
    let message = spoilt(3, |bytes| bytes[8 + 7] = 255);
    assert!(message.contains("label 255 of image 7, expected one that a training image has"), "{message}");
}

#[test]
fn classes_without_a_training_image_are_told() {
    let place = Place::new();
    write_set(&place.at("set"), 14, 5, 200, 50);
    let told = place.done("data info idx:set").stdout;
    assert!(!told.contains("warning"), "{told}");
    let path = place.at("set").join(FILES[1]);
    let mut bytes = fs::read(&path).unwrap();
    bytes[8] = 99;
    fs::write(&path, bytes).unwrap();
    let told = place.done("data info idx:set").stdout;
    let warning = "warning: 94 of the 100 classes have no training image, 5 to 98";
    assert!(told.contains(warning), "{told}");
    let told = place.done(TRAIN).stderr;
    assert!(told.contains(warning), "{told}");
}
