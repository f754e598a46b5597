//! Whose a directory is: before a run, while it trains, and when somebody interferes.

use std::fs;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::place::Place;

const SMALL: &str = "train 8 --dataset digits --backend cpu --threads 1 --quiet --set figures=false";
/// Long enough to be interfered with.
const LONG: &str = "train 60 60 --dataset digits --backend cpu --threads 1 --quiet --batch-size 16 \
                    --num-epochs 400 --set figures=false --set learning_rate_schedule=constant";

fn started(place: &Place, line: &str) -> Child {
    let mut program = place.program();
    program.args(line.split_whitespace()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits until a run has finished epochs.
fn wait_for_epochs(place: &Place, run: &str, epochs: usize) {
    let began = Instant::now();
    let lines = || fs::read_to_string(place.at(&format!("{run}/metrics.jsonl"))).unwrap_or_default();
    while lines().lines().count() < epochs {
        assert!(began.elapsed() < Duration::from_secs(60), "no epoch after a minute");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn ended(child: Child) -> (Option<i32>, String) {
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn logs_that_were_opened_before_make_a_directory_no_ones() {
    let place = Place::new();
    for (run, name) in [("a", "train.log"), ("b", ".gitkeep"), ("c", "slurm-1.out"), ("d", "12.err")] {
        fs::create_dir(place.at(run)).unwrap();
        place.write(&format!("{run}/{name}"), "a line");
        place.done(&format!("{SMALL} --num-epochs 1 --log-dir {run}"));
        place.done(&format!("{SMALL} --num-epochs 1 --log-dir {run} --force"));
        assert_eq!(place.read(&format!("{run}/{name}")), "a line");
    }
    // Whatever it is called, the file that the output goes to is a log.
    fs::create_dir(place.at("e")).unwrap();
    let told = fs::File::create(place.at("e/told.txt")).unwrap();
    let mut program = place.program();
    program.args(format!("{SMALL} --num-epochs 1 --log-dir e").split_whitespace()).stderr(told);
    assert!(program.status().unwrap().success());
}

#[test]
fn names_alone_make_no_run() {
    let place = Place::new();
    fs::create_dir(place.at("run")).unwrap();
    for (name, contents) in [
        ("config.toml", "[package]\nname = 'site'\n"),
        ("summary.json", "{\"report\": 1}"),
        ("sweep.toml", "name = 'x'"),
    ] {
        place.write(&format!("run/{name}"), contents);
        place.refused(&format!("{SMALL} --num-epochs 1 --log-dir run"));
        let message = place.refused(&format!("{SMALL} --num-epochs 1 --log-dir run --force"));
        assert!(message.contains("holds no run"), "{name}: {message}");
        fs::remove_file(place.at(&format!("run/{name}"))).unwrap();
    }
}

#[test]
fn force_leaves_files_of_others_in_the_folders_of_a_run() {
    let place = Place::new();
    place.done(&format!("{SMALL} --num-epochs 1 --log-dir run"));
    fs::create_dir_all(place.at("run/figures")).unwrap();
    place.write("run/checkpoints/mine.safetensors", "mine");
    place.write("run/figures/notes.txt", "mine");
    place.done(&format!("{SMALL} --num-epochs 1 --seed 3 --log-dir run --force"));
    assert_eq!(place.read("run/checkpoints/mine.safetensors"), "mine");
    assert_eq!(place.read("run/figures/notes.txt"), "mine");
}

#[test]
fn a_directory_that_is_moved_holds_the_whole_run() {
    let place = Place::new();
    let child = started(&place, &format!("{LONG} --log-dir a"));
    wait_for_epochs(&place, "a", 2);
    fs::rename(place.at("a"), place.at("b")).unwrap();
    let (code, stderr) = ended(child);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("a: moved"), "{stderr}");
    assert!(!place.at("a").exists(), "the run is in two halves");
    let epochs = place.epochs("b").len();
    place.done(&format!("train --resume --log-dir b --quiet --num-epochs {}", epochs + 1));
}

#[test]
fn a_lock_that_is_removed_ends_the_run_before_it_has_two_owners() {
    let place = Place::new();
    let first = started(&place, &format!("{LONG} --log-dir run"));
    wait_for_epochs(&place, "run", 2);
    fs::remove_file(place.at("run/.lock")).unwrap();
    let second = started(&place, &format!("{LONG} --log-dir run --resume"));
    let (code, stderr) = ended(first);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("run: moved, or its .lock removed"), "{stderr}");
    wait_for_epochs(&place, "run", 6);
    let status = std::process::Command::new("kill").arg(second.id().to_string()).status();
    assert!(status.unwrap().success());
    assert_eq!(ended(second).0, Some(143));
    // Each epoch once, in order.
    let epochs: Vec<u64> = place.epochs("run").iter().map(|line| line["epoch"].as_u64().unwrap()).collect();
    assert_eq!(epochs, (1..=epochs.len() as u64).collect::<Vec<_>>());
}

#[test]
fn of_new_runs_that_begin_together_one_trains() {
    let place = Place::new();
    for round in 0..3 {
        let run = format!("run{round}");
        let children: Vec<Child> = (0..4)
            .map(|seed| started(&place, &format!("{SMALL} --num-epochs 3 --seed {seed} --log-dir {run}")))
            .collect();
        let codes: Vec<Option<i32>> = children.into_iter().map(|child| ended(child).0).collect();
        assert_eq!(codes.iter().filter(|code| **code == Some(0)).count(), 1, "{codes:?}");
        assert_eq!(codes.iter().filter(|code| **code == Some(2)).count(), 3, "{codes:?}");
        assert_eq!(place.epochs(&run).len(), 3);
    }
}

#[test]
fn resume_goes_on_where_the_config_lies() {
    let place = Place::new();
    place.done(&format!("{SMALL} --num-epochs 2 --log-dir runs/a"));
    fs::rename(place.at("runs/a"), place.at("runs/forward_forward")).unwrap();
    place.done("train --resume --num-epochs 3 --quiet");
    assert!(!place.at("runs/a").exists());
    assert_eq!(place.epochs("runs/forward_forward").len(), 3);
    fs::rename(place.at("runs/forward_forward"), place.at("runs/b")).unwrap();
    place.done("train --resume --config runs/b/config.toml --num-epochs 4 --quiet");
    assert_eq!(place.epochs("runs/b").len(), 4);
}

#[test]
fn folders_of_data_are_written_down_whole() {
    let place = Place::new();
    place.done(&format!("{SMALL} --num-epochs 1 --data-dir some/where --log-dir run"));
    let folder = place.config("run")["data"]["data_dir"].as_str().unwrap().to_owned();
    let whole = place.path().canonicalize().unwrap().join("some/where");
    assert!(
        folder == whole.to_str().unwrap() || folder == place.at("some/where").to_str().unwrap(),
        "{folder}"
    );
}

/// A best checkpoint that is lost costs the summary's test accuracy at most, and not the run.
#[test]
fn a_lost_best_checkpoint_does_not_fail_the_run_for_ever() {
    let place = Place::new();
    let train = format!("{SMALL} --validation-size 142 --set learning_rate_schedule=constant");
    place.done(&format!("{train} --num-epochs 3 --log-dir run"));
    fs::remove_file(place.at("run/checkpoints/best.safetensors")).unwrap();
    let outcome = place.done("train --resume --log-dir run --quiet");
    assert!(outcome.stderr.contains("best.safetensors"), "{}", outcome.stderr);
    assert_eq!(place.summary("run")["status"], "done");
}
