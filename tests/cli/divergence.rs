//! A loss that is no longer a number ends the run.

use crate::place::{Place, SMALL};

#[test]
fn names_epoch_and_layer_and_keeps_the_last_checkpoint() {
    let place = Place::new();
    place.done(SMALL);
    let whole = place.bytes("run/checkpoints/last.safetensors");
    // Weights of 1e30 have a goodness that no float32 holds.
    let outcome = place.ff(&format!("{SMALL} --quiet --learning-rate 1e30 --log-dir diverged"));
    assert_eq!(outcome.code, Some(1));
    assert_eq!(outcome.stdout, "");
    assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("loss of layer 0") && outcome.stderr.contains("epoch 1"),
        "{}",
        outcome.stderr
    );
    let summary: serde_json::Value = serde_json::from_str(&place.read("diverged/summary.json")).unwrap();
    assert_eq!(summary["status"], "failed");
    assert!(summary["error"].as_str().unwrap().contains("epoch 1"));
    assert!(!place.at("diverged/checkpoints/last.safetensors").exists());
    assert!(place.bytes("run/checkpoints/last.safetensors") == whole);
}

#[test]
fn a_head_that_diverges_is_named() {
    let place = Place::new();
    let outcome = place.ff(&format!(
        "{SMALL} --num-epochs 10 --quiet --recipe hinton --set head.learning_rate=1e4 --set figures=false"
    ));
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("head") && outcome.stderr.contains("in epoch "), "{}", outcome.stderr);
    // What is kept can be read.
    place.json("eval run --json");
}

/// Weights that are no numbers after an epoch's last step are found when it is saved, after its line is written.
#[test]
fn an_epoch_that_cannot_be_saved_is_in_no_metrics() {
    let place = Place::new();
    let outcome = place.ff("train 20 20 --recipe hinton --dataset digits --backend cpu --threads 1 --quiet --batch-size 1000 \
                            --num-epochs 3 --set head.learning_rate=1e38 --set head.weight_decay=1e10 --set figures=false \
                            --log-dir runs/run");
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    assert!(outcome.stderr.contains(" became "), "{}", outcome.stderr);
    let summary = place.summary("runs/run");
    assert_eq!(place.epochs("runs/run").len() as u64, summary["epochs"].as_u64().unwrap());
    let listed = place.json("runs runs --json");
    assert_eq!((&listed[0]["status"], &listed[0]["epochs"]), (&"failed".into(), &summary["epochs"]));
}

/// Puts NaN into the first number of a tensor.
fn spoil(place: &Place, file: &str, tensor: &str) {
    let mut bytes = place.bytes(file);
    let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let described: serde_json::Value = serde_json::from_slice(&bytes[8..header]).unwrap();
    let at = header + described[tensor]["data_offsets"][0].as_u64().unwrap() as usize;
    bytes[at..at + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    place.write(file, bytes);
}

#[test]
fn weights_that_are_no_numbers_are_refused() {
    let place = Place::new();
    place.done(&format!("{SMALL} --recipe contrast --quiet"));
    let last = "run/checkpoints/last.safetensors";
    let whole = place.bytes(last);
    for tensor in ["layers.1.weight", "head.1.weight"] {
        place.write(last, &whole);
        spoil(&place, last, tensor);
        for line in ["eval run", "train --resume --num-epochs 3 --log-dir run"] {
            let message = place.refused(line);
            assert!(message.contains("last.safetensors: ") && message.contains(tensor), "{message}");
        }
    }
}

#[test]
fn a_failed_run_prints_its_summary() {
    let place = Place::new();
    let outcome = place.ff(&format!("{SMALL} --quiet --json --learning-rate 1e30"));
    assert_eq!(outcome.code, Some(1));
    let printed: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    let saved: serde_json::Value = serde_json::from_str(&place.read("run/summary.json")).unwrap();
    assert_eq!(printed, saved);
    assert_eq!(printed["status"], "failed");
    // There was no epoch to measure.
    for key in ["accuracy", "best_accuracy", "test_accuracy", "train_loss", "val_loss"] {
        assert!(printed[key].is_null(), "{key} is {}", printed[key]);
    }
}
