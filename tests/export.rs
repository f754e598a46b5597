//! Runs in the programs that other groups look at theirs with: MLflow, Weights & Biases.
//!
//! Needs `.venv` with those programs, which tests/python/requirements.txt leaves out for their size; without them a
//! test says that it was skipped.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "python/venv.rs"]
mod venv;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A folder with a run of two epochs.
fn place() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    let line = "train 8 --dataset digits --num-epochs 2 --backend cpu --quiet --log-dir runs/a --name first";
    let status =
        Command::new(env!("CARGO_BIN_EXE_ff")).current_dir(&place).args(line.split(' ')).status().unwrap();
    assert!(status.success());
    place
}

/// Runs a script where `ff` is the program of this test.
fn python(python: &PathBuf, place: &Path, arguments: &[&str]) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_ff")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new(python);
    command.current_dir(place).env("PATH", path).env("HOME", place);
    command.env("MLFLOW_TRACKING_URI", format!("sqlite:///{}/mlflow.db", place.display()));
    let output = command.args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

#[test]
fn mlflow_reads_knobs_and_epochs() {
    let Some(program) = venv::optional("mlflow") else { return };
    let place = place();
    let script = root().join("scripts/to_mlflow.py");
    python(&program, place.path(), &[script.to_str().unwrap(), "runs"]);
    let look = "import mlflow, json; c = mlflow.MlflowClient(); r = c.search_runs(['0'])[0]; \
                print(json.dumps([r.info.run_name, r.data.params['training.num_epochs'], \
                [m.value for m in c.get_metric_history(r.info.run_id, 'train_loss')], \
                [f.path for f in c.list_artifacts(r.info.run_id, 'figures')]]))";
    let output = python(&program, place.path(), &["-c", look]);
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&found[0], &found[1]), (&"first".into(), &"2".into()));
    let metrics = std::fs::read_to_string(place.path().join("runs/a/metrics.jsonl")).unwrap();
    let losses: Vec<f64> = metrics
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["train_loss"].as_f64().unwrap())
        .collect();
    assert_eq!(found[2], serde_json::json!(losses));
    assert!(found[3].as_array().unwrap().contains(&"figures/curves.png".into()), "{found}");
}

#[test]
fn weights_and_biases_takes_a_run_offline() {
    let Some(program) = venv::optional("wandb") else { return };
    let place = place();
    let script = root().join("scripts/to_wandb.py");
    python(&program, place.path(), &[script.to_str().unwrap(), "runs"]);
    let mut folders = std::fs::read_dir(place.path().join("wandb")).unwrap();
    let is_run = |name: std::ffi::OsString| name.to_string_lossy().starts_with("offline-run-");
    assert!(folders.any(|entry| is_run(entry.unwrap().file_name())));
}
