//! stdout is for results, stderr for progress; either may be closed or full.

use std::fs::OpenOptions;
use std::io::Read;
use std::process::Stdio;

use crate::place::{Place, SMALL};

#[test]
fn plain_lines_where_there_is_no_terminal() {
    let place = Place::new();
    let outcome = place.done(SMALL);
    assert!(!outcome.stderr.contains(['\r', '\u{1b}']), "{}", outcome.stderr);
    let lines: Vec<&str> = outcome.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{}", outcome.stderr);
    for (line, epoch) in lines.iter().zip(["epoch 1/2: ", "epoch 2/2: "]) {
        assert!(line.starts_with(epoch), "{line}");
        for word in ["loss ", "test loss ", "test accuracy ", " left"] {
            assert!(line.contains(word), "{line}");
        }
        // Without held-out rows nothing is chosen by accuracy, and nothing is held out.
        assert!(!line.contains("best") && !line.contains("val"), "{line}");
    }
    assert!(!outcome.stdout.contains("best"), "{}", outcome.stdout);
    for word in ["confusion matrix", "test accuracy", "run directory  run", "train loss"] {
        assert!(outcome.stdout.contains(word), "{}", outcome.stdout);
    }
}

#[test]
fn a_bar_without_a_terminal_leaves_the_lines() {
    let outcome = Place::new().done(&format!("{SMALL} --progress bar"));
    assert!(!outcome.stderr.contains(['\r', '\u{1b}']), "{}", outcome.stderr);
    assert!(outcome.stderr.starts_with("epoch 1/2: "), "{}", outcome.stderr);
}

/// A bar that is drawn before it has its form is a line of blocks, and stays one while the first epoch lasts.
#[test]
fn bars_of_cells_have_their_form_from_the_start() {
    let place = Place::new();
    place.write(
        "grid.toml",
        "[data]\ndataset = \"digits\"\n[network]\nlayer_sizes = [8]\n[training]\nnum_epochs = 1\n[sweep]\nseed = [1, 2]",
    );
    let line = format!("stty columns 80; {} sweep grid.toml --backend cpu", env!("CARGO_BIN_EXE_ff"));
    let mut terminal = std::process::Command::new("script");
    let terminal =
        terminal.args(["-qec", &line, "/dev/null"]).env("TERM", "xterm").env_remove("JPY_PARENT_PID");
    let Ok(output) = terminal.current_dir(place.path()).stdin(Stdio::null()).output() else {
        return eprintln!("skipped: there is no `script` to make a terminal");
    };
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && shown.contains("  cell 0 ") && shown.contains("of 2 cells"),
        "{shown}"
    );
    assert!(!shown.contains(['█', '░']) && !shown.contains("0/1"), "{shown}");
}

#[test]
fn held_out_rows_are_called_what_they_are() {
    let place = Place::new();
    let outcome = place.done(&format!("{SMALL} --validation-size 142"));
    for line in outcome.stderr.lines() {
        for word in ["validation loss ", "validation accuracy ", "best "] {
            assert!(line.contains(word), "{line}");
        }
    }
    for word in ["validation loss", "best validation accuracy", "\ntest accuracy "] {
        assert!(outcome.stdout.contains(word), "{}", outcome.stdout);
    }
}

#[test]
fn quiet_says_nothing() {
    let place = Place::new();
    let outcome = place.done(&format!("{SMALL} --quiet --backend auto"));
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", ""));
}

#[test]
fn auto_says_what_it_took() {
    let place = Place::new();
    let outcome = place.done(&format!("{SMALL} --backend auto"));
    assert!(outcome.stderr.starts_with("backend auto: "), "{}", outcome.stderr);
}

#[test]
fn a_reader_that_leaves_is_no_panic() {
    let place = Place::new();
    place.done(SMALL);
    for line in ["--help", "completions zsh", "devices", "data info digits", "eval run --backend cpu"] {
        let mut program = place.program();
        program.args(line.split_whitespace()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = program.spawn().unwrap();
        drop(child.stdout.take());
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        let code = child.wait().unwrap().code();
        assert!(code != Some(101) && !stderr.contains("panicked"), "ff {line}: {code:?} {stderr}");
    }
}

#[test]
fn a_full_disk_is_one_line() {
    let place = Place::new();
    place.done(SMALL);
    let Ok(full) = OpenOptions::new().write(true).open("/dev/full") else { return };
    let mut program = place.program();
    let output = program.args(["eval", "run", "--json"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.starts_with("ff: stdout: ") && stderr.lines().count() == 1, "{stderr}");
}

#[test]
fn a_full_log_does_not_stop_a_run() {
    let place = Place::new();
    let Ok(full) = OpenOptions::new().write(true).open("/dev/full") else { return };
    let output = place.program().args(SMALL.split_whitespace()).stderr(full).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(place.epochs("run").len(), 2);
}

#[test]
fn arithmetic_that_is_not_to_be_had_is_told_and_written_down() {
    let place = Place::new();
    let devices = place.ff("devices --json");
    // Only a device without tensor cores can show it.
    if !devices.stdout.contains("\"opencl:0.0\"") || devices.stdout.contains("NVIDIA") {
        return;
    }
    let outcome = place.done(
        "train 12 --dataset digits --num-epochs 1 --backend opencl:0.0 --precision tf32 --quiet --json --log-dir run",
    );
    assert!(outcome.stderr.contains("warning: tf32 cannot be had"), "{}", outcome.stderr);
    assert!(outcome.stdout.contains("\"precision\":\"fp32\""), "{}", outcome.stdout);
    assert_eq!(place.config("run")["run"]["precision"].as_str(), Some("fp32"));
    let outcome = place.ff("verify --quick --backend opencl:0.0 --precision tf32");
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("tf32 was not tested"), "{}", outcome.stderr);
}
