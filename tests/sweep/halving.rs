//! Successive halving.

use std::time::Duration;

use crate::experiment::{column, place, results, started};

const SEARCH: &str = "[search]\ncells = 9\nseed = 3\nthreshold = { from = 0.5, to = 4, scale = 'log' }\n\
                      learning_rate = { from = 0.001, to = 0.03, scale = 'log' }\n\
                      halving = { min_epochs = 2, factor = 3 }\n";
const LINE: &str = "sweep x.toml --quiet --set num_epochs=18 --set validation_size=200";

fn search() -> crate::place::Place {
    let place = place(SEARCH);
    let text = place.read("x.toml").replace("learning_rate = 0.01\n", "");
    place.write("x.toml", text);
    place
}

#[test]
fn the_best_go_on() {
    let place = search();
    place.done(&format!("{LINE} --log-dir s"));
    let status = place.json(&format!("{LINE} --log-dir s --status --json"));
    let mut epochs: Vec<u64> =
        status["results"].as_array().unwrap().iter().map(|cell| cell["epochs"].as_u64().unwrap()).collect();
    epochs.sort_unstable();
    assert_eq!(epochs, [2, 2, 2, 2, 2, 2, 6, 6, 18]);
    assert_eq!((&status["done"], &status["pruned"]), (&1.into(), &8.into()));
    let statuses = column(&place, "s", "status");
    let accuracies = column(&place, "s", "accuracy");
    assert!(accuracies.iter().all(|accuracy| !accuracy.is_empty()));

    // Trained in three parts, the winner is what it is when trained at once.
    let winner = statuses.iter().position(|status| status == "done").unwrap();
    let folder = column(&place, "s", "run_dir").swap_remove(winner);
    place.done(&format!("train --config s/{folder}/config.toml --log-dir alone --quiet"));
    for file in ["checkpoints/last.safetensors", "checkpoints/best.safetensors"] {
        assert!(
            place.bytes(&format!("alone/{file}")) == place.bytes(&format!("s/{folder}/{file}")),
            "{file}"
        );
    }
    // No pruned cell was better when it was compared.
    let best_after = |folder: &str, epoch: usize| -> f64 {
        let metrics = place.read(&format!("s/{folder}/metrics.jsonl"));
        let record: serde_json::Value =
            serde_json::from_str(metrics.lines().nth(epoch - 1).unwrap()).unwrap();
        record["best_accuracy"].as_f64().unwrap()
    };
    for other in column(&place, "s", "run_dir") {
        if place.read(&format!("s/{other}/metrics.jsonl")).lines().count() == 2 {
            let continued = column(&place, "s", "run_dir");
            let continued = continued
                .iter()
                .filter(|folder| place.read(&format!("s/{folder}/metrics.jsonl")).lines().count() > 2);
            assert!(continued.into_iter().all(|folder| best_after(folder, 2) >= best_after(&other, 2)));
        }
    }
}

#[test]
fn killed_or_shared_it_chooses_the_same() {
    let place = search();
    place.done(&format!("{LINE} --log-dir whole"));
    for wait in [80, 150, 220] {
        let mut child = started(&place, &format!("{LINE} --log-dir killed"));
        std::thread::sleep(Duration::from_millis(wait));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let children = [0; 2].map(|_| started(&place, &format!("{LINE} --log-dir killed")));
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(results(&place, "whole"), results(&place, "killed"));
}
