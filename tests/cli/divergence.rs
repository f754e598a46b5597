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
