//! Networks with local layers, from their first command to the last.

use safetensors::SafeTensors;

use crate::place::Place;

/// On digits, 8 × 8 pixels.
const LAYERS: &str = "layers=[{kind='local',grid=[3,3],stride=2,field=4,channels=6},\
                      {kind='local',grid=[2,2],stride=1,field=2,channels=10},{kind='dense',units=30}]";
const TRAIN: &str = "train --dataset digits --backend cpu --quiet --set";

fn trained(epochs: usize, rest: &str) -> Place {
    let place = Place::new();
    place.done(&format!("{TRAIN} {LAYERS} --recipe contrast --num-epochs {epochs} --log-dir run {rest}"));
    place
}

#[test]
fn a_run_is_repeated_measured_and_gone_on_with() {
    let place = trained(15, "");
    let config = place.config("run");
    assert_eq!(config["network"]["layer_sizes"].to_string(), "[54, 40, 30]");
    assert_eq!(config["network"]["layers"][0]["field"].to_string(), "4");
    assert!(place.at("run/figures/receptive_fields.png").exists());
    place.done("train --config run/config.toml --log-dir again --quiet");
    let checkpoint = |run: &str| place.bytes(&format!("{run}/checkpoints/last.safetensors"));
    assert!(checkpoint("run") == checkpoint("again"), "a run from its config.toml differs");
    place.done(&format!("{TRAIN} {LAYERS} --recipe contrast --num-epochs 14 --log-dir parts"));
    place.done("train --resume --log-dir parts --num-epochs 15 --quiet");
    // The schedule knows the number of epochs, so a resumed run is only known to have gone on.
    assert_eq!(place.epochs("parts").len(), 15);
    let last = place.epochs("run")[14]["accuracy"].as_f64().unwrap();
    assert_eq!(place.json("eval run --json")["accuracy"], last);
    assert!(last > 0.4, "{last}: it has learned next to nothing");
    let head = place.json("eval run --predict head --json");
    assert_eq!(head["accuracy"], place.epochs("run")[14]["head_accuracy"]);
}

#[test]
fn a_checkpoint_beside_the_training_has_the_same_weights() {
    let place = trained(8, "--set figures=false --validation-size 142 --set checkpoint_seconds=1000");
    let each = format!("{TRAIN} {LAYERS} --recipe contrast --num-epochs 8 --validation-size 142");
    place.done(&format!("{each} --log-dir each --set figures=false"));
    for checkpoint in ["last", "best"] {
        let bytes = |run: &str| place.bytes(&format!("{run}/checkpoints/{checkpoint}.safetensors"));
        let (beside, each) = (bytes("run"), bytes("each"));
        let beside = SafeTensors::deserialize(&beside).unwrap();
        for (name, tensor) in SafeTensors::deserialize(&each).unwrap().tensors() {
            assert!(beside.tensor(&name).unwrap().data() == tensor.data(), "{checkpoint}: {name} differs");
        }
    }
}

#[test]
fn tensors_have_what_one_unit_sees() {
    for (label, first) in [("prepend", 10 + 16), ("overlay", 10 + 16), ("every-layer", 10 + 16)] {
        let place = trained(3, &format!("--set label={label} --set figures=false"));
        let bytes = place.bytes("run/checkpoints/last.safetensors");
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let every = if label == "every-layer" { 10 } else { 0 };
        let shapes: Vec<_> =
            (0..3).map(|l| tensors.tensor(&format!("layers.{l}.weight")).unwrap().shape().to_vec()).collect();
        assert_eq!(shapes, [[first, 54], [every + 4 * 6, 40], [every + 40, 30]], "{label}");
        // Layers alone, as somebody else writes them: the request says what they are.
        let bare = tensors.tensors().into_iter().filter(|(name, _)| name.starts_with("layers."));
        place.write("bare.safetensors", safetensors::serialize(bare, None).unwrap());
        let of = |line: &str| place.json(&format!("eval {line} --json"))["accuracy"].clone();
        let asked = format!("bare.safetensors --recipe contrast --dataset digits --set {LAYERS}");
        let asked = if label == "overlay" { format!("{asked} --set label=overlay") } else { asked };
        assert_eq!(of(&asked), of("run"), "{label}");
    }
    let place = trained(1, "--set figures=false");
    let message = place.refused("eval run --set layers=[{kind='dense',units=54}]");
    assert!(message.contains("[54]") && message.contains("[54, 40, 30]"), "{message}");
}

#[test]
fn every_recipe_trains_local_layers() {
    for recipe in
        ["original", "baseline", "hinton", "contrast", "unsupervised", "backprop", "pred", "predsim"]
    {
        let place = Place::new();
        place.done(&format!(
            "{TRAIN} {LAYERS} --recipe {recipe} --num-epochs 15 --log-dir run --set figures=false"
        ));
        let accuracy = place.epochs("run")[14]["accuracy"].as_f64().unwrap();
        assert!(accuracy > 0.15, "{recipe}: {accuracy}");
    }
}

#[test]
fn dense_layers_may_be_listed_too() {
    let place = Place::new();
    place.done(&format!(
        "{TRAIN} layers=[{{kind='dense',units=12}},{{kind='dense',units=9}}] --num-epochs 1 --log-dir one"
    ));
    place.done("train 12 9 --dataset digits --backend cpu --quiet --num-epochs 1 --log-dir two");
    let file = |run: &str| place.bytes(&format!("{run}/checkpoints/last.safetensors"));
    assert!(file("one") == file("two"), "the same layers said in two ways");
    // Sizes from above take the place of layers from below.
    place.write(
        "x.toml",
        "[network]\nlayers = [{ kind = 'local', grid = [1, 1], stride = 1, field = 8, channels = 5 }]\n",
    );
    place.done(
        "train 12 9 --config x.toml --dataset digits --backend cpu --quiet --num-epochs 1 --log-dir three",
    );
    assert!(file("two") == file("three"));
}

#[test]
fn layers_are_an_axis() {
    let place = Place::new();
    let base = "[data]\ndataset = 'digits'\n[training]\nnum_epochs = 1\n[backend]\nname = 'cpu'\n[logging]\nfigures = false\n";
    let (small, large) = (
        "[{ kind = 'local', grid = [3, 3], stride = 2, field = 4, channels = 2 }]",
        "[{ kind = 'local', grid = [3, 3], stride = 2, field = 4, channels = 3 }, { kind = 'dense', units = 9 }]",
    );
    place.write("x.toml", format!("{base}[sweep]\nlayers = [{small}, {large}]\n"));
    place.write("y.toml", format!("{base}[[cell]]\nlayers = {small}\n[[cell]]\nlayer_sizes = [9]\n"));
    place.done("sweep x.toml --quiet");
    let results = place.read("runs/x/results.csv");
    for shape in ["3x3x2s2f4", "3x3x3s2f4-9"] {
        assert!(results.contains(&format!(",{shape},")), "{results}");
        assert!(results.contains(&format!("layers={shape}-")), "{results}");
    }
    let table = place.done("runs runs/x --csv").stdout;
    assert!(table.contains("3x3x3s2f4-9"), "{table}");
    let plan = place.json("sweep y.toml --dry-run --json");
    assert_eq!(plan["cells"].as_array().unwrap().len(), 2);
    let set = format!("layers=[{},{}]", small.replace(' ', ""), large.replace(' ', ""));
    place.write("z.toml", base);
    let plan = place.json(&format!("sweep z.toml --set {set} --dry-run --json"));
    assert_eq!(plan["cells"].as_array().unwrap().len(), 2);
}

#[test]
fn a_bench_of_local_layers_counts_their_weights_alone() {
    let place = Place::new();
    let layers = "layers=[{kind='local',grid=[4,4],stride=6,field=10,channels=16},{kind='dense',units=10}]";
    let timing = place.json(&format!("bench --set {layers} --batch-size 8 --steps 2 --backend cpu --json"));
    assert_eq!(timing["layer_sizes"], serde_json::json!([256, 10]));
    // Labels and a field of 100 pixels, two rows forward and two back a pair, two operations a weight.
    let weights = (10 + 100) * 256 + 256 * 10;
    let flops = timing["gflops"].as_f64().unwrap()
        * 1e6
        * timing["milliseconds_per_step"]["median"].as_f64().unwrap();
    assert!((flops / (2.0 * 4.0 * 8.0 * f64::from(weights)) - 1.0).abs() < 1e-6, "{flops}");
}
