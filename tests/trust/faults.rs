//! One call of the system fails, each in its turn.
//!
//! Every trial trains a small run in which one call fails, then trains on without a fault, and compares the weights
//! with those of a run that met none. All errors of all calls are tried with FF_FAULTS=all; else each call fails with
//! one of them.

use std::path::PathBuf;
use std::process::Command;

use crate::place::Place;

const TRAIN: &str = "train 8 --dataset digits --backend cpu --threads 1 --quiet --set figures=false \
                     --set learning_rate_schedule=constant";

/// Calls that concern the run's files, and how many of each are tried at most.
const CALLS: [&str; 11] =
    ["open", "opendir", "stat", "read", "write", "fsync", "rename", "link", "unlink", "mkdir", "flock"];
/// EIO, ENOSPC, EDQUOT, ESTALE, EACCES.
const ERRORS: [i32; 5] = [5, 28, 122, 116, 13];

/// The shim, built here; `None` without a C compiler or where libraries are not loaded before others.
fn shim(place: &Place) -> Option<PathBuf> {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/trust/fault.c");
    let built = place.at("fault.so");
    let mut cc = Command::new("cc");
    let status = cc.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&built).arg(source).arg("-ldl").status();
    let works = cfg!(target_os = "linux") && status.is_ok_and(|status| status.success());
    if !works {
        eprintln!("skipped: no C compiler to build a shim with");
    }
    works.then_some(built)
}

struct Trial {
    /// Whether the call was reached, and what it concerned.
    hit: Option<String>,
    code: Option<i32>,
    stderr: String,
}

fn trial(place: &Place, shim: &PathBuf, call: &str, errno: i32, when: usize, line: &str) -> Trial {
    let told = place.at("told");
    let _ = std::fs::remove_file(&told);
    let mut program = place.program();
    program.args(line.split_whitespace()).env("LD_PRELOAD", shim);
    program.env("FAULT_BELOW", place.at("run")).env("FAULT_CALL", call);
    program
        .env("FAULT_ERRNO", errno.to_string())
        .env("FAULT_WHEN", when.to_string())
        .env("FAULT_TOLD", &told);
    let output = program.output().unwrap();
    Trial {
        hit: std::fs::read_to_string(&told).ok(),
        code: output.status.code(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn last(place: &Place, run: &str) -> Vec<u8> {
    place.bytes(&format!("{run}/checkpoints/last.safetensors"))
}

/// The trials of one command, begun from what `prepare` leaves in `run`; how many there were. After each, `train` goes
/// on.
fn every_call_fails_once(place: &Place, train: &str, line: &str, prepare: impl Fn()) -> usize {
    let Some(shim) = shim(place) else { return 0 };
    let all = std::env::var("FF_FAULTS").is_ok_and(|value| value == "all");
    let run = place.at("run");
    let line = format!("{line} --log-dir {}", run.display());
    place.done(&format!("{train} --log-dir whole"));
    let whole = (place.timeless_metrics("whole"), last(place, "whole"));
    let mut trials = 0;
    for call in CALLS {
        let mut when = 0;
        'calls: loop {
            when += 1;
            let errors = if all { &ERRORS[..] } else { &ERRORS[when % 5..][..1] };
            for &errno in errors {
                let _ = std::fs::remove_dir_all(&run);
                prepare();
                let before = place.at("run/metrics.jsonl").exists().then(|| place.timeless_metrics("run"));
                let Trial { hit, code, stderr } = trial(place, &shim, call, errno, when, &line);
                let Some(path) = hit else { break 'calls };
                trials += 1;
                let about = format!("{call} {when} of {path} fails with {errno}: exit {code:?}, {stderr}");
                assert!(matches!(code, Some(0..=2)), "{about}");
                if code != Some(0) {
                    let message = stderr.lines().find(|line| line.starts_with("ff: ")).expect(&about);
                    assert!(message.contains(run.to_str().unwrap()), "no path: {about}");
                    // Of the files that are written to in place, the message names the very one.
                    let in_place = path.contains("tfevents");
                    assert!(!in_place || message.contains("tfevents"), "another path: {about}");
                }
                // What was finished is still there.
                if let Some(before) = before {
                    let kept = place.timeless_metrics("run");
                    assert!(kept.starts_with(&before), "epochs are lost: {about}");
                }
                place.done(&format!("{train} --resume --log-dir run"));
                assert!(last(place, "run") == whole.1, "other weights: {about}");
                assert_eq!(place.timeless_metrics("run"), whole.0, "{about}");
            }
        }
    }
    println!("{trials} trials of `{line}`");
    trials
}

#[test]
fn a_new_run_survives_the_failure_of_any_call() {
    let place = Place::new();
    let train = format!("{TRAIN} --num-epochs 3");
    let trials = every_call_fails_once(&place, &train, &format!("{TRAIN} --num-epochs 2"), || {});
    assert!(trials == 0 || trials > 30, "{trials}");
}

#[test]
fn checkpoints_beside_the_training_survive_the_failure_of_any_call() {
    let place = Place::new();
    let train = format!("{TRAIN} --num-epochs 4 --set tensorboard=false --set checkpoint_seconds=0.02");
    let trials = every_call_fails_once(&place, &train, &train, || {});
    assert!(trials == 0 || trials > 30, "{trials}");
}

#[test]
fn a_resumed_run_survives_the_failure_of_any_call() {
    let place = Place::new();
    place.done(&format!("{TRAIN} --num-epochs 2 --log-dir saved"));
    let prepare = || {
        let (from, to) = (place.at("saved"), place.at("run"));
        assert!(Command::new("cp").arg("-r").args([from, to]).status().unwrap().success());
    };
    let train = format!("{TRAIN} --num-epochs 3");
    let trials = every_call_fails_once(&place, &train, "train --resume --num-epochs 3 --quiet", prepare);
    assert!(trials == 0 || trials > 30, "{trials}");
}

/// On file systems without locks a run goes on, and says that nobody is kept out.
#[test]
fn no_locks_are_told_and_no_obstacle() {
    let place = Place::new();
    let Some(shim) = shim(&place) else { return };
    for errno in [38, 37, 95] {
        let line = format!("{TRAIN} --num-epochs 1 --force --log-dir {}", place.at("run").display());
        let Trial { code, stderr, hit } = trial(&place, &shim, "flock", errno, 1, &line);
        assert!(hit.is_some());
        assert_eq!(code, Some(0), "{stderr}");
        assert!(stderr.starts_with("warning: ") && stderr.contains("no locks"), "{stderr}");
    }
}
