//! Event files as the real TensorBoard reads them.
//!
//! Needs `.venv` with `tests/python/requirements.txt`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "python/venv.rs"]
mod venv;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use forward_forward::observers::tensorboard::{EventWriter, HParam, RgbImage, SessionStatus};
use serde_json::{Value, json};

/// What TensorBoard finds in `dir`.
fn read(python: &Path, dir: &Path) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/read_events.py");
    let output = Command::new(python).arg(script).arg(dir).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Event files in the order TensorBoard reads them.
fn event_files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn tensorboard_reads_back_every_kind_of_value() {
    let Some(python) = venv::python("tensorboard") else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut log = EventWriter::create(dir.path(), ".test").unwrap();
    log.scalar("Loss/train", 1, 0.1).unwrap();
    log.scalar("Loss/train", 2, 0.0).unwrap();
    log.scalar("Loss/train", 3, f64::NAN).unwrap();
    log.scalar("Loss/train", 1 << 40, -1.5e300).unwrap();
    log.scalar("Accuracy/test", 2, 0.5).unwrap();
    log.histogram("Weights/layer_0", 1, &[0.5, 0.5, -1.0, 0.0, f32::INFINITY]).unwrap();
    log.histogram("Weights/layer_0", 2, &[0.25; 3]).unwrap();
    log.histogram("Weights/layer_0", 3, &[]).unwrap();
    let pixels: Vec<u8> = (0..18).collect();
    let image = RgbImage { width: 3, height: 2, pixels: pixels.clone() };
    log.image("Predictions/sample", 1, &image).unwrap();
    let markdown = "| θ | value |\n|---|---|\n| a | **2** |\n";
    log.text("Hyperparameters", 0, markdown).unwrap();
    log.text("Training_Summary", 2, "").unwrap();
    drop(log);

    let found = read(&python, dir.path());
    assert_eq!(found["file_version"], 2.0);
    assert_eq!(
        found["scalars"],
        json!({
            "Loss/train": [[1, f64::from(0.1_f32)], [2, 0.0], [3, "nan"], [1_u64 << 40, "-inf"]],
            "Accuracy/test": [[2, 0.5]],
        })
    );
    let tiny = 2.0_f64.powi(-40);
    assert_eq!(
        found["histograms"],
        json!({ "Weights/layer_0": [
            {
                "step": 1, "min": -1.0, "max": 0.5, "num": 4.0, "sum": 0.0, "sum_squares": 1.5,
                "bucket_limit": [-1.0, -tiny, tiny, 0.5, 0.5625],
                "bucket": [1.0, 0.0, 1.0, 0.0, 2.0],
            },
            {
                "step": 2, "min": 0.25, "max": 0.25, "num": 3.0, "sum": 0.75, "sum_squares": 0.1875,
                "bucket_limit": [0.28125], "bucket": [3.0],
            },
            {
                "step": 3, "min": 0.0, "max": 0.0, "num": 0.0, "sum": 0.0, "sum_squares": 0.0,
                "bucket_limit": [0.0], "bucket": [0.0],
            },
        ]})
    );
    assert_eq!(
        found["images"],
        json!({ "Predictions/sample": [{
            "step": 1, "size": [3, 2], "decoded_size": [3, 2], "mode": "RGB", "pixels": pixels,
        }]})
    );
    assert_eq!(found["texts"], json!({ "Hyperparameters": [[0, markdown]], "Training_Summary": [[2, ""]] }));
    assert_eq!(found["hparams"]["groups"], json!({}));
}

#[test]
fn the_hparams_tab_shows_a_row_for_each_run() {
    let Some(python) = venv::python("tensorboard") else { return };
    let dir = tempfile::tempdir().unwrap();
    for (run, threshold, status) in
        [("low", 0.5, SessionStatus::Success), ("high", f64::INFINITY, SessionStatus::Failure)]
    {
        let mut log = EventWriter::create(&dir.path().join(run), "").unwrap();
        let params = [
            ("network.layer_sizes", HParam::Text("500 × 3".to_owned())),
            ("goodness.threshold", HParam::Number(threshold)),
            ("head.enabled", HParam::Flag(false)),
        ];
        log.hparams(&params, &["goodness.threshold"], &["Accuracy/test"], run).unwrap();
        log.scalar("Accuracy/test", 1, 0.25).unwrap();
        log.scalar("Accuracy/test", 2, 0.75).unwrap();
        log.session_end(2, status).unwrap();
    }

    let found = read(&python, dir.path())["hparams"].take();
    let mut rows: Vec<&Value> = found["groups"]["sessionGroups"].as_array().unwrap().iter().collect();
    rows.sort_by_key(|row| row["name"].to_string());
    let names: Vec<&Value> = rows.iter().map(|row| &row["name"]).collect();
    assert_eq!(names, ["high", "low"]);
    let hparams = |threshold: Value| {
        json!({
            "network.layer_sizes": "500 × 3", "goodness.threshold": threshold, "head.enabled": false,
        })
    };
    assert_eq!(rows[0]["hparams"], hparams(json!("inf")));
    assert_eq!(rows[1]["hparams"], hparams(json!(0.5)));
    let statuses = rows.iter().map(|row| &row["sessions"][0]["status"]);
    assert_eq!(statuses.collect::<Vec<_>>(), ["STATUS_FAILURE", "STATUS_SUCCESS"]);
    for row in rows {
        let metric = &row["metricValues"][0];
        assert_eq!(metric["name"]["tag"], "Accuracy/test");
        assert_eq!((&metric["value"], &metric["trainingStep"]), (&json!(0.75), &json!(2)));
        assert!(row["sessions"][0]["endTimeSecs"].as_f64() > Some(1e9));
    }
    let columns = found["columns"]["hparamInfos"].as_array().unwrap();
    assert_eq!(columns.len(), 3);
    // By name the first would be another one.
    assert_eq!(columns[0]["name"], "goodness.threshold");
    let metrics = &found["columns"]["metricInfos"];
    assert_eq!(metrics.as_array().unwrap().len(), 1);
}

#[test]
fn a_killed_run_stays_readable_and_goes_on() {
    let Some(python) = venv::python("tensorboard") else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut log = EventWriter::create(dir.path(), "").unwrap();
    log.hparams(&[("seed", HParam::Number(1.0))], &[], &["Loss/train"], "run").unwrap();
    for epoch in 1..=3 {
        log.scalar("Loss/train", epoch, 10.0 * epoch as f64).unwrap();
    }
    log.flush().unwrap();
    // Killed: nothing of the writer runs any more, and half of the last record is lost.
    std::mem::forget(log);
    let files = event_files(dir.path());
    let file = fs::File::options().write(true).open(&files[0]).unwrap();
    file.set_len(file.metadata().unwrap().len() - 9).unwrap();
    let found = read(&python, dir.path());
    assert_eq!(found["scalars"], json!({ "Loss/train": [[1, 10.0], [2, 20.0]] }));

    // The last checkpoint was after epoch 1; most likely this is the same second.
    let mut log = EventWriter::create(dir.path(), "").unwrap();
    log.resume_at(2).unwrap();
    for epoch in 2..=4 {
        log.scalar("Loss/train", epoch, 100.0 * epoch as f64).unwrap();
    }
    drop(log);
    assert_eq!(event_files(dir.path()).len(), 2);
    let found = read(&python, dir.path());
    assert_eq!(found["scalars"], json!({ "Loss/train": [[1, 10.0], [2, 200.0], [3, 300.0], [4, 400.0]] }));
    let row = &found["hparams"]["groups"]["sessionGroups"][0];
    assert_eq!(row["metricValues"][0]["value"], 400.0);
}

#[test]
fn records_reach_the_file_by_flush_and_whole() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = EventWriter::create(dir.path(), ".x").unwrap();
    let path = event_files(dir.path()).remove(0);
    let name = path.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("events.out.tfevents.") && name.ends_with(".x"), "{name}");
    let length = || fs::metadata(&path).unwrap().len();
    let version_only = length();
    log.scalar("a", 1, 1.0).unwrap();
    assert_eq!(length(), version_only);
    log.flush().unwrap();
    assert!(length() > version_only);
    let wrong = RgbImage { width: 2, height: 2, pixels: vec![0; 5] };
    assert!(log.image("wrong", 1, &wrong).is_err());
    assert!(EventWriter::create(&path, "").is_err());
}

fn train(dir: &Path, line: &str) -> bool {
    let mut program = Command::new(env!("CARGO_BIN_EXE_ff"));
    let dataset: &[&str] = if line.contains("--dataset") { &[] } else { &["--dataset", "digits"] };
    program.current_dir(dir).args(["train", "--backend", "cpu", "--quiet"]).args(dataset);
    program.args(line.split_whitespace()).output().unwrap().status.success()
}

fn steps(found: &Value, kind: &str, tag: &str) -> Vec<u64> {
    let events = found[kind][tag].as_array().cloned().unwrap_or_default();
    events.iter().map(|event| event.get(0).unwrap_or(&event["step"]).as_u64().unwrap()).collect()
}

#[test]
fn a_short_run_shows_its_last_epoch() {
    let Some(python) = venv::python("tensorboard") else { return };
    let dir = tempfile::tempdir().unwrap();
    assert!(train(dir.path(), "16 --num-epochs 2 --validation-size 142 --log-dir run"));
    let found = read(&python, &dir.path().join("run"));
    assert_eq!(steps(&found, "scalars", "Accuracy/class_0"), [2]);
    assert_eq!(steps(&found, "histograms", "Weights/layer_0"), [2]);
    let text = |tag: &str| found["texts"][tag][0][1].as_str().unwrap().to_owned();
    assert!(text("Confusion_Matrix").starts_with("Counts of validation images."));
    assert!(text("Training_Summary").contains("| best validation accuracy |"));
}

#[test]
fn scalars_say_what_they_are_measured_on() {
    let Some(python) = venv::python("tensorboard") else { return };
    let dir = tempfile::tempdir().unwrap();
    assert!(train(dir.path(), "16 --num-epochs 2 --log-dir plain"));
    assert!(train(dir.path(), "16 --num-epochs 2 --validation-size 142 --log-dir held_out"));
    let found = read(&python, &dir.path().join("plain"));
    assert_eq!(found["scalars"]["Loss/test"], found["scalars"]["Loss/val"]);
    assert_eq!(steps(&found, "scalars", "Accuracy/test"), [1, 2]);
    assert!(found["scalars"].get("Accuracy/val").is_none());
    for tag in ["Loss/val", "Accuracy/test", "Accuracy/best"] {
        assert!(found["descriptions"][tag].as_str().unwrap().contains("the test set"), "{tag}");
    }
    assert_eq!(found["scalars"]["Class_Accuracy/class_3"], found["scalars"]["Accuracy/class_3"]);

    let found = read(&python, &dir.path().join("held_out"));
    assert_eq!(steps(&found, "scalars", "Accuracy/val"), [1, 2]);
    assert!(found["scalars"].get("Loss/test").is_none());
    assert!(found["descriptions"]["Loss/val"].as_str().unwrap().contains("validation"));
    // The test set is looked at once, with the weights that held-out rows chose.
    assert_eq!(steps(&found, "scalars", "Accuracy/test"), [2]);
    let summary: Value =
        serde_json::from_slice(&fs::read(dir.path().join("held_out/summary.json")).unwrap()).unwrap();
    let told = found["scalars"]["Accuracy/test"][0][1].as_f64().unwrap();
    assert!((told - summary["test_accuracy"].as_f64().unwrap()).abs() < 1e-6);
}

#[test]
fn pictures_are_the_figures_and_charts_have_a_layout() {
    let Some(python) = venv::python("tensorboard") else { return };
    let dir = tempfile::tempdir().unwrap();
    assert!(train(dir.path(), "16 --num-epochs 1 --log-dir run"));
    let found = read(&python, &dir.path().join("run"));
    for tag in ["Confusion_Matrix/image", "Predictions/sample"] {
        let picture = &found["images"][tag][0];
        assert_eq!(picture["size"], picture["decoded_size"], "{tag}");
        assert_eq!(picture["size"][0], 700, "{tag}");
    }
    let charts = found["layout"]["Losses and accuracies"].as_array().unwrap();
    for chart in charts {
        let pattern = chart[1][0].as_str().unwrap().trim_start_matches('^');
        let start = pattern.split('(').next().unwrap();
        let tags = found["scalars"].as_object().unwrap();
        assert!(tags.keys().any(|tag| tag.starts_with(start)), "{chart}");
    }
}

#[test]
fn classes_are_called_by_their_names() {
    let Some(python) = venv::python("tensorboard") else { return };
    let dir = tempfile::tempdir().unwrap();
    let rows = |count: usize| -> String {
        (0..count).map(|i| format!("{},{},{},9,9\n", ["cat", "a|b"][i % 2], i % 2 * 200, i % 7)).collect()
    };
    fs::write(dir.path().join("train.csv"), format!("label,p0,p1,p2,p3\n{}", rows(64))).unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_ff"));
    program.current_dir(dir.path()).args(["data", "import", "train.csv", "set"]);
    assert!(program.output().unwrap().status.success());
    assert!(train(dir.path(), "8 --dataset idx:set --batch-size 8 --num-epochs 1 --log-dir run"));
    let found = read(&python, &dir.path().join("run"));
    for (name, number) in [("a|b", 0), ("cat", 1)] {
        let scalars = &found["scalars"];
        let named = &scalars[format!("Class_Accuracy/{name}")];
        assert!(named.is_array() && *named == scalars[format!("Accuracy/class_{number}")], "{name}");
    }
    let table = found["texts"]["Confusion_Matrix"][0][1].as_str().unwrap();
    assert!(table.contains("| a\\|b | cat |") && table.contains("| **cat** |"), "{table}");
}

#[test]
fn what_a_run_is_at_a_glance_is_in_numbers() {
    let Some(python) = venv::python("tensorboard") else { return };
    let dir = tempfile::tempdir().unwrap();
    let file = "[data]\ndataset = 'digits'\n[training]\nnum_epochs = 1\n[backend]\nname = 'cpu'\n[logging]\n\
                figures = false\n[network]\nwidth = 8\ndepth = 2\n[sweep]\nlearning_rate = [0.01, 0.02]\n\
                threshold = [1, 'width']\n";
    fs::write(dir.path().join("x.toml"), file).unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_ff"));
    program.current_dir(dir.path()).args(["sweep", "x.toml", "--quiet", "--log-dir", "s"]);
    assert!(program.status().unwrap().success());
    let found = read(&python, &dir.path().join("s"))["hparams"].take();
    let columns: Vec<&str> = found["columns"]["hparamInfos"]
        .as_array()
        .unwrap()
        .iter()
        .map(|info| info["name"].as_str().unwrap())
        .collect();
    // Of these TensorBoard shows the first five until it is told otherwise.
    assert_eq!(columns[..2], ["threshold", "training.learning_rate"]);
    for number in ["threshold", "depth", "width", "parameters", "training.learning_rate"] {
        assert!(columns.contains(&number), "{columns:?}");
    }
    let rows = found["groups"]["sessionGroups"].as_array().unwrap();
    let mut thresholds: Vec<f64> =
        rows.iter().map(|row| row["hparams"]["threshold"].as_f64().unwrap()).collect();
    thresholds.sort_by(f64::total_cmp);
    assert_eq!(thresholds, [1.0, 1.0, 8.0, 8.0]);
    assert!(rows.iter().all(|row| row["hparams"]["parameters"].as_f64() > Some(100.0)));
    let metrics = found["columns"]["metricInfos"].as_array().unwrap();
    assert_eq!(metrics[0]["name"]["tag"], "Accuracy/test");
}

#[test]
fn a_run_that_failed_says_so_until_it_goes_on() {
    let Some(python) = venv::python("tensorboard") else { return };
    let dir = tempfile::tempdir().unwrap();
    assert!(!train(dir.path(), "16 --num-epochs 2 --learning-rate 1e30 --log-dir failed"));
    let found = read(&python, &dir.path().join("failed"));
    let session = &found["hparams"]["groups"]["sessionGroups"][0]["sessions"][0];
    assert_eq!(session["status"], "STATUS_FAILURE");
    let summary = found["texts"]["Training_Summary"][0][1].as_str().unwrap();
    assert!(summary.contains("| status | failed |\n| error | the loss of layer 0"), "{summary}");
    // What went on to its end ended well.
    let run = dir.path().join("run");
    assert!(train(dir.path(), "16 --num-epochs 1 --set learning_rate_schedule=constant --log-dir run"));
    let mut end = EventWriter::create(&run, ".end").unwrap();
    end.session_end(1, SessionStatus::Failure).unwrap();
    drop(end);
    assert!(train(dir.path(), "--resume --num-epochs 2 --log-dir run"));
    assert!(event_files(&run).iter().all(|path| !path.to_string_lossy().ends_with(".end")));
}

#[test]
fn a_threshold_is_a_word_whether_number_or_width() {
    let Some(python) = venv::python("tensorboard") else { return };
    let dir = tempfile::tempdir().unwrap();
    for (run, threshold) in [("number", "2"), ("width", "width")] {
        let line = format!("16 --num-epochs 1 --threshold {threshold} --log-dir runs/{run}");
        assert!(train(dir.path(), &line));
    }
    let found = read(&python, &dir.path().join("runs"))["hparams"].take();
    let rows = found["groups"]["sessionGroups"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["hparams"]["goodness.threshold"].is_string()), "{rows:?}");
}
