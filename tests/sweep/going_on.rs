//! A sweep that is cut short goes on as if it had not been.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::experiment::{GRID, place, results, started};
use crate::place::Place;

/// The summaries of finished cells; a summary that is written again is another file.
fn finished(place: &Place, folder: &str) -> HashMap<PathBuf, (u64, i64)> {
    let mut found = HashMap::new();
    for entry in fs::read_dir(place.at(folder)).into_iter().flatten().flatten() {
        let path = entry.path().join("summary.json");
        if fs::read_to_string(&path).is_ok_and(|text| text.contains("\"status\": \"done\"")) {
            let facts = fs::metadata(&path).unwrap();
            found.insert(path, (facts.ino(), facts.mtime_nsec()));
        }
    }
    found
}

#[test]
fn what_is_done_is_skipped() {
    let place = place(GRID);
    place.done("sweep x.toml --log-dir s");
    let before = finished(&place, "s");
    assert_eq!(before.len(), 12);
    let again = place.done("sweep x.toml --log-dir s");
    assert!(again.stderr.contains("12 of 12 cells were done before"), "{}", again.stderr);
    assert_eq!(finished(&place, "s"), before);
}

#[test]
fn killed_at_any_moment_it_ends_with_the_same_results() {
    let place = place(GRID);
    let line = "sweep x.toml --quiet --set num_epochs=40";
    place.done(&format!("{line} --log-dir whole"));

    // Some time after so many cells are done, so that every kill strikes in the middle.
    let mut done = HashMap::new();
    for (cells, milliseconds) in [(0, 90), (1, 7), (3, 41), (5, 23), (8, 0)] {
        let mut child = started(&place, &format!("{line} --log-dir killed"));
        while finished(&place, "killed").len() < cells && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(2));
        }
        std::thread::sleep(Duration::from_millis(milliseconds));
        child.kill().unwrap();
        assert!(!child.wait().unwrap().success(), "it was over before it was killed");
        let now = finished(&place, "killed");
        assert!(done.iter().all(|(path, facts)| now.get(path) == Some(facts)), "a finished cell began again");
        done = now;
    }
    place.done(&format!("{line} --log-dir killed"));
    let now = finished(&place, "killed");
    assert!(done.iter().all(|(path, facts)| now.get(path) == Some(facts)), "a finished cell began again");
    assert_eq!(results(&place, "whole"), results(&place, "killed"));
}

/// What a sweep into `s` tells that gets a signal after its first cell, and heeds it.
fn asked_to_stop(place: &Place, line: &str, signal: &str) -> String {
    let child = started(place, line);
    let deadline = Instant::now() + Duration::from_secs(60);
    while finished(place, "s").is_empty() {
        assert!(Instant::now() < deadline, "no cell ends");
        std::thread::sleep(Duration::from_millis(5));
    }
    Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    // SIGUSR1 is a scheduler's, which starts the sweep again.
    let code = match signal {
        "-INT" => 130,
        "-TERM" => 143,
        _ => 1,
    };
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    stderr
}

/// Slurm sends SIGUSR1 to a task near its limit. Drivers that are loaded to look for a GPU may take it.
#[test]
fn a_task_hears_of_its_limit_after_a_gpu_was_looked_for() {
    let place = place(GRID);
    let line = "sweep x.toml --set backend.name=auto --set num_epochs=60 --log-dir s";
    let stderr = asked_to_stop(&place, line, "-USR1");
    assert!(stderr.contains("stopping after this epoch"), "{stderr}");
}

#[test]
fn an_interrupt_ends_the_epoch_and_says_how_to_go_on() {
    let place = place(GRID);
    let line = "sweep x.toml --jobs 2 --set num_epochs=60";
    place.done(&format!("{line} --log-dir whole --quiet"));
    let stderr = asked_to_stop(&place, &format!("{line} --log-dir s"), "-INT");
    let heard = stderr.lines().filter(|line| line.starts_with("stopping after this epoch")).count();
    assert_eq!(heard, 1, "{stderr}");
    let last = stderr.lines().last().unwrap();
    assert!(last.starts_with("ff: stopped with ") && last.ends_with("goes on from there"), "{stderr}");
    // The results so far are there.
    let statuses = crate::experiment::column(&place, "s", "status");
    assert!(statuses.iter().any(|status| status == "done"), "{statuses:?}");
    assert!(statuses.iter().any(|status| status == "pending" || status == "interrupted"), "{statuses:?}");
    place.done(&format!("{line} --log-dir s --quiet"));
    assert_eq!(results(&place, "whole"), results(&place, "s"));
}

#[test]
fn the_config_of_a_cell_repeats_its_numbers() {
    let place = place(GRID);
    place.done("sweep x.toml --log-dir s --quiet");
    for folder in crate::experiment::column(&place, "s", "run_dir") {
        let config = format!("s/{folder}/config.toml");
        let alone = place.json(&format!("train --config {config} --log-dir alone --force --quiet --json"));
        let mut whole: serde_json::Value =
            serde_json::from_str(&place.read(&format!("s/{folder}/summary.json"))).unwrap();
        for key in ["seconds", "run_dir"] {
            whole[key] = alone[key].clone();
        }
        assert_eq!(alone, whole);
        let weights = format!("s/{folder}/checkpoints/last.safetensors");
        assert!(place.bytes("alone/checkpoints/last.safetensors") == place.bytes(&weights));
    }
}
