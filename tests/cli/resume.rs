//! Runs that are stopped, in whatever way, and go on.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::place::Place;

/// Long enough to be stopped in the middle.
const LONG: &str = "train 120 120 --dataset digits --recipe contrast --num-epochs 30 --validation-size 142 \
                    --set figures=false --backend cpu";

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
    assert!(place.epochs("killed").len() < 30);
    place.done("train --resume --log-dir killed");
    assert_same_run(&place, "whole", "killed");
}

#[test]
fn an_interrupted_run_says_how_to_go_on() {
    let place = Place::new();
    place.done(&format!("{LONG} --log-dir whole"));
    for name in ["-INT", "-TERM", "-USR1"] {
        let run = name.trim_start_matches('-');
        let child = started(&place, run);
        signal(&child, name);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{name}");
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
    std::fs::remove_file(place.at("run/checkpoints/last.safetensors")).unwrap();
    let message = place.refused("train --resume --log-dir run");
    assert!(message.contains("2 epochs") && message.contains("--force"), "{message}");
}

#[test]
fn lost_lines_of_metrics() {
    let place = Place::new();
    place.done("train 20 --dataset digits --backend cpu --num-epochs 3 --log-dir run");
    let whole = place.read("run/metrics.jsonl");
    for kept in [&[0][..], &[0, 2], &[]] {
        let lines: Vec<&str> = whole.lines().collect();
        let text: String = kept.iter().map(|&at| format!("{}\n", lines[at])).collect();
        place.write("run/metrics.jsonl", text);
        let outcome = place.ff("train --resume --num-epochs 4 --log-dir run --quiet");
        assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
        let message = outcome.stderr;
        assert!(message.contains("metrics.jsonl") && message.contains("of epoch 3"), "{message}");
    }
    place.write("run/metrics.jsonl", whole);
    place.done("train --resume --num-epochs 4 --log-dir run");
}
