//! Every signal that asks to end, for runs and sweeps, on every backend: the epoch is ended, written down, and the
//! exit code is what a shell expects.

use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::place::Place;

const LONG: &str = "train 60 60 --dataset digits --batch-size 16 --num-epochs 3000 --set figures=false \
                    --set learning_rate_schedule=constant --log-dir run";

fn send(child: &Child, name: &str) {
    let status = Command::new("kill").args([format!("-{name}"), child.id().to_string()]).status();
    assert!(status.unwrap().success());
}

fn wait_for(place: &Place, file: &str) {
    let began = Instant::now();
    while !place.at(file).exists() {
        assert!(began.elapsed() < Duration::from_secs(100), "no {file}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn backends(place: &Place) -> Vec<&'static str> {
    let opencl = place.ff("devices --json").stdout.contains("\"opencl:0.0\"");
    if opencl { vec!["auto", "cpu", "opencl"] } else { vec!["auto", "cpu"] }
}

fn started(place: &Place, line: &str) -> Child {
    let mut program = place.program();
    program.args(line.split_whitespace()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

const SIGNALS: [(&str, i32); 4] = [("INT", 130), ("TERM", 143), ("HUP", 129), ("USR1", 1)];

#[test]
fn a_run_ends_after_its_epoch() {
    let place = Place::new();
    for backend in backends(&place) {
        for (signal, code) in SIGNALS {
            let child = started(&place, &format!("{LONG} --force --backend {backend}"));
            wait_for(&place, "run/checkpoints/last.safetensors");
            send(&child, signal);
            let output = child.wait_with_output().unwrap();
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(code), "{backend} {signal}: {stderr}");
            assert!(stderr.contains("; go on with: ff train --resume --log-dir run"), "{stderr}");
            let summary = place.summary("run");
            assert_eq!(summary["status"], "interrupted", "{backend} {signal}");
            assert_eq!(summary["epochs"], place.epochs("run").len(), "{backend} {signal}");
            std::fs::remove_dir_all(place.at("run")).unwrap();
        }
    }
}

#[test]
fn a_sweep_ends_after_its_epochs() {
    let place = Place::new();
    place.write(
        "x.toml",
        "[data]\ndataset = 'digits'\n[network]\nlayer_sizes = [60, 60]\n[training]\nnum_epochs = 3000\n\
         batch_size = 16\n[logging]\nfigures = false\ntensorboard = false\n[sweep]\nseed = [1, 2]\n",
    );
    for backend in backends(&place) {
        for (signal, code) in SIGNALS {
            let child = started(&place, &format!("sweep x.toml --log-dir s --backend {backend}"));
            let plan = place.json("sweep x.toml --log-dir s --status --json");
            let cell = format!("s/{}", plan["results"][0]["run_dir"].as_str().unwrap());
            wait_for(&place, &format!("{cell}/checkpoints/last.safetensors"));
            send(&child, signal);
            let output = child.wait_with_output().unwrap();
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(code), "{backend} {signal}: {stderr}");
            assert_eq!(place.summary(&cell)["status"], "interrupted", "{backend} {signal}");
            std::fs::remove_dir_all(place.at("s")).unwrap();
        }
    }
}

/// A second Ctrl-C does not wait for the epoch, and says so.
#[test]
fn a_second_signal_ends_at_once() {
    let place = Place::new();
    // An epoch of minutes.
    let line = "train 1000 1000 --dataset digits --batch-size 1 --num-epochs 50 --backend cpu --log-dir run";
    let child = started(&place, line);
    wait_for(&place, "run/config.toml");
    std::thread::sleep(Duration::from_millis(300));
    send(&child, "INT");
    std::thread::sleep(Duration::from_millis(300));
    let began = Instant::now();
    send(&child, "TERM");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(143));
    assert!(began.elapsed() < Duration::from_secs(5));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("a second signal: stopped at once"), "{stderr}");
}

/// `nohup` and its kin: SIGHUP and SIGTERM that the program was told to ignore change nothing.
#[test]
fn what_is_ignored_stays_ignored() {
    let place = Place::new();
    let script = format!("trap '' HUP TERM; exec {} {LONG}", env!("CARGO_BIN_EXE_ff"));
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).current_dir(place.path()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = shell.spawn().unwrap();
    wait_for(&place, "run/checkpoints/last.safetensors");
    for name in ["HUP", "TERM"] {
        send(&child, name);
        std::thread::sleep(Duration::from_millis(200));
        assert!(child.try_wait().unwrap().is_none(), "{name} ended it");
    }
    send(&child, "INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

/// Ctrl-C on `ff train 2>&1 | tee log` reaches the reader too.
#[test]
fn a_reader_that_goes_away_does_not_end_training() {
    let place = Place::new();
    let line = "train 24 --dataset digits --backend cpu --num-epochs 40 --log-dir run";
    let mut program = place.program();
    program.args(line.split_whitespace()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = program.spawn().unwrap();
    drop((child.stdout.take(), child.stderr.take()));
    let status = child.wait().unwrap();
    assert_eq!((status.code(), status.signal()), (Some(0), None));
    assert_eq!(place.summary("run")["status"], "done");
    assert_eq!(place.epochs("run").len(), 40);
}

/// The command that goes on can be pasted into a shell whatever the directory is called.
#[test]
fn the_way_to_go_on_is_quoted() {
    let place = Place::new();
    let mut program = place.program();
    program.args(LONG.split_whitespace()).args(["--log-dir", "my runs/it's first", "--backend", "cpu"]);
    let child = program.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for(&place, "my runs/it's first/checkpoints/last.safetensors");
    send(&child, "INT");
    let stderr = String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap();
    let command = stderr.lines().last().unwrap().split_once("go on with: ff ").unwrap().1;
    let words = shlex::split(command).unwrap();
    assert_eq!(words, ["train", "--resume", "--log-dir", "my runs/it's first"]);
}
