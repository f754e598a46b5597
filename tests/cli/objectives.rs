//! Every goodness and every loss learns to tell digits apart.

use crate::place::Place;

const NETWORK: &str = "train 64 64 --dataset digits --num-epochs 8 --batch-size 16 --backend cpu --log-dir run --json --quiet \
     --set logging.figures=false --set tensorboard=false";

/// The summary of a run with these knobs.
fn trained(knobs: &str) -> (Place, serde_json::Value) {
    let place = Place::new();
    let summary = place.json(&format!("{NETWORK} {knobs}"));
    let accuracy = summary["test_accuracy"].as_f64().unwrap();
    println!("{knobs}: {accuracy}");
    assert!(accuracy > 0.75, "{knobs}: {accuracy}");
    (place, summary)
}

#[test]
fn positives_may_be_the_silent_ones() {
    let (place, _) = trained("--set sign=minimize --set loss=symba");
    let last = place.epochs("run").pop().unwrap();
    for goodness in last["goodness"].as_array().unwrap() {
        let (positive, negative) =
            (goodness["positive"].as_f64().unwrap(), goodness["negative"].as_f64().unwrap());
        // Goodness is the negated activity.
        assert!(positive <= 0.0 && negative < positive, "{goodness}");
    }
}

#[test]
fn pairs_are_driven_apart_to_a_margin() {
    trained("--set loss=margin --set margin=2");
}

#[test]
fn goodness_may_be_the_sum_of_activities() {
    trained("--set goodness.function=l1 --set loss=symba --set alpha=1");
}
