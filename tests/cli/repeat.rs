//! The same request gives the same bytes.

use crate::place::{Place, SMALL};

fn assert_same_run(place: &Place, one: &str, other: &str) {
    assert_eq!(place.timeless_metrics(one), place.timeless_metrics(other));
    for checkpoint in ["last", "best"] {
        let file = |run: &str| place.bytes(&format!("{run}/checkpoints/{checkpoint}.safetensors"));
        assert!(file(one) == file(other), "{checkpoint} of {one} and {other} differ");
    }
}

#[test]
fn the_same_command_twice() {
    for recipe in ["original", "baseline", "hinton", "contrast"] {
        let place = Place::new();
        for run in ["one", "two"] {
            place.done(&format!("{SMALL} --recipe {recipe} --validation-size 142 --log-dir {run}"));
        }
        assert_same_run(&place, "one", "two");
    }
}

#[test]
fn another_seed_is_another_run() {
    let place = Place::new();
    place.done(&format!("{SMALL} --log-dir one"));
    place.done(&format!("{SMALL} --log-dir two --seed 43"));
    assert_ne!(place.timeless_metrics("one"), place.timeless_metrics("two"));
}

#[test]
fn a_config_run_again() {
    let place = Place::new();
    place.done(
        "train 24 16 --dataset digits --num-epochs 3 --recipe hinton --set jitter=1 --set dropout=0.1 --set input_dropout=0.1 \
         --validation-size 142 --learning-rate 0.02 --log-dir one",
    );
    place.done("train --config one/config.toml --log-dir two");
    assert_same_run(&place, "one", "two");
    // Every knob; who ran it, and how, is the run's own.
    let knobs =
        |run: &str| place.read(&format!("{run}/config.toml")).split("\n[run]\n").next().unwrap().to_owned();
    assert_eq!(knobs("one").replace("\"one\"", "\"two\""), knobs("two"));
}
