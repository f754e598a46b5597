//! Limits of memory, file sizes, processes: refused before anything is written, or one line and exit 1.

use std::process::{Command, Stdio};

use crate::place::{Outcome, Place};

/// Runs a line of a shell in which `$FF` is the program.
fn shell(place: &Place, script: &str) -> Outcome {
    let mut shell = Command::new("bash");
    shell.args(["-c", script]).env("FF", env!("CARGO_BIN_EXE_ff")).current_dir(place.path());
    shell.env("HOME", place.path()).env("RUST_BACKTRACE", "0").stdin(Stdio::null());
    let output = shell.output().unwrap();
    Outcome {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

const DIGITS: &str = "--dataset digits --backend cpu --threads 1 --num-epochs 1 --quiet --log-dir run";

#[test]
fn a_network_that_does_not_fit_is_refused_with_what_would() {
    let place = Place::new();
    let outcome = shell(&place, &format!("ulimit -v 1000000; $FF train 9000 9000 {DIGITS}"));
    assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
    assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
    for word in ["network.layer_sizes", "weights", "activities", "ulimit -v 1000000", "would fit"] {
        assert!(outcome.stderr.contains(word), "{}", outcome.stderr);
    }
    assert!(!place.at("run").exists());
    let outcome = shell(&place, &format!("ulimit -v 1000000; $FF train 64 64 {DIGITS}"));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
}

/// Whatever the limit is: a line and an exit code, no abort, no signal, no wait.
#[test]
fn any_limit_of_memory_ends_in_an_exit_code() {
    let place = Place::new();
    for kibibytes in [60_000, 90_000, 120_000, 150_000, 200_000, 260_000] {
        let line = format!(
            "export RUST_BACKTRACE=1; ulimit -c 0; ulimit -v {kibibytes}; timeout 60 $FF train 60 60 {DIGITS} --force"
        );
        let outcome = shell(&place, &line);
        assert!(
            matches!(outcome.code, Some(0..=2) | Some(127)),
            "{kibibytes}: {:?} {}",
            outcome.code,
            outcome.stderr
        );
        // Not the abort of Rust's own, with a backtrace.
        if outcome.code == Some(1) {
            let lines: Vec<&str> = outcome.stderr.lines().collect();
            assert!(
                matches!(lines[..], [line] if line.starts_with("ff: ")),
                "{kibibytes}: {}",
                outcome.stderr
            );
        }
    }
}

#[test]
fn a_limit_of_file_sizes_is_an_error_with_a_path() {
    let place = Place::new();
    let outcome = shell(&place, &format!("ulimit -f 100; $FF train 128 128 {DIGITS}"));
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("ff: run/") && outcome.stderr.contains("File too large"), "{outcome:?}");
    // The same run goes on when it may.
    let outcome = shell(&place, &format!("$FF train --resume {}", "--log-dir run --quiet"));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
}

/// What the machine refuses is not the cell's fault: the same command goes on later.
#[test]
fn a_sweep_that_the_machine_stops_settles_no_cell() {
    let place = Place::new();
    place.write(
        "x.toml",
        "[data]\ndataset = 'digits'\n[network]\nlayer_sizes = [128, 128]\n[training]\nnum_epochs = 1\n[backend]\n\
         name = 'cpu'\nthreads = 1\n[logging]\nfigures = false\ntensorboard = false\n[sweep]\nseed = [1, 2, 3]\n",
    );
    for jobs in [1, 3] {
        let outcome = shell(
            &place,
            &format!("ulimit -f 100; $FF sweep x.toml --log-dir s{jobs} --quiet --jobs {jobs}"),
        );
        assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("File too large"), "{}", outcome.stderr);
        let status = place.json(&format!("sweep x.toml --log-dir s{jobs} --status --json"));
        assert_eq!(status["failed"], 0, "{status}");
        place.done(&format!("sweep x.toml --log-dir s{jobs} --quiet"));
    }
}

/// Threads that are refused leave the work to those that there are.
#[test]
fn a_sweep_with_fewer_threads_than_it_asked_for() {
    let place = Place::new();
    if !shell(&place, "command -v setpriv prlimit").stderr.is_empty() {
        return;
    }
    let other = "setpriv --reuid=65534 --regid=65534 --clear-groups";
    if shell(&place, &format!("chmod 777 . && {other} test -x $FF")).code != Some(0) {
        eprintln!("skipped: the program cannot be run as another user");
        return;
    }
    place.write(
        "x.toml",
        "[data]\ndataset = 'digits'\n[network]\nlayer_sizes = [8]\n[training]\nnum_epochs = 1\n[backend]\nname = 'cpu'\n\
         threads = 1\n[logging]\nfigures = false\n[sweep]\nseed = [1, 2, 3, 4, 5, 6]\n",
    );
    for processes in [1, 2, 4, 8] {
        let line = format!(
            "{other} prlimit --nproc={processes} $FF sweep x.toml --jobs 6 --quiet --log-dir s{processes}"
        );
        let outcome = shell(&place, &line);
        assert!(matches!(outcome.code, Some(0 | 1)), "{processes}: {outcome:?}");
        let again = shell(&place, &format!("{other} $FF sweep x.toml --quiet --log-dir s{processes}"));
        assert_eq!(again.code, Some(0), "{processes}: {outcome:?} {again:?}");
    }
}
