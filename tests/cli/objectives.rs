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

#[test]
fn a_classifier_on_each_layer_teaches_it() {
    let (place, summary) = trained("--recipe pred");
    let last = place.epochs("run").pop().unwrap();
    assert_eq!(last["layer_accuracy"].as_array().unwrap().len(), 2);
    assert_eq!(last["layers"].as_array().unwrap().len(), 2);
    let sum: f64 = last["layers"].as_array().unwrap().iter().map(|l| l["val_loss"].as_f64().unwrap()).sum();
    assert!((sum - last["val_loss"].as_f64().unwrap()).abs() < 1e-9);
    assert_eq!(last["accuracy"], last["head_accuracy"]);
    assert_eq!(last["goodness"].as_array().unwrap().len(), 0);
    read_back(&place, &summary);
}

/// Each layer's classifier alone, all together, and the sum of their logits.
#[test]
fn classifiers_may_predict_together() {
    for recipe in ["pred", "hinton"] {
        let (place, summary) = trained(&format!("--recipe {recipe} --set predict=ensemble"));
        let last = place.epochs("run").pop().unwrap();
        let by = |by: &str| {
            place.json(&format!("eval run --json --backend cpu --predict {by}"))["accuracy"].clone()
        };
        assert_eq!(by("ensemble"), summary["test_accuracy"]);
        assert_eq!((by("ensemble"), by("head")), (last["accuracy"].clone(), last["head_accuracy"].clone()));
        assert_eq!(last["energy_accuracy"].is_number(), recipe == "hinton");
        if recipe == "hinton" {
            assert_eq!(by("energy"), last["energy_accuracy"]);
        }
        let plotted = place.ff("plot run");
        assert_eq!(plotted.code, Some(0), "{}", plotted.stderr);
    }
}

#[test]
fn rows_of_one_label_are_made_alike() {
    for recipe in ["sim", "predsim", "sim --set similarity_map=false", "predsim --set similarity_map=true"] {
        let (place, summary) = trained(&format!("--recipe {recipe} --batch-size 32"));
        let measured = place.json("eval run --json --backend cpu");
        assert_eq!(measured["accuracy"], summary["test_accuracy"], "{recipe}");
        let losses: Vec<f64> =
            place.epochs("run").iter().map(|epoch| epoch["val_loss"].as_f64().unwrap()).collect();
        assert!(losses.last() < losses.first(), "{recipe}: {losses:?}");
    }
}

#[test]
fn errors_may_go_back_through_all_layers() {
    let (place, summary) = trained("--recipe backprop --set training.dropout=0.1");
    let last = place.epochs("run").pop().unwrap();
    assert_eq!(last["layers"].as_array().unwrap().len(), 0);
    assert_eq!(last["train_loss"], last["head_loss"]);
    let loss = last["val_loss"].as_f64().unwrap();
    assert!(loss > 0.0 && loss < 10f64.ln(), "no better than chance: {loss}");
    read_back(&place, &summary);
}

/// `ff eval` and `ff plot` understand the run, which knows no goodness.
fn read_back(place: &Place, summary: &serde_json::Value) {
    let measured = place.json("eval run --json --backend cpu");
    assert_eq!(measured["accuracy"], summary["test_accuracy"]);
    let plotted = place.ff("plot run");
    assert_eq!(plotted.code, Some(0), "{}", plotted.stderr);
    assert!(place.at("run/figures/curves.png").exists());
    assert!(!place.at("run/figures/goodness.png").exists());
    let refused = place.ff("eval run --predict energy --backend cpu");
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(refused.stderr.contains("goodness tells no labels apart"), "{}", refused.stderr);
}
