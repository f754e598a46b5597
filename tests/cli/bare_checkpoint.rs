//! Someone else's checkpoint: tensors `layers.*` and nothing more, written by Python.
//!
//! Needs `.venv` with `tests/python/requirements.txt`.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::idx::write_set;
use crate::place::Place;
use crate::venv;

/// Strips a trained checkpoint to bare layers in Python, which also measures them its own way.
fn measured_by_python(python: &Path, place: &Place, set: &Path) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/bare_checkpoint.py");
    let mut command = Command::new(python);
    command.arg(script).args([
        place.at("run/checkpoints/last.safetensors").as_path(),
        place.at("bare.safetensors").as_path(),
        set,
    ]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A prediction may tip over where two labels are equal to the last bit.
fn assert_near(report: &Value, expected: &Value) {
    assert_eq!(report["total"], expected["total"]);
    let correct = |value: &Value| value["correct"].as_i64().unwrap();
    assert!((correct(report) - correct(expected)).abs() <= 1, "{report} {expected}");
}

#[test]
fn the_originals_evaluation() {
    let Some(python) = venv::python("numpy, safetensors") else { return };
    let place = Place::new();
    let set = place.at("set");
    write_set(&set, 14, 5, 3000, 200);
    place.done(
        "train 30 20 25 --recipe original --dataset idx:set --num-epochs 4 --backend cpu --log-dir run",
    );
    let expected = measured_by_python(&python, &place, &set);
    let report = place.json("eval bare.safetensors --recipe original --dataset idx:set --backend cpu --json");
    assert_near(&report, &expected);
    assert!(expected["correct"].as_i64() > Some(80), "too near to chance to prove anything: {expected}");

    // Layers that do not fit the data or each other.
    let message = place.refused("eval bare.safetensors --recipe original --dataset digits --backend cpu");
    assert!(message.contains("layers.0.weight is 196×30"), "{message}");
}

#[test]
fn the_originals_evaluation_on_mnist() {
    let Some(data) = crate::mnist::folder() else { return };
    let Some(python) = venv::python("numpy, safetensors") else { return };
    let place = Place::new();
    let folder = data.display();
    place.done(&format!(
        "train 60 50 40 --recipe original --data-dir {folder} --num-epochs 1 --backend cpu --log-dir run"
    ));
    let expected = measured_by_python(&python, &place, &data);
    let report = place.json(&format!(
        "eval bare.safetensors --recipe original --dataset mnist --data-dir {folder} --backend cpu --json"
    ));
    assert_near(&report, &expected);
}
