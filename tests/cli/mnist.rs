//! MNIST itself, where `FF_DATA_DIR` says that it is.

use std::io::Write;
use std::path::PathBuf;

use crate::place::Place;

/// The folder of MNIST's files; without it the test says that it was skipped.
pub fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("FF_DATA_DIR").map(PathBuf::from);
    if folder.is_none() {
        // Not eprintln!, which the test harness hides.
        let _ = writeln!(std::io::stderr(), "skipped: FF_DATA_DIR not set");
    }
    folder.map(|folder| std::path::absolute(folder).unwrap())
}

#[test]
fn one_epoch_learns_most_of_it() {
    let Some(data) = folder() else { return };
    let place = Place::new();
    let summary = place.json(&format!(
        "train 200 200 --recipe contrast --data-dir {} --num-epochs 1 --backend cpu --log-dir run --json --quiet",
        data.display()
    ));
    assert_eq!(summary["dataset"], "mnist");
    let accuracy = summary["test_accuracy"].as_f64().unwrap();
    assert!(accuracy > 0.9, "{accuracy}");
    assert_eq!(place.config("run")["network"]["label"].as_str(), Some("overlay"));
}

#[test]
fn the_folder_may_come_from_the_environment() {
    let Some(data) = folder() else { return };
    let place = Place::new();
    let mut program = place.program();
    let output = program.env("FF_DATA_DIR", data).args(["data", "info"]).output().unwrap();
    assert!(output.status.success());
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("mnist: 28×28 pixels, 10 classes"));
}

/// Held-out hybrids are told from images nearly as well as those trained on; equals never could be.
#[test]
fn hybrids_are_held_out_too() {
    let Some(data) = folder() else { return };
    let place = Place::new();
    let summary = place.json(&format!(
        "train 100 50 --recipe unsupervised --data-dir {} --num-epochs 1 --backend cpu --log-dir run --json --quiet",
        data.display()
    ));
    let layer = &summary["layers"][0];
    let (train, val) = (layer["train_loss"].as_f64().unwrap(), layer["val_loss"].as_f64().unwrap());
    assert!(val < train, "{val} after the epoch, {train} on average in it");
}
