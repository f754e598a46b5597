//! A search with held-out rows looks at the test set for the setting it chose, and for no other.

use crate::experiment::{column, place};

const SEARCH: &str = "[search]\ncells = 4\nthreshold = { from = 0.5, to = 4 }\n[sweep]\nseed = [1, 2]\n";

#[test]
fn the_test_set_is_measured_for_the_winner_alone() {
    let place = place(SEARCH);
    place.done("sweep x.toml --log-dir s --set validation_size=200 --quiet --cell 0");
    assert_eq!(column(&place, "s", "test_accuracy")[0], "");
    let outcome = place.done("sweep x.toml --log-dir s --set validation_size=200");
    assert_eq!(
        outcome.stderr.matches("is the best on held-out rows: test accuracy").count(),
        2,
        "{}",
        outcome.stderr
    );
    let best: Vec<f64> =
        column(&place, "s", "best_accuracy").iter().map(|accuracy| accuracy.parse().unwrap()).collect();
    let thresholds = column(&place, "s", "threshold");
    let mean = |cell: usize| -> f64 {
        let of_setting = (0..8).filter(|&other| thresholds[other] == thresholds[cell]);
        of_setting.map(|other| best[other]).sum::<f64>() / 2.0
    };
    let most = (0..8).map(mean).fold(0.0, f64::max);
    for (cell, accuracy) in column(&place, "s", "test_accuracy").iter().enumerate() {
        let folder = &column(&place, "s", "run_dir")[cell];
        let summary: serde_json::Value =
            serde_json::from_str(&place.read(&format!("s/{folder}/summary.json"))).unwrap();
        if accuracy.is_empty() {
            assert!(summary["test_accuracy"].is_null() && summary["evaluated_epoch"].is_null());
            assert!(!place.at(&format!("s/{folder}/evaluation.json")).exists());
            continue;
        }
        assert_eq!(mean(cell), most, "{thresholds:?} {best:?}");
        // As `ff eval` measures the chosen checkpoint.
        let checkpoint = format!("s/{folder}/checkpoints/best.safetensors");
        let measured = place.json(&format!("eval {checkpoint} --backend cpu --json"));
        assert_eq!(measured["accuracy"].as_f64(), accuracy.parse().ok());
    }
    let measured =
        column(&place, "s", "test_accuracy").iter().filter(|accuracy| !accuracy.is_empty()).count();
    assert_eq!(measured, 2);
    // Nothing is left to do.
    let again = place.done("sweep x.toml --log-dir s --set validation_size=200");
    assert!(!again.stderr.contains("is the best on held-out rows"), "{}", again.stderr);
}

#[test]
fn without_held_out_rows_every_cell_is_measured() {
    let place = place(SEARCH);
    place.done("sweep x.toml --log-dir s --quiet --set num_epochs=1");
    assert!(column(&place, "s", "test_accuracy").iter().all(|accuracy| !accuracy.is_empty()));
}
