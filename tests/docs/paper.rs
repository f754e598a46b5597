//! `scripts/paper.py` runs every experiment of the paper, once, and names what fails.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::SystemTime;

use crate::at;
use crate::venv;

/// What the script needs of the project, in a folder of its own.
fn copy() -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for folder in ["scripts", "experiments/paper"] {
        fs::create_dir_all(copy.path().join(folder)).unwrap();
        for entry in fs::read_dir(at(folder)).unwrap().map(Result::unwrap) {
            if entry.path().is_file() {
                fs::copy(entry.path(), copy.path().join(folder).join(entry.file_name())).unwrap();
            }
        }
    }
    copy
}

fn run(python: &Path, root: &Path, program: &Path, options: &str) -> Output {
    let mut command = Command::new(python);
    command.arg(root.join("scripts/paper.py")).args(options.split_whitespace()).env("FF", program);
    command.env("FF_CIFAR_DIR", root.join("nowhere")).output().unwrap()
}

/// The rows of results.csv, by their names; a row is its fields by their columns.
fn results(root: &Path, runs: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(root.join("runs").join(runs).join("results.csv")).unwrap();
    let rows = reader.deserialize().map(|row| row.unwrap());
    rows.map(|row: BTreeMap<String, String>| (row["row"].clone(), row)).collect()
}

/// When each checkpoint was written.
fn checkpoints(folder: &Path) -> BTreeMap<PathBuf, SystemTime> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(checkpoints(&path));
        } else if path.ends_with("last.safetensors") {
            found.insert(path, entry.metadata().unwrap().modified().unwrap());
        }
    }
    found
}

#[test]
fn every_experiment_of_the_paper_runs_once() {
    let Some(python) = venv::python("numpy") else { return };
    let program = Path::new(env!("CARGO_BIN_EXE_ff"));
    let copy = copy();
    let root = copy.path();
    let first = run(&python, root, program, "--size tiny");
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
    let rows = results(root, "paper-tiny");
    for (section, experiments) in [("3.1", 1), ("3.2", 2), ("3.3", 3), ("3.4", 1), ("4", 3), ("5", 3)] {
        assert_eq!(rows.values().filter(|row| row["section"] == section).count(), experiments, "{section}");
    }
    for (name, row) in &rows {
        let error: f64 = row["ours %"].parse().unwrap();
        assert!((0.0..=100.0).contains(&error), "{name}: {error}");
        assert_eq!((row["epochs"].as_str(), row["seeds"].as_str()), ("1", "1"), "{name}");
        assert!(row["command"].starts_with("ff "), "{name}");
    }
    // What a row says is what its run says.
    let summary = fs::read_to_string(root.join("runs/paper-tiny/supervised/1/summary.json")).unwrap();
    let accuracy =
        serde_json::from_str::<serde_json::Value>(&summary).unwrap()["test_accuracy"].as_f64().unwrap();
    assert_eq!(rows["supervised"]["ours %"], format!("{:.2}", 100.0 - 100.0 * accuracy));
    // One for each row of its own, for each cell of two sweeps.
    let trained = checkpoints(&root.join("runs"));
    assert_eq!(trained.len(), 13, "{trained:?}");

    // The same again trains nothing.
    let second = run(&python, root, program, "--size tiny");
    assert!(second.status.success(), "{}", String::from_utf8_lossy(&second.stderr));
    assert_eq!(results(root, "paper-tiny"), rows);
    assert_eq!(checkpoints(&root.join("runs")), trained);

    // More seeds go on from those that there are.
    let more = run(&python, root, program, "--size tiny --seeds 2");
    assert!(more.status.success(), "{}", String::from_utf8_lossy(&more.stderr));
    let two = results(root, "paper-tiny");
    assert!(two.values().all(|row| row["seeds"] == "2"), "{two:?}");
    let both = checkpoints(&root.join("runs"));
    assert_eq!(both.len(), 26);
    assert!(trained.iter().all(|(path, written)| both.get(path) == Some(written)));

    // A command that is wrong is named; the rows after it keep their results.
    let script = root.join("scripts/paper.py");
    let text = fs::read_to_string(&script).unwrap();
    let changed = text.replacen("train --recipe unsupervised", "train --recipe unsupervized", 1);
    assert_ne!(text, changed);
    fs::write(&script, changed).unwrap();
    let broken = run(&python, root, program, "--size tiny");
    let said = String::from_utf8_lossy(&broken.stderr);
    assert_eq!(broken.status.code(), Some(1), "{said}");
    assert_eq!(said.lines().last(), Some("paper.py: failed: unsupervised"));
    let (mut before, mut after) = (rows, results(root, "paper-tiny"));
    assert!(before.remove("unsupervised").is_some());
    assert_eq!(after.remove("unsupervised").unwrap()["note"], "failed");
    assert_eq!(after, before);
}

#[test]
fn without_cifar_10_its_rows_say_that_they_are_skipped() {
    let Some(python) = venv::python("numpy") else { return };
    let copy = copy();
    // A program that does nothing: all other rows fail.
    let ended = run(&python, copy.path(), Path::new("false"), "--size small");
    assert_eq!(ended.status.code(), Some(1));
    for (name, row) in results(copy.path(), "paper") {
        let note = if row["section"] == "4" { "skipped: no CIFAR-10 here" } else { "failed" };
        assert!(row["note"].starts_with(note), "{name}: {}", row["note"]);
        assert_eq!(row["ours %"], "", "{name}");
    }
    let table = String::from_utf8(ended.stdout).unwrap();
    assert_eq!(table.matches("skipped: no CIFAR-10").count(), 3, "{table}");
}
