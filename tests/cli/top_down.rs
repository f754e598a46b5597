//! Networks whose layers are driven from above too, from their first command to the last.

use safetensors::SafeTensors;

use crate::place::Place;

const TRAIN: &str = "train 60 50 40 --dataset digits --backend cpu --quiet --set top_down=true";
/// On digits, 8 × 8 pixels.
const LOCAL: &str = "--dataset digits --backend cpu --quiet --recipe contrast --set top_down=true --set figures=false \
                     --set layers=[{kind='local',grid=[3,3],stride=2,field=4,channels=6},\
                     {kind='local',grid=[2,2],stride=1,field=2,channels=10},{kind='dense',units=30}]";

#[test]
fn a_run_is_repeated_measured_and_gone_on_with() {
    let place = Place::new();
    place.done(&format!("{TRAIN} --recipe hinton --num-epochs 6 --log-dir run"));
    let config = place.config("run");
    assert_eq!(config["network"]["top_down"].to_string(), "true");
    assert_eq!(config["network"]["label"].to_string(), "\"auto\"", "no label at the image");
    place.done("train --config run/config.toml --log-dir again --quiet");
    let checkpoint = |run: &str| place.bytes(&format!("{run}/checkpoints/last.safetensors"));
    assert!(checkpoint("run") == checkpoint("again"), "a run from its config.toml differs");

    let last = &place.epochs("run")[5];
    let accuracy = last["accuracy"].as_f64().unwrap();
    assert!(accuracy > 0.8, "{accuracy}: it has learned next to nothing");
    assert_eq!(place.json("eval run --json")["accuracy"], accuracy);
    assert_eq!(place.json("eval run --predict head --json")["accuracy"], last["head_accuracy"]);
    let other_steps = place.json("eval run --set first_step=1 --set last_step=1 --json");
    assert!(
        other_steps["accuracy"].as_f64().unwrap() < accuracy,
        "the label has not come down after one step"
    );
    let message = place.refused("eval run --set last_step=9");
    assert!(message.contains("`evaluation.last_step` is 9, but `network.steps` is 8"), "{message}");
    let message = place.refused("eval run --set top_down=false");
    assert!(message.contains("needs `network.top_down = true`"), "{message}");
}

#[test]
fn a_run_that_was_cut_off_gives_the_same_bits() {
    let place = Place::new();
    let constant = "--recipe hinton --set learning_rate_schedule=constant --set figures=false";
    place.done(&format!("{TRAIN} {constant} --num-epochs 3 --log-dir whole"));
    place.done(&format!("{TRAIN} {constant} --num-epochs 2 --log-dir parts"));
    place.done("train --resume --log-dir parts --num-epochs 3 --quiet");
    let tensors = |run: &str| {
        let bytes = place.bytes(&format!("{run}/checkpoints/last.safetensors"));
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let mut all: Vec<_> =
            tensors.tensors().into_iter().map(|(name, view)| (name, view.data().to_vec())).collect();
        all.sort();
        all
    };
    assert!(tensors("whole") == tensors("parts"));
}

#[test]
fn tensors_have_names_and_shapes() {
    let place = Place::new();
    place.done(&format!("{TRAIN} --recipe hinton --num-epochs 1 --log-dir run"));
    let bytes = place.bytes("run/checkpoints/last.safetensors");
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let shape = |name: &str| tensors.tensor(name).map(|tensor| tensor.shape().to_vec()).ok();
    assert_eq!(shape("layers.0.weight").unwrap(), [64, 60]);
    assert_eq!(shape("layers.0.top_down.weight").unwrap(), [50, 60]);
    assert_eq!(shape("layers.1.top_down.weight").unwrap(), [40, 50]);
    assert_eq!(shape("layers.2.weight").unwrap(), [10 + 50, 40], "the label is above the last layer");
    assert!(shape("layers.2.top_down.weight").is_none());
    assert_eq!(shape("optimizer.layers.0.top_down.weight.first").unwrap(), [50, 60]);
    let parameters = 64 * 60 + 50 * 60 + 60 * 50 + 40 * 50 + 60 * 40 + 60 + 50 + 40 + 90 * 10;
    assert_eq!(place.summary("run")["parameters"], parameters);
    // Layers alone, as somebody else writes them: the request says what they are.
    let bare = tensors.tensors().into_iter().filter(|(name, _)| name.starts_with("layers."));
    place.write("bare.safetensors", safetensors::serialize(bare, None).unwrap());
    let asked = "eval bare.safetensors --dataset digits --set top_down=true --recipe hinton --json";
    assert_eq!(place.json(asked)["accuracy"], place.json("eval run --json")["accuracy"]);
}

#[test]
fn thresholds_and_pairs_teach_steps_too() {
    let place = Place::new();
    for (recipe, least) in [("baseline", 0.4), ("contrast", 0.7)] {
        let run = format!("--recipe {recipe} --num-epochs 3 --log-dir {recipe}");
        place.done(&format!("{TRAIN} {run} --set figures=false"));
        let accuracy = place.epochs(recipe)[2]["accuracy"].as_f64().unwrap();
        assert!(accuracy > least, "{recipe}: {accuracy}");
    }
}

#[test]
fn local_layers_see_above_them_those_that_see_them() {
    let place = Place::new();
    place.done(&format!("train {LOCAL} --num-epochs 3 --log-dir run"));
    let accuracy = place.epochs("run")[2]["accuracy"].as_f64().unwrap();
    assert!(accuracy > 0.5, "{accuracy}");
    let bytes = place.bytes("run/checkpoints/last.safetensors");
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let top = tensors.tensor("layers.1.top_down.weight").unwrap();
    assert_eq!(top.shape(), [30, 40], "a dense layer is seen whole");
    // 2 × 2 places of 10 channels see 2 × 2 of the 3 × 3 places of 6 below: a corner is seen by one, an edge by two, the
    // middle by all. What a unit does not see teaches it nothing: Adam's mean of squared gradients stays 0.
    let learned = tensors.tensor("optimizer.layers.0.top_down.weight.second").unwrap();
    assert_eq!(learned.shape(), [40, 9 * 6]);
    let zero = |row: usize, unit: usize| learned.data()[4 * (row * 54 + unit)..][..4] == [0; 4];
    for (place, seen) in [1, 2, 1, 2, 4, 2, 1, 2, 1].into_iter().enumerate() {
        for above in 0..4 {
            let mut rows = above * 10..above * 10 + 10;
            let has_learned = rows.any(|row| (place * 6..place * 6 + 6).any(|unit| !zero(row, unit)));
            assert_eq!(has_learned, above < seen, "place {place}, {above} of those above it");
        }
    }
}
