//! What a run leaves behind: names and keys that scripts rely on.

use serde_json::Value;

use crate::place::{Place, SMALL, keys};

#[test]
fn the_files_of_a_run() {
    let place = Place::new();
    place.done(SMALL);
    for name in [
        "config.toml",
        "metrics.jsonl",
        "summary.json",
        "checkpoints/last.safetensors",
        "checkpoints/best.safetensors",
        "figures/curves.png",
        "figures/confusion_matrix.png",
    ] {
        assert!(place.at(&format!("run/{name}")).exists(), "{name}");
    }
    let is_events = |name: String| name.starts_with("events.out.tfevents.");
    let mut entries = std::fs::read_dir(place.at("run")).unwrap();
    assert!(entries.any(|entry| is_events(entry.unwrap().file_name().into_string().unwrap())));
}

#[test]
fn keys_of_an_epoch() {
    let place = Place::new();
    place.done(SMALL);
    let epochs = place.epochs("run");
    let own = ["layer_accuracy", "goodness", "pairwise_errors", "active", "split"];
    for (index, epoch) in epochs.iter().enumerate() {
        assert_eq!(epoch["split"], "test");
        let found: Vec<_> = keys(epoch).into_iter().filter(|key| !own.contains(key)).collect();
        assert_eq!(
            found,
            [
                "epoch",
                "train_loss",
                "val_loss",
                "layers",
                "accuracy",
                "best_accuracy",
                "class_accuracy",
                "learning_rate",
                "seconds"
            ]
        );
        assert_eq!(epoch["epoch"], index + 1);
        assert_eq!(epoch["layers"].as_array().unwrap().len(), 2);
        assert_eq!(keys(&epoch["layers"][0]), ["train_loss", "val_loss"]);
        assert_eq!(keys(&epoch["seconds"]), ["train", "eval"]);
        assert_eq!(epoch["class_accuracy"].as_array().unwrap().len(), 10);
        let accuracy = epoch["accuracy"].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&accuracy));
    }
    place.done(&format!("{SMALL} --recipe contrast --log-dir head"));
    assert!(place.epochs("head")[0]["head_accuracy"].is_f64());
}

#[test]
fn keys_of_a_summary() {
    let place = Place::new();
    let printed = place.json(&format!("{SMALL} --json --quiet"));
    assert_eq!(
        keys(&printed),
        [
            "status",
            "recipe",
            "dataset",
            "classes",
            "layer_sizes",
            "parameters",
            "seed",
            "backend",
            "device",
            "precision",
            "epochs",
            "num_epochs",
            "split",
            "accuracy",
            "best_accuracy",
            "best_epoch",
            "test_accuracy",
            "train_loss",
            "val_loss",
            "layers",
            "evaluated_split",
            "evaluated_epoch",
            "class_accuracy",
            "confusion_matrix",
            "seconds",
            "run_dir",
            "version"
        ]
    );
    let saved: Value = serde_json::from_str(&place.read("run/summary.json")).unwrap();
    assert_eq!(printed, saved);
    assert_eq!(printed["status"], "done");
    assert_eq!(printed["precision"], "fp32");
    assert_eq!(place.config("run")["run"]["precision"].as_str(), Some("fp32"));
    assert_eq!((&printed["evaluated_split"], &printed["evaluated_epoch"]), (&"test".into(), &2.into()));
    // Labels are prepended to digits: (64 + 10) · 24 + 24 + 24 · 16 + 16.
    assert_eq!(printed["parameters"], 2200);
}

#[test]
fn validation_rows_choose_the_checkpoint() {
    let place = Place::new();
    let summary = place.json(&format!("{SMALL} --num-epochs 6 --validation-size 142 --json --quiet"));
    assert_eq!(summary["split"], "validation");
    let tested: u64 = summary["confusion_matrix"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|row| row.as_array().unwrap())
        .map(|count| count.as_u64().unwrap())
        .sum();
    assert_eq!(tested, 355);
    assert_eq!(summary["evaluated_split"], "test");
    assert_eq!(summary["evaluated_epoch"], summary["best_epoch"]);
    let best = summary["best_epoch"].as_u64().unwrap() as usize;
    assert_eq!(place.epochs("run")[best - 1]["accuracy"], summary["best_accuracy"]);
    // `ff eval` measures the chosen one unless told otherwise.
    assert_eq!(place.json("eval run --json")["accuracy"], summary["test_accuracy"]);
    assert_eq!(place.json("eval run --json --checkpoint best")["accuracy"], summary["test_accuracy"]);
    place.json("eval run --json --checkpoint last");
}

#[cfg(unix)]
#[test]
fn all_files_are_as_readable_as_the_umask_lets_them() {
    use std::os::unix::fs::PermissionsExt;

    let place = Place::new();
    let line = format!("umask 027 && exec {} {SMALL} --quiet", env!("CARGO_BIN_EXE_ff"));
    let status = std::process::Command::new("sh").args(["-c", &line]).current_dir(place.path()).status();
    assert!(status.unwrap().success());
    for name in
        ["checkpoints/last.safetensors", "checkpoints/best.safetensors", "summary.json", "metrics.jsonl"]
    {
        let mode = std::fs::metadata(place.at(&format!("run/{name}"))).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640, "{name}");
    }
}
