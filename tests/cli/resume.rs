//! Runs that are stopped, in whatever way, and go on.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::place::Place;

/// Long enough to be stopped in the middle.
const LONG: &str = "train 120 120 --dataset digits --recipe contrast --num-epochs 30 --validation-size 142 \
                    --set figures=false --set checkpoint_seconds=1000 --backend cpu";

/// Starts the long run and waits until some epochs are done.
fn started(place: &Place, run: &str) -> Child {
    let mut program = place.program();
    program.args(LONG.split_whitespace()).args(["--log-dir", run]);
    let mut child = program.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let began = Instant::now();
    let metrics = place.at(&format!("{run}/metrics.jsonl"));
    while std::fs::read_to_string(&metrics).unwrap_or_default().lines().count() < 4 {
        assert!(began.elapsed() < Duration::from_secs(60), "no epoch after a minute");
        assert!(child.try_wait().unwrap().is_none(), "ended too early");
        std::thread::sleep(Duration::from_millis(2));
    }
    child
}

fn signal(child: &Child, name: &str) {
    let status = std::process::Command::new("kill").args([name, &child.id().to_string()]).status();
    assert!(status.unwrap().success());
}

fn assert_same_run(place: &Place, one: &str, other: &str) {
    assert_eq!(place.timeless_metrics(one), place.timeless_metrics(other));
    for checkpoint in ["last", "best"] {
        let file = |run: &str| place.bytes(&format!("{run}/checkpoints/{checkpoint}.safetensors"));
        assert!(file(one) == file(other), "{checkpoint} of {one} and {other} differ");
    }
    let confusion = |run: &str| {
        let summary: serde_json::Value =
            serde_json::from_str(&place.read(&format!("{run}/summary.json"))).unwrap();
        assert_eq!(summary["status"], "done");
        summary["confusion_matrix"].clone()
    };
    assert_eq!(confusion(one), confusion(other));
}

#[test]
fn a_killed_run_goes_on_bit_for_bit() {
    let place = Place::new();
    place.done(&format!("{LONG} --log-dir whole"));
    let mut child = started(&place, "killed");
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success(), "it was over before it was killed");
    let ended = std::fs::read_to_string(place.at("killed/metrics.jsonl")).unwrap().matches('\n').count();
    assert!(ended < 30);
    let outcome = place.done("train --resume --log-dir killed --quiet");
    // Short epochs share a checkpoint: what is trained again is told.
    let told =
        format!("warning: epochs 2 to {ended} are trained again: the last checkpoint is that of epoch 1\n");
    assert_eq!(outcome.stderr, told);
    assert_same_run(&place, "whole", "killed");
}

#[test]
fn short_epochs_share_a_checkpoint() {
    let place = Place::new();
    place.done(&format!("{LONG} --log-dir whole"));
    place.done(&format!("{LONG} --log-dir saved --num-epochs 9 --set checkpoint_seconds=0"));
    let epoch = |file: &str| {
        let text = String::from_utf8_lossy(&place.bytes(file)).into_owned();
        let after = text.split(r"[run]\nepoch = ").nth(1).unwrap().to_owned();
        after.split(r"\n").next().unwrap().parse::<usize>().unwrap()
    };
    assert_eq!(epoch("saved/checkpoints/last.safetensors"), 9);
    assert_eq!(epoch("saved/checkpoints/previous.safetensors"), 8);
    assert_eq!(epoch("whole/checkpoints/last.safetensors"), 30);
    assert_eq!(epoch("whole/checkpoints/previous.safetensors"), 1);
}

#[test]
fn an_interrupted_run_says_how_to_go_on() {
    let place = Place::new();
    place.done(&format!("{LONG} --log-dir whole"));
    // SIGUSR1 is a scheduler's, which starts the run again.
    for (name, code) in [("-INT", 130), ("-TERM", 143), ("-USR1", 1)] {
        let run = name.trim_start_matches('-');
        let child = started(&place, run);
        signal(&child, name);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{name}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        let heard = stderr.lines().filter(|line| line.starts_with("stopping after this epoch")).count();
        assert_eq!(heard, 1, "{stderr}");
        let last = stderr.lines().last().unwrap();
        let done = place.epochs(run).len();
        assert!(
            last.starts_with(&format!("ff: stopped after epoch {done} of 30; go on with: ff train --resume")),
            "{last}"
        );
        let summary = place.read(&format!("{run}/summary.json"));
        assert!(summary.contains("\"status\": \"interrupted\""), "{summary}");
        place.done(&format!("train --resume --log-dir {run}"));
        assert_same_run(&place, "whole", run);
    }
}

#[test]
fn metrics_torn_or_ahead_of_the_checkpoint() {
    let place = Place::new();
    place.done(&format!("{LONG} --num-epochs 3 --log-dir whole"));
    place.done(&format!("{LONG} --num-epochs 2 --log-dir run"));
    // A crash after an epoch's metrics and before its checkpoint, and in the middle of a line.
    let metrics = place.read("run/metrics.jsonl");
    let whole = place.read("whole/metrics.jsonl");
    let ahead = whole.lines().last().unwrap();
    place.write("run/metrics.jsonl", format!("{metrics}{ahead}\n{{\"epoch\":4,\"train"));
    place.done("train --resume --log-dir run --set num_epochs=2");
    assert_eq!(place.read("run/metrics.jsonl"), metrics);
}

#[test]
fn more_epochs_than_at_first() {
    let place = Place::new();
    // A step size that falls over the run would fall otherwise in a longer one.
    let train = "train 40 30 --dataset digits --set learning_rate_schedule=constant --backend cpu";
    place.done(&format!("{train} --num-epochs 5 --log-dir whole"));
    place.done(&format!("{train} --num-epochs 2 --log-dir run"));
    place.done("train --resume --num-epochs 5 --log-dir run");
    assert_eq!(place.timeless_metrics("whole"), place.timeless_metrics("run"));
    let last = |run: &str| place.bytes(&format!("{run}/checkpoints/last.safetensors"));
    assert!(last("whole") == last("run"));
    assert_eq!(place.config("run")["training"]["num_epochs"].as_integer(), Some(5));
}

/// The map of a layer's activities is training's alone: it goes on, and no prediction needs it.
#[test]
fn a_map_of_activities_goes_on() {
    let place = Place::new();
    for optimizer in ["adam", "momentum"] {
        let train = format!(
            "train 20 15 --dataset digits --recipe predsim --set similarity_map=true --set optimizer={optimizer} \
             --set learning_rate_schedule=constant --backend cpu --quiet"
        );
        let [whole, run] = ["whole", "run"].map(|name| format!("{optimizer}-{name}"));
        place.done(&format!("{train} --num-epochs 4 --log-dir {whole}"));
        place.done(&format!("{train} --num-epochs 2 --log-dir {run}"));
        place.done(&format!("train --resume --quiet --num-epochs 4 --log-dir {run}"));
        let last = |run: &str| place.bytes(&format!("{run}/checkpoints/last.safetensors"));
        assert!(last(&whole) == last(&run), "{optimizer}");
        let held = |checkpoint: &str| {
            let bytes = place.bytes(&format!("{run}/checkpoints/{checkpoint}.safetensors"));
            let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
            tensors.tensor("optimizer.layers.1.similarity_map").map(|map| map.shape().to_vec()).ok()
        };
        assert_eq!((held("last"), held("best")), (Some(vec![15, 15]), None));
        let accuracy =
            |file: &str| place.json(&format!("eval {run}/checkpoints/{file} --json"))["accuracy"].clone();
        assert!(accuracy("best.safetensors").as_f64() >= accuracy("last.safetensors").as_f64());
    }
}

/// The mean of the weights is evaluated and saved; training goes on from the weights themselves.
#[test]
fn weights_are_averaged_over_epochs() {
    let place = Place::new();
    let train = "train 20 15 --dataset digits --recipe hinton --set learning_rate_schedule=constant --backend cpu --quiet";
    for epochs in 1..=4 {
        place.done(&format!("{train} --num-epochs {epochs} --log-dir plain-{epochs}"));
    }
    place.done(&format!("{train} --set average_from=2 --num-epochs 4 --log-dir whole"));
    place.done(&format!("{train} --set average_from=2 --num-epochs 3 --log-dir run"));
    place.done("train --resume --quiet --num-epochs 4 --log-dir run");
    let last = |run: &str| place.bytes(&format!("{run}/checkpoints/last.safetensors"));
    assert!(last("whole") == last("run"));
    assert_eq!(place.timeless_metrics("whole"), place.timeless_metrics("run"));

    let values = |run: &str, name: &str| -> Vec<f32> {
        let bytes = last(run);
        let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let values = tensors.tensor(name).unwrap();
        values.data().chunks_exact(4).map(|x| f32::from_le_bytes(x.try_into().unwrap())).collect()
    };
    for name in ["layers.0.weight", "layers.1.bias", "head.1.weight"] {
        let plain = [2, 3, 4].map(|epochs| values(&format!("plain-{epochs}"), name));
        assert_eq!(values("whole", &format!("optimizer.{name}.trained")), plain[2], "{name}");
        for (i, mean) in values("whole", name).into_iter().enumerate() {
            let expected = plain.iter().map(|values| f64::from(values[i])).sum::<f64>() / 3.0;
            assert!((f64::from(mean) - expected).abs() < 1e-6, "{name}[{i}]: {mean}, {expected}");
        }
    }
    let accuracy = |run: &str| place.json(&format!("eval {run} --json"))["accuracy"].clone();
    let ended = place.read("whole/metrics.jsonl");
    let ended: serde_json::Value = serde_json::from_str(ended.lines().last().unwrap()).unwrap();
    assert_eq!(accuracy("whole/checkpoints/last.safetensors"), ended["accuracy"]);
    // Epochs before the mean are those of any run.
    assert_eq!(place.timeless_metrics("whole")[0], place.timeless_metrics("plain-1")[0]);
}

#[test]
fn what_is_done_is_not_done_again() {
    let place = Place::new();
    let train = "train 20 --dataset digits --backend cpu --num-epochs 2 --log-dir run";
    place.done(train);
    let before = (place.read("run/metrics.jsonl"), place.bytes("run/checkpoints/last.safetensors"));
    place.done(&format!("{train} --resume"));
    assert!(before == (place.read("run/metrics.jsonl"), place.bytes("run/checkpoints/last.safetensors")));
}

#[test]
fn a_checkpoint_that_does_not_fit() {
    let place = Place::new();
    place.done("train 20 --dataset digits --backend cpu --num-epochs 1 --log-dir run");
    place.done("train 30 --dataset digits --backend cpu --num-epochs 1 --log-dir other");
    let last = "checkpoints/last.safetensors";
    let (own, other) = (place.bytes(&format!("run/{last}")), place.bytes(&format!("other/{last}")));
    for contents in [other.as_slice(), b"", b"not a checkpoint", &own[..own.len() / 2], &own[..own.len() - 1]]
    {
        place.write(&format!("run/{last}"), contents);
        let message = place.refused("train --resume --num-epochs 2 --log-dir run");
        assert!(message.contains("last.safetensors"), "{message}");
        if contents != other {
            assert!(place.refused("eval run").contains("last.safetensors"));
        }
    }
}

#[test]
fn two_processes_in_one_directory() {
    let place = Place::new();
    let mut child = started(&place, "run");
    let second = place.ff("train --resume --log-dir run");
    assert_eq!(second.code, Some(2), "{}", second.stderr);
    assert!(second.stderr.contains("another process is training in it"), "{}", second.stderr);
    assert_eq!(place.ff(&format!("{LONG} --log-dir run --force")).code, Some(2));
    child.kill().unwrap();
    child.wait().unwrap();
}

/// What is left of a run that was killed in its first epoch.
fn leave_the_beginning(place: &Place, run: &str) {
    std::fs::remove_dir_all(place.at(&format!("{run}/checkpoints"))).unwrap();
    std::fs::remove_file(place.at(&format!("{run}/summary.json"))).unwrap();
    let first = place.read(&format!("{run}/metrics.jsonl")).lines().next().unwrap().to_owned();
    place.write(&format!("{run}/metrics.jsonl"), first + "\n");
}

#[test]
fn a_run_without_a_checkpoint_begins() {
    let place = Place::new();
    let train = "train 20 --dataset digits --backend cpu --num-epochs 2 --set figures=false --quiet";
    // As a script has it that does not know whether there is a run.
    place.done(&format!("{train} --resume --log-dir whole"));
    std::fs::create_dir(place.at("empty")).unwrap();
    place.done(&format!("{train} --resume --log-dir empty"));
    for line in [format!("{train} --resume --log-dir run"), "train --resume --log-dir run --quiet".to_owned()]
    {
        place.done(&format!("{train} --log-dir run --force"));
        leave_the_beginning(&place, "run");
        let message = place.refused(&format!("{train} --resume --log-dir run --seed 5"));
        assert!(message.contains("training.seed"), "{message}");
        place.done(&line);
        assert_eq!(place.timeless_metrics("whole"), place.timeless_metrics("run"));
        assert_eq!(place.timeless_metrics("whole"), place.timeless_metrics("empty"));
    }
}

#[test]
fn a_lost_checkpoint_is_no_beginning() {
    let place = Place::new();
    place.done("train 20 --dataset digits --backend cpu --num-epochs 2 --log-dir run");
    for name in ["last", "previous"] {
        std::fs::remove_file(place.at(&format!("run/checkpoints/{name}.safetensors"))).unwrap();
    }
    let message = place.refused("train --resume --log-dir run");
    assert!(message.contains("2 epochs") && message.contains("--force"), "{message}");
}

/// The weights do not depend on the text beside them.
#[test]
fn lost_lines_of_metrics_are_told() {
    let place = Place::new();
    place.done("train 20 --dataset digits --backend cpu --set learning_rate_schedule=constant --num-epochs 4 --log-dir whole");
    place.done("train 20 --dataset digits --backend cpu --set learning_rate_schedule=constant --num-epochs 3 --log-dir run");
    std::fs::rename(place.at("run"), place.at("saved")).unwrap();
    let metrics = place.read("saved/metrics.jsonl");
    let lines: Vec<&str> = metrics.lines().collect();
    let torn = metrics[..metrics.len() - 5].to_owned();
    for (text, lost) in [
        (torn, "3 of 3"),
        (lines[0].to_owned() + "\n", "2, 3 of 3"),
        (format!("{}\nnothing\n{}\n{}\n", lines[2], lines[0], lines[2]), "2 of 3"),
        (String::new(), "1, 2, 3 of 3"),
    ] {
        copy(&place.at("saved"), &place.at("run"));
        place.write("run/metrics.jsonl", &text);
        let outcome = place.done("train --resume --num-epochs 4 --log-dir run --quiet");
        let told = format!("run/metrics.jsonl: the lines of epochs {lost} are lost");
        assert!(outcome.stderr.contains(&told), "{}", outcome.stderr);
        let kept: Vec<u64> = place.epochs("run").iter().map(|line| line["epoch"].as_u64().unwrap()).collect();
        assert!(kept.is_sorted() && kept.last() == Some(&4), "{kept:?}");
        let last = |run: &str| place.bytes(&format!("{run}/checkpoints/last.safetensors"));
        assert!(last("whole") == last("run"));
        assert_eq!(place.summary("run")["epochs"], 4);
        std::fs::remove_dir_all(place.at("run")).unwrap();
    }
    // A line after the last is not what counts: the checkpoint says what is finished.
    copy(&place.at("saved"), &place.at("run"));
    std::fs::remove_file(place.at("run/metrics.jsonl")).unwrap();
    place.done("train --resume --log-dir run --quiet");
    let summary = place.summary("run");
    assert_eq!((&summary["status"], &summary["epochs"]), (&"done".into(), &3.into()));
}

#[test]
fn a_knob_edited_in_the_config_is_compared_with_the_checkpoint() {
    let place = Place::new();
    place.done("train 20 --dataset digits --backend cpu --num-epochs 2 --log-dir run");
    let config = place.read("run/config.toml");
    for (knob, from, to) in [
        ("training.learning_rate", "learning_rate = 0.001", "learning_rate = 0.5"),
        ("training.seed", "seed = 42", "seed = 1"),
    ] {
        assert!(config.contains(from), "{config}");
        place.write("run/config.toml", config.replacen(from, to, 1));
        for line in ["", "--num-epochs 4"] {
            let outcome = place.ff(&format!("train --resume --log-dir run {line}"));
            assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
            assert!(outcome.stderr.contains(knob), "{}", outcome.stderr);
        }
    }
    assert_eq!(place.epochs("run").len(), 2);
    place.write("run/config.toml", config);
    place.done("train --resume --log-dir run --num-epochs 3");
}

/// Copies a run directory.
fn copy(from: &std::path::Path, to: &std::path::Path) {
    let status = std::process::Command::new("cp").arg("-r").args([from, to]).status();
    assert!(status.unwrap().success());
}

#[test]
fn a_damaged_checkpoint_is_noticed_and_the_one_before_is_gone_on_from() {
    let place = Place::new();
    let train = "train 20 --dataset digits --backend cpu --set learning_rate_schedule=constant";
    place.done(&format!("{train} --num-epochs 4 --log-dir whole"));
    place.done(&format!("{train} --num-epochs 3 --log-dir saved"));
    let last = "checkpoints/last.safetensors";
    let bytes = place.bytes(&format!("saved/{last}"));
    let flipped = |at: usize| {
        let mut bytes = bytes.clone();
        bytes[at] ^= 4;
        Some(bytes)
    };
    let (middle, end) = (bytes.len() / 2, bytes.len() - 1);
    for damaged in
        [flipped(middle), flipped(end), flipped(100), Some(bytes[..middle].to_vec()), Some(Vec::new()), None]
    {
        copy(&place.at("saved"), &place.at("run"));
        match damaged {
            Some(bytes) => place.write(&format!("run/{last}"), bytes),
            None => std::fs::remove_file(place.at(&format!("run/{last}"))).unwrap(),
        }
        let outcome = place.done("train --resume --num-epochs 4 --log-dir run --quiet");
        let words = ["warning: ", "last.safetensors", "previous.safetensors"];
        assert!(words.iter().all(|word| outcome.stderr.contains(word)), "{}", outcome.stderr);
        assert_same_run(&place, "whole", "run");
        std::fs::remove_dir_all(place.at("run")).unwrap();
    }
    // Both damaged: nothing to go on from, and nothing is removed.
    copy(&place.at("saved"), &place.at("run"));
    place.write(&format!("run/{last}"), flipped(middle).unwrap());
    place.write("run/checkpoints/previous.safetensors", flipped(end).unwrap());
    let message = place.refused("train --resume --num-epochs 4 --log-dir run --quiet");
    assert!(message.contains("last.safetensors") && message.contains("damaged"), "{message}");
    assert!(place.refused("eval run").contains("damaged"));
}

/// What a damaged last checkpoint takes back may be the best epoch.
#[test]
fn the_test_set_is_not_measured_with_a_best_epoch_that_is_gone() {
    let place = Place::new();
    let train = "train 40 30 --recipe contrast --dataset digits --backend cpu --threads 1 --batch-size 100 \
                 --validation-size 300 --set learning_rate_schedule=constant --set figures=false";
    place.done(&format!("{train} --num-epochs 6 --log-dir run"));
    assert_eq!(place.summary("run")["best_epoch"], 6);
    place.done(&format!("{train} --num-epochs 5 --log-dir straight"));
    let last = "run/checkpoints/last.safetensors";
    place.write(last, [place.bytes(last), vec![0]].concat());
    let said = place.done(&format!("{train} --num-epochs 5 --log-dir run --resume")).stderr;
    assert!(said.contains("best.safetensors: does not hold epoch 5, the best"), "{said}");
    let [run, straight] = ["run", "straight"].map(|run| place.summary(run));
    assert_eq!(straight["evaluated_epoch"], 5);
    for key in ["evaluated_epoch", "test_accuracy", "confusion_matrix"] {
        assert_eq!(run[key], straight[key], "{key}");
    }
}

#[test]
fn without_its_config_a_run_goes_on_from_its_checkpoint() {
    let place = Place::new();
    let train = "train 20 16 --dataset digits --backend cpu --threshold 3 --seed 7 --set learning_rate_schedule=constant";
    place.done(&format!("{train} --num-epochs 4 --log-dir whole"));
    place.done(&format!("{train} --num-epochs 2 --log-dir run"));
    std::fs::remove_file(place.at("run/config.toml")).unwrap();
    let message = place.refused("train 20 --dataset digits --backend cpu --num-epochs 2 --log-dir run");
    assert!(message.contains("another run"), "{message}");
    let outcome = place.done("train --resume --log-dir run --num-epochs 4 --quiet");
    assert!(outcome.stderr.contains("config.toml"), "{}", outcome.stderr);
    assert_same_run(&place, "whole", "run");
    assert_eq!(place.config("run")["training"]["seed"].as_integer(), Some(7));
    std::fs::remove_file(place.at("run/config.toml")).unwrap();
    place.done("train 24 --dataset digits --backend cpu --num-epochs 1 --log-dir run --force");
    assert_eq!(place.epochs("run").len(), 1);
}

#[test]
fn changed_data_are_noticed() {
    let place = Place::new();
    let write = |shift: u8| {
        for (split, count) in [("train", 120u8), ("t10k", 30)] {
            let pixels: Vec<u8> =
                (0..count).flat_map(|row| (0..16).map(move |at| row.wrapping_mul(7) ^ at)).collect();
            let labels: Vec<u8> = (0..count).map(|row| (row + shift) % 3).collect();
            let images = [&[0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 4, 0, 0, 0, 4][..], &pixels].concat();
            place.write(&format!("data/{split}-images-idx3-ubyte"), images);
            place.write(
                &format!("data/{split}-labels-idx1-ubyte"),
                [&[0, 0, 8, 1, 0, 0, 0, count][..], &labels].concat(),
            );
        }
    };
    std::fs::create_dir(place.at("data")).unwrap();
    write(0);
    place.done(
        "train 8 --dataset idx:data --num-epochs 2 --batch-size 20 --backend cpu --log-dir run --quiet",
    );
    write(1);
    let outcome = place.ff("train --resume --log-dir run --num-epochs 3 --quiet");
    assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("--accept-changed-data"), "{}", outcome.stderr);
    assert_eq!(place.epochs("run").len(), 2);
    let outcome = place.done("train --resume --log-dir run --num-epochs 3 --quiet --accept-changed-data");
    assert!(outcome.stderr.contains("warning: the data of"), "{}", outcome.stderr);
    // What was accepted is what the run goes on with.
    place.done("train --resume --log-dir run --num-epochs 4 --quiet");
    // The same data in another folder are the same data.
    std::fs::rename(place.at("data"), place.at("moved")).unwrap();
    place.done("train --resume --log-dir run --num-epochs 5 --quiet --dataset idx:moved");
}
