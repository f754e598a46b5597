//! Wrong requests: one clear line, exit code 2, nothing written.

use crate::place::{Place, SMALL};

/// Checks that a line is refused with a message that holds every one of some words.
fn refused(line: &str, words: &[&str]) {
    let message = Place::new().refused(line);
    for word in words {
        assert!(message.contains(word), "ff {line}: {message:?} lacks {word:?}");
    }
}

/// The same for the small run with something added.
fn small(rest: &str, words: &[&str]) {
    refused(&format!("{SMALL} {rest}"), words);
}

#[test]
fn unknown_commands_and_flags_suggest_the_nearest() {
    refused("trian", &["'trian'", "'train'"]);
    small("--learning-rat 0.1", &["'--learning-rat'", "'--learning-rate'"]);
    small("--num_epoch 3", &["'--num-epoch'", "'--num-epochs'"]);
    small("--bogus", &["'--bogus'"]);
    refused("eval", &["not provided: <RUN_OR_CHECKPOINT>"]);
    refused("devices --josn", &["'--json'"]);
    refused("completions fihs", &["fish"]);
}

#[test]
fn unknown_keys_suggest_the_nearest() {
    small("--set treshold=3", &["--set treshold=3", "unknown knob `treshold`", "did you mean `threshold`?"]);
    small("--set training.batchsize=3", &["did you mean `training.batch_size`?"]);
    small("--set nothing", &["--set nothing", "key=value"]);
    for (text, words) in [
        ("[training]\nnum_epoch = 3", ["bad.toml:2:1", "did you mean `num_epochs`?"]),
        ("[trainning]\nnum_epochs = 3", ["bad.toml:1:2", "did you mean `training`?"]),
        ("[training]\nnum_epochs = 0", ["bad.toml:2:14", "at least 1, found 0"]),
        ("[training]\nlearning_rate = \"fast\"", ["bad.toml:2:17", "must be a number"]),
        ("[training\nnum_epochs = 3", ["bad.toml:1:10", "unclosed table"]),
        ("name = \"x\"\n[sweep]\nseed = [1, 2]", ["bad.toml:", "ff sweep"]),
    ] {
        let place = Place::new();
        place.write("bad.toml", text);
        let message = place.refused("train 8 --dataset digits --config bad.toml --log-dir run");
        words.iter().for_each(|word| assert!(message.contains(word), "{message:?} lacks {word:?}"));
    }
    small("--config missing.toml", &["--config", "missing.toml", "No such file"]);
    small("--recipe orignal", &["--recipe", "did you mean `original`?"]);
    small("--recipe missing.toml", &["--recipe", "missing.toml"]);
}

#[test]
fn sizes_that_are_none() {
    refused("train 0 --dataset digits", &["LAYER_SIZES", "found 0"]);
    refused("train 8 -3 --dataset digits", &["LAYER_SIZES", "-3"]);
    refused("train 8 2.5 --dataset digits", &["LAYER_SIZES", "2.5"]);
    refused("train 8 many --dataset digits", &["LAYER_SIZES", "many"]);
    refused("train 99999999 --dataset digits", &["LAYER_SIZES", "99999999"]);
    refused("train --dataset digits --set layer_sizes=[]", &["--set layer_sizes=[]", "at least one layer"]);
    for flag in ["--batch-size", "--num-epochs", "--eval-batch-size"] {
        small(&format!("{flag} 0"), &[flag, "at least 1, found 0"]);
        small(&format!("{flag} -1"), &[flag, "found -1"]);
        small(&format!("{flag} 1.5"), &[flag, "found 1.5"]);
        small(&format!("{flag} few"), &[flag, "few"]);
    }
    small("--batch-size 99999999999999999999", &["--batch-size", "at most 9223372036854775807, found 9999"]);
    small("--seed 9223372036854775808", &["--seed", "at most 9223372036854775807"]);
    refused("train 99999999999999999999 --dataset digits", &["LAYER_SIZES", "at most", "found 9999"]);
    small("--set seed=\"5\"", &["--set seed", "found string"]);
    small("--seed -1", &["--seed", "-1"]);
    small("--threads -1", &["--threads", "-1"]);
    refused("bench 0", &["LAYER_SIZES", "found 0"]);
    refused("bench 8 --steps 0", &["--steps"]);
    refused("bench 8 --batch-size 1000000000", &["--batch-size", "GiB"]);
    refused("bench 8 --backend cpu --tune", &["--backend", "no kernels to tune"]);
}

#[test]
fn more_than_the_data_has() {
    small("--batch-size 1443", &["--batch-size", "1443", "1442"]);
    small("--validation-size 1442", &["--validation-size", "1442"]);
    small("--validation-size 1400", &["42"]);
    refused("train 1000000 1000000 --dataset digits --backend cpu --log-dir run", &["LAYER_SIZES", "GiB"]);
}

#[test]
fn rates_that_are_none() {
    for value in ["nan", "inf", "-inf", "-0.001", "0"] {
        small(&format!("--learning-rate={value}"), &["--learning-rate", "above 0"]);
        small(&format!("--set head.learning_rate={value}"), &["head.learning_rate", "above 0"]);
    }
    small("--learning-rate fast", &["--learning-rate", "must be a number", "fast"]);
    small("--threshold nan", &["--threshold", "finite"]);
    small("--threshold high", &["--threshold", "\"width\""]);
    small("--set temperature=0", &["temperature", "above 0"]);
    small("--set dropout=1", &["dropout", "below 1"]);
}

#[test]
fn numbers_that_single_precision_does_not_have() {
    for (rest, knob) in [
        ("--learning-rate 1e308", "--learning-rate"),
        ("--learning-rate 1e-60", "--learning-rate"),
        ("--threshold 1e39", "--threshold"),
        ("--set temperature=1e-50", "temperature"),
        ("--set initial_scale=1e40", "initial_scale"),
        ("--set gradient_scale=1e40", "gradient_scale"),
        ("--set peer_normalization=1e40", "peer_normalization"),
        ("--set label_strength=1e40", "label_strength"),
    ] {
        small(rest, &[knob, "32-bit"]);
    }
    for knob in ["head.learning_rate", "head.weight_decay", "training.weight_decay"] {
        small(&format!("--recipe hinton --set {knob}=1e40"), &[knob, "32-bit"]);
    }
    small("--recipe contrast --set alpha=1e40", &["alpha", "32-bit"]);
    small("--recipe hinton --set momentum=0.999999999", &["momentum", "32-bit"]);
}

#[test]
fn knobs_that_contradict_or_do_nothing() {
    small("--set negatives=hard", &["negatives", "head.enabled"]);
    small("--set predict=head", &["predict", "head.enabled"]);
    small("--set alpha=2", &["alpha", "has no effect"]);
    small("--precision tf32", &["--precision", "needs a GPU"]);
    small("--force --resume", &["--force", "--resume"]);
}

#[test]
fn unknown_places() {
    small("--dataset digts", &["--dataset", "did you mean `digits`?"]);
    small("--dataset idx:nowhere", &["nowhere", "train-images-idx3-ubyte"]);
    small("--backend gpu", &["--backend", "opencl:P.D"]);
    small("--backend opencl:99.99", &["--backend"]);
    refused("train --resume --log-dir run", &["--resume", "run", "no checkpoint"]);
    refused("train --resume --num-epochs 3 --log-dir run", &["--resume", "run", "no checkpoint"]);
    small("--log-dir /dev/null/run", &["--log-dir /dev/null/run"]);
    small("--resume --log-dir /dev/null/run", &["--log-dir /dev/null/run"]);
    small("--log-dir /dev/null", &["--log-dir /dev/null: not a directory"]);
    refused("eval nowhere", &["nowhere", "a run directory or a safetensors file"]);
    refused("predict nowhere image.png", &["nowhere"]);
    refused("plot nowhere", &["nowhere"]);
    refused("data info mnits", &["did you mean `mnist`?"]);
    refused("data info idx:nowhere", &["nowhere"]);
    refused("verify --backend gpu", &["--backend"]);
}

#[test]
fn a_directory_of_another_run() {
    let place = Place::new();
    place.done(SMALL);
    let message = place.refused(SMALL);
    for word in ["--log-dir run", "another run", "--resume", "--force"] {
        assert!(message.contains(word), "{message}");
    }
    place.done(&format!("{SMALL} --force --seed 5"));
    assert_eq!(place.config("run")["training"]["seed"].as_integer(), Some(5));
    assert_eq!(place.epochs("run").len(), 2);
    let message = place.refused(&format!("{SMALL} --resume --seed 6"));
    assert!(message.contains("--resume") && message.contains("training.seed"), "{message}");
    let message = place.refused("train --resume --log-dir run --num-epochs 1");
    assert!(message.contains("2 epochs are finished"), "{message}");
}

#[test]
fn a_directory_of_something_else() {
    let place = Place::new();
    std::fs::create_dir(place.at("run")).unwrap();
    place.write("run/thesis.tex", "years of work");
    for rest in ["", "--force"] {
        let message = place.refused(&format!("{SMALL} {rest}"));
        assert!(message.contains("--log-dir run") && message.contains("holds no run"), "{message}");
    }
    place.write("file", "");
    for rest in ["", "--force", "--resume"] {
        let message = place.refused(&format!("{SMALL} --log-dir file {rest}"));
        assert!(message.starts_with("--log-dir file: not a directory"), "{message}");
    }
}

#[test]
fn force_leaves_what_no_run_wrote() {
    let place = Place::new();
    place.done(SMALL);
    place.write("run/notes.txt", "mine");
    place.done(&format!("{SMALL} --force"));
    assert_eq!(place.read("run/notes.txt"), "mine");
}
