//! `ff eval` and `ff predict`.

use std::io::BufWriter;

use serde_json::{Value, json};

use crate::idx::{self, write_set};
use crate::place::{Place, keys};

/// A folder with a set and a network trained on it.
fn trained(recipe: &str) -> Place {
    let place = Place::new();
    write_set(&place.at("set"), 12, 4, 200, 40);
    place.done(&format!(
        "train 24 16 --dataset idx:set --recipe {recipe} --num-epochs 6 --backend cpu --log-dir run"
    ));
    place
}

#[test]
fn keys_and_sums() {
    let place = trained("baseline");
    let report = place.json("eval run --json");
    assert_eq!(
        keys(&report),
        ["accuracy", "correct", "total", "class_accuracy", "confusion_matrix", "predict"]
    );
    let matrix: Vec<Vec<u64>> = serde_json::from_value(report["confusion_matrix"].clone()).unwrap();
    assert!(matrix.iter().all(|row| row.iter().sum::<u64>() == 10), "rows are true classes: {matrix:?}");
    let correct: u64 = (0..4).map(|class| matrix[class][class]).sum();
    assert_eq!(report["correct"], correct);
    assert_eq!(report["accuracy"], correct as f64 / 40.0);
    assert_eq!(report["class_accuracy"][2], matrix[2][2] as f64 / 10.0);
    let text = place.done("eval run").stdout;
    assert!(text.contains("confusion matrix") && text.contains(&format!("({correct} of 40)")), "{text}");
}

#[test]
fn a_run_and_its_checkpoint_are_one() {
    let place = trained("contrast");
    let of = |what: &str| place.json(&format!("eval {what} --json"));
    assert_eq!(of("run"), of("run/checkpoints/last.safetensors"));
    assert_eq!(of("run")["predict"], "energy");
    let head = of("run --predict head");
    assert_eq!(head["predict"], "head");
    assert_eq!(head["accuracy"], of("run")["head_accuracy"]);
    let ensemble = of("run --predict ensemble");
    assert_eq!(ensemble["predict"], "ensemble");
    assert_eq!(ensemble["head_accuracy"], head["accuracy"]);
    assert_eq!(ensemble["energy_accuracy"], of("run")["accuracy"]);
    let text = place.done("eval run --predict ensemble").stdout;
    assert!(
        text.contains("accuracy by ensemble") && text.contains("by the head") && text.contains("by energy")
    );
    assert_eq!(of("run --probe --probe-epochs 2")["predict"], "probe");
    // The batch is a matter of speed alone.
    assert_eq!(of("run"), of("run --set evaluation.batch_size=7"));
}

/// Held-out rows have chosen the checkpoint that is read, which a config that cannot be read does not say.
#[test]
fn a_config_that_is_damaged_is_not_taken_for_one_without_held_out_rows() {
    let place = trained("contrast --validation-size 40");
    place.write("run/config.toml", place.read("run/config.toml") + "\n[run\n");
    for line in ["eval run", "predict run set/t10k-images-idx3-ubyte"] {
        let message = place.refused(line);
        assert!(message.starts_with("run/config.toml:"), "{message}");
    }
    place.done("eval run/checkpoints/best.safetensors --dataset idx:set");
}

/// What training measured on the rows that it held out is measured on them again; a probe learns from the others.
#[test]
fn rows_that_were_held_out_are_measured() {
    let place = Place::new();
    write_set(&place.at("set"), 12, 4, 200, 40);
    place.done(
        "train 24 16 --dataset idx:set --num-epochs 3 --validation-size 60 --seed 5 --backend cpu --log-dir run",
    );
    let summary: Value = serde_json::from_str(&place.read("run/summary.json")).unwrap();
    let outcome = place.done("eval run --checkpoint last --validation-size 60 --json");
    let held_out: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!((&held_out["accuracy"], &held_out["total"]), (&summary["accuracy"], &json!(60)));
    assert_eq!(held_out["split"], "validation");
    assert!(!outcome.stderr.contains("note"), "{}", outcome.stderr);
    let test = place.json("eval run --json");
    assert_eq!((&test["total"], test.get("split")), (&json!(40), None), "where nothing else is asked for");
    let text = place.done("eval run --validation-size 50").stdout;
    assert!(text.contains("of 50 held-out rows)"), "{text}");
    for (line, learned) in [("50", false), ("70", true), ("60", false), ("60 --set seed=6", true)] {
        let told = place.done(&format!("eval run --validation-size {line}")).stderr;
        assert_eq!(told.contains("has learned from these rows"), learned, "--validation-size {line}: {told}");
    }

    let probe = |more: &str| place.json(&format!("eval run --probe --validation-size 60 --json {more}"));
    assert_eq!(probe("")["total"], 60);
    let silenced = probe("--probe-dropout 0.9 --probe-epochs 1");
    assert_eq!(silenced, probe("--probe-dropout 0.9 --probe-epochs 1"), "the same request, the same probe");
    assert_ne!(silenced, probe("--probe-epochs 1"));
    assert!(
        place.refused("eval run --validation-size 200").contains("--validation-size: validation_size is 200")
    );
    assert!(place.refused("eval run --validation-size 0").contains("--validation-size"));
    for wrong in ["1", "-0.1", "nan", "much"] {
        let message = place.refused(&format!("eval run --probe --probe-dropout {wrong}"));
        assert!(message.contains("--probe-dropout") && message.contains("below 1"), "{message}");
    }
    assert!(place.refused("eval run --probe-dropout 0.5").contains("--probe"));
}

/// A probe sees images as training showed them, shifted and turned.
#[test]
fn a_probe_of_a_network_that_learned_from_turned_images() {
    let place = Place::new();
    write_set(&place.at("set"), 12, 4, 200, 40);
    let train = "train 24 16 --dataset idx:set --num-epochs 1 --backend cpu --set jitter=1 --set flips=true --log-dir run";
    place.done(train);
    let probe = place.json("eval run --probe --probe-epochs 20 --json");
    assert!(probe["accuracy"].as_f64() > Some(0.5), "four classes: {probe}");
}

/// Without a head the first layer matters to reading alone; a head is trained on the layers that it reads.
#[test]
fn the_first_layer_counts_where_it_is_asked_for() {
    let place = trained("baseline");
    let train = "train 24 16 --dataset idx:set --num-epochs 6 --backend cpu --log-dir";
    place.done(&format!("{train} first --recipe baseline --set first_layer=1"));
    let of = |what: &str| place.json(&format!("eval {what} --json"));
    let (without, with) = (of("run"), of("first"));
    assert_ne!(without, with, "a set on which the first layer changes nothing proves nothing");
    assert_eq!(of("run --set first_layer=1"), with);
    assert_eq!(of("first --set first_layer=2"), without);
    // Energy is the sum over the layers that count: with the first, over both.
    let scores = |what: &str| -> Vec<f64> {
        let told = place.json(&format!("predict {what} set/t10k-images-idx3-ubyte --json"));
        serde_json::from_value(told[0]["scores"].clone()).unwrap()
    };
    assert!(scores("run").iter().zip(scores("first")).all(|(above, all)| all > *above));

    place.done(&format!("{train} head --recipe hinton"));
    let head = of("head");
    let outcome = place.done("eval head --set first_layer=1 --json");
    assert!(outcome.stderr.contains("note: head/checkpoints/last.safetensors: its head was trained with"));
    let anew: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert!(head["head_accuracy"].is_number() && anew["head_accuracy"].is_null(), "{anew}");
    let message = place.refused("eval head --set first_layer=1 --predict head");
    assert!(message.contains("`evaluation.first_layer = 2`, and cannot be read with 1"), "{message}");
    assert_eq!(of("head --set first_layer=1 --probe --probe-epochs 1")["predict"], "probe");
}

#[test]
fn what_does_not_fit_is_refused() {
    let place = trained("baseline");
    for (line, words) in [
        ("eval run --dataset digits", ["--dataset digits", "12×12"]),
        ("eval run --predict head", ["--predict", "head"]),
        ("eval run/checkpoints/last.safetensors --checkpoint best", ["--checkpoint", "file"]),
        ("eval run/config.toml", ["config.toml", "safetensors"]),
        ("eval set", ["set", "no run"]),
        ("predict run set/nothing.png", ["nothing.png", "No such file"]),
        ("predict run run/config.toml", ["config.toml", "no PNG or JPEG"]),
    ] {
        let message = place.refused(line);
        words
            .iter()
            .for_each(|word| assert!(message.contains(word), "ff {line}: {message:?} lacks {word:?}"));
    }
    write_set(&place.at("other"), 14, 5, 50, 10);
    let message = place.refused("predict run other/t10k-images-idx3-ubyte");
    assert!(message.contains("14×14") && message.contains("12×12"), "{message}");
}

#[test]
fn predictions_of_idx_and_png() {
    let place = trained("baseline");
    let predictions = place.json("predict run set/t10k-images-idx3-ubyte --json");
    let labels = place.bytes("set/t10k-labels-idx1-ubyte")[8..].to_vec();
    let predictions = predictions.as_array().unwrap();
    assert_eq!(predictions.len(), 40);
    let right = predictions.iter().zip(&labels).filter(|(found, label)| found["label"] == **label).count();
    assert_eq!(place.json("eval run --json")["correct"], right);
    assert_eq!(keys(&predictions[0]), ["image", "label", "scores", "probabilities"]);
    assert_eq!(predictions[0]["scores"].as_array().unwrap().len(), 4);

    let image = &place.bytes("set/t10k-images-idx3-ubyte")[16..16 + 144];
    let file = BufWriter::new(std::fs::File::create(place.at("digit.png")).unwrap());
    let mut encoder = png::Encoder::new(file, 12, 12);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.write_header().unwrap().write_image_data(image).unwrap();
    let from_png = place.json("predict run digit.png --json");
    assert_eq!(from_png[0]["image"], "digit.png");
    assert_eq!(from_png[0]["scores"], predictions[0]["scores"]);
    let text = place.done("predict run digit.png").stdout;
    assert!(text.starts_with(&format!("digit.png: {}", predictions[0]["label"])), "{text}");

    let inverted: Vec<u8> = image.iter().map(|pixel| 255 - pixel).collect();
    place.write("inverted", idx::file(&[1, 12, 12], &inverted));
    assert_eq!(place.json("predict run inverted --invert --json")[0]["scores"], predictions[0]["scores"]);
}

/// What a run keeps for figures, beside what `ff predict` says of every image and every label.
#[test]
fn a_run_keeps_its_most_confident_errors() {
    for recipe in [
        "baseline",
        "contrast --predict head",
        "backprop",
        "pred --predict ensemble",
        "hinton --predict ensemble",
    ] {
        let place = Place::new();
        write_set(&place.at("set"), 12, 4, 60, 40);
        let (recipe, predict) = recipe.split_once(" --predict ").unwrap_or((recipe, ""));
        let set = if predict.is_empty() { String::new() } else { format!("--set predict={predict}") };
        // An odd chunk, so that errors end within one.
        place.done(&format!(
            "train 6 6 --dataset idx:set --recipe {recipe} {set} --num-epochs 1 --batch-size 32 \
             --eval-batch-size 7 --backend cpu --log-dir run"
        ));
        let found: Value = serde_json::from_str(&place.read("run/evaluation.json")).unwrap();
        let predictions = place.json("predict run set/t10k-images-idx3-ubyte --json");
        let labels = place.bytes("set/t10k-labels-idx1-ubyte")[8..].to_vec();
        let images = place.bytes("set/t10k-images-idx3-ubyte")[16..].to_vec();
        let told = |i: usize| {
            let (label, taken) = (labels[i] as usize, predictions[i]["label"].as_u64().unwrap() as usize);
            let score = |label: usize| predictions[i]["scores"][label].as_f64().unwrap();
            (label, taken, score(taken) - score(label))
        };
        let (mut wrong, right): (Vec<usize>, Vec<usize>) = (0..40).partition(|&i| told(i).0 != told(i).1);
        assert!(wrong.len() > 1 && !right.is_empty(), "{recipe}: nothing to put in order");
        wrong.sort_by(|&a, &b| told(b).2.total_cmp(&told(a).2));
        assert_eq!((&found["images"], &found["errors"]), (&40.into(), &wrong.len().into()), "{recipe}");
        let samples = found["samples"].as_array().unwrap();
        assert_eq!(samples.len(), 25, "{recipe}");
        for (sample, &i) in samples.iter().zip(wrong.iter().chain(&right)) {
            assert_eq!(sample["label"], told(i).0, "{recipe}, image {i}");
            assert_eq!(sample["prediction"], told(i).1, "{recipe}, image {i}");
            assert_eq!(sample["pixels"], json!(&images[144 * i..144 * (i + 1)]), "{recipe}, image {i}");
        }
        let activity: Vec<f64> = serde_json::from_value(found["activity"].clone()).unwrap();
        assert!(activity.len() == 6 && activity.iter().all(|h| *h >= 0.0), "{recipe}: {activity:?}");
        assert!(activity.iter().any(|h| *h > 0.0), "{recipe}: {activity:?}");
    }
}

#[test]
fn another_recipe_reads_the_same_data() {
    let place = Place::new();
    place.done("train 12 --dataset digits --num-epochs 1 --backend cpu --log-dir run --quiet");
    // Offline: MNIST, which no flag names, is not there.
    assert_eq!(place.json("eval run --recipe original --backend cpu --json")["total"], 355);
    place.write("x.toml", "[data]\ndataset = \"idx:nowhere\"\n");
    assert!(place.refused("eval run --config x.toml --backend cpu").contains("nowhere"));
}

#[test]
fn sizes_are_those_of_the_tensors() {
    let place = trained("baseline");
    let message = place.refused("eval run --set layer_sizes=[5]");
    for word in ["--set layer_sizes=[5]", "[24, 16]", "last.safetensors"] {
        assert!(message.contains(word), "{message}");
    }
    assert_eq!(place.json("eval run --set layer_sizes=[24,16] --json"), place.json("eval run --json"));
    let message = place.refused("eval run --recipe hinton --dataset digits");
    assert!(message.contains("12×12"), "{message}");
}

#[test]
fn a_run_is_read_from_any_folder() {
    let place = trained("baseline");
    let mut program = place.program();
    program.current_dir(place.at("set")).args(["eval", "../run", "--json", "--backend", "cpu"]);
    let output = program.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// More classes than pixels: there is no room for the label in the image.
#[test]
fn labels_that_would_cover_the_image_are_refused() {
    let place = Place::new();
    write_set(&place.at("set"), 2, 5, 300, 50);
    place.done("train 8 --dataset idx:set --set label=prepend --num-epochs 1 --backend cpu --log-dir run");
    let message = place.refused("eval run --set label=overlay");
    assert_eq!(
        message,
        "--set label=overlay: `network.label` is \"overlay\", but 5 label features would cover all 4 pixels; \
         use \"prepend\""
    );
}
