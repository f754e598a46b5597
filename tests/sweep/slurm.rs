//! Job arrays, as far as they can be seen without Slurm. `make test-slurm` runs one.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use crate::experiment::{GRID, place};
use crate::place::Place;

#[test]
fn the_script() {
    let place = place(GRID);
    place.done("sweep x.toml --cell 4 --quiet");
    let outcome = place.words(&[
        "sweep",
        "x.toml",
        "--set",
        "num_epochs=6",
        "--slurm-dry-run",
        "--array-parallelism",
        "3",
        "--time",
        "1:00:00",
        "--gres",
        "gpu:1",
        "--cpus-per-task",
        "2",
        "--sbatch",
        "--account=ab",
    ]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert_eq!(outcome.stdout, "11 cells; submit them with: sbatch runs/x/slurm.sh\n");
    let here = fs::canonicalize(place.path()).unwrap();
    let script = place.read("runs/x/slurm.sh");
    let script = script.replace(here.to_str().unwrap(), "/here").replace(env!("CARGO_BIN_EXE_ff"), "/bin/ff");
    assert_eq!(script, include_str!("slurm.golden.sh"));
    assert!(place.at("runs/x/slurm").is_dir());
    let check = std::process::Command::new("bash").arg("-n").arg(place.at("runs/x/slurm.sh")).status();
    assert!(check.unwrap().success());
}

#[test]
fn without_sbatch_the_script_is_left_to_submit() {
    let place = place(GRID);
    let output = place.program().args(["sweep", "x.toml", "--slurm"]).env("PATH", "").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "ff: --slurm: there is no sbatch here; the script is written, submit it with: sbatch runs/x/slurm.sh\n"
    );
    assert!(place.at("runs/x/slurm.sh").exists());
}

/// A program of Slurm's that does what it is told here.
fn fake(place: &Place, name: &str, script: &str) {
    fs::create_dir_all(place.at("bin")).unwrap();
    let path = format!("bin/{name}");
    place.write(&path, format!("#!/bin/sh\n{script}\n"));
    fs::set_permissions(place.at(&path), fs::Permissions::from_mode(0o755)).unwrap();
}

/// Runs a line where those programs are found first.
fn with_fakes(place: &Place, line: &str) -> Output {
    let path = format!("{}:{}", place.at("bin").display(), std::env::var("PATH").unwrap());
    place.program().args(line.split(' ')).env("PATH", path).output().unwrap()
}

#[test]
fn sbatch_is_called_and_heard() {
    let place = place(GRID);
    let submit = |answer: &str| {
        fake(&place, "sbatch", &format!("echo \"$@\" > called\n{answer}"));
        fake(&place, "squeue", "exit 1");
        with_fakes(&place, "sweep x.toml --slurm")
    };
    let output = submit("echo 42");
    assert!(output.status.success());
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("submitted job 42: 12 cells\n"));
    assert_eq!(place.read("called"), "--parsable runs/x/slurm.sh\n");
    let output = submit("echo 'no such partition' >&2; exit 1");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "ff: --slurm: sbatch runs/x/slurm.sh: no such partition\n"
    );
}

#[test]
fn a_job_array_heeds_what_it_is_asked_or_says_so() {
    let place = place(GRID);
    for (options, start) in [
        ("--jobs 3", "--jobs: is not for --slurm: each task trains one cell"),
        ("--fail-fast", "--fail-fast: is not for --slurm: "),
        ("--json", "--json: is not for --slurm: "),
        ("--status", "--status: is not for --slurm: "),
        ("--dry-run", "--dry-run: is not for --slurm: "),
        ("--sbatch account", "--sbatch account: must be one option of sbatch"),
    ] {
        let message = place.refused(&format!("sweep x.toml --slurm-dry-run {options}"));
        assert!(message.starts_with(start), "{message}");
    }
    assert!(place.refused("sweep x.toml --slurm --array-parallelism 0").contains("--array-parallelism"));
    assert!(place.refused("sweep x.toml --slurm --cpus-per-task 0").contains("--cpus-per-task"));
    assert!(place.refused("sweep x.toml --slurm-dry-run --log-dir a\\b").starts_with("--log-dir: "));
    place.done("sweep x.toml --slurm-dry-run --cell 5");
    assert!(place.read("runs/x/slurm.sh").contains("#SBATCH --array=5\n"));
}

#[test]
fn failed_cells_are_submitted_again_when_asked() {
    let place = place("[sweep]\nlearning_rate = [0.01, 1e30]\n");
    assert_eq!(place.ff("sweep x.toml --quiet").code, Some(1));
    assert!(place.done("sweep x.toml --slurm-dry-run").stdout.starts_with("nothing to submit"));
    let told = place.done("sweep x.toml --slurm-dry-run --retry-failed --force-spec").stdout;
    assert!(told.starts_with("1 cell; submit"), "{told}");
    let script = place.read("runs/x/slurm.sh");
    assert!(script.contains("#SBATCH --array=1\n"), "{script}");
    assert!(script.contains(" --force-spec --retry-failed --quiet --cell \"$cell\" &"), "{script}");
    // The failure is forgotten when the task begins, not when a script is written.
    assert_eq!(place.json("sweep x.toml --status --json")["failed"], 1);
}

#[test]
fn every_character_of_a_path_arrives() {
    let place = place(GRID);
    let outcome = place.words(&[
        "sweep",
        "x.toml",
        "--log-dir",
        "50% of 'it' #1",
        "--slurm-dry-run",
        "--sbatch",
        "--comment=two words # \"here\"",
    ]);
    assert_eq!(outcome.stdout, "12 cells; submit them with: sbatch '50% of '\\''it'\\'' #1/slurm.sh'\n");
    let script = place.read("50% of 'it' #1/slurm.sh");
    assert!(script.contains("/50%% of 'it' \\#1/slurm/%A_%a.log\"\n"), "{script}");
    assert!(script.contains("#SBATCH \"--comment=two words \\# \\\"here\\\"\"\n"), "{script}");
}

#[test]
fn more_cells_than_an_array_holds_are_several_arrays() {
    let place = place("[sweep]\nseed = { from = 1, to = 1200, steps = 1200 }\n");
    fake(&place, "sbatch", "echo \"$@\" >> called; wc -l < called");
    fake(&place, "squeue", "printf '1 999\\n2 3\\n7 5\\n'");
    let output = with_fakes(&place, "sweep x.toml --slurm --array-parallelism 4");
    assert!(output.status.success());
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("submitted job 1, 2: 1200 cells\n"));
    assert_eq!(
        place.read("called"),
        "--parsable runs/x/slurm.sh\n--parsable --array=0-199%4 runs/x/slurm.sh 1000\n"
    );
    assert!(place.read("runs/x/slurm.sh").contains("#SBATCH --array=0-999%4\n"));
    // What waits in the queue is not submitted again.
    let output = with_fakes(&place, "sweep x.toml --slurm-dry-run");
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        told,
        "cells 999,1003 wait in the queue already (job 1, 2) and are not submitted again; `scancel 1 2` takes \
         them out\n"
    );
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        told,
        "1198 cells; submit them with: sbatch runs/x/slurm.sh && sbatch --array=0-2,4-199 runs/x/slurm.sh 1000\n"
    );
    assert!(place.read("runs/x/slurm.sh").contains("#SBATCH --array=0-998\n"));
}

#[test]
fn short_cells_share_a_task_and_set_up_comes_first() {
    let place = place(GRID);
    place.done("sweep x.toml --cell 1 --quiet");
    fake(&place, "sbatch", "echo \"$@\" >> called; echo 5");
    fake(&place, "squeue", "exit 1");
    let mut program = place.program();
    let path = format!("{}:{}", place.at("bin").display(), std::env::var("PATH").unwrap());
    program.env("PATH", &path).args(["sweep", "x.toml", "--slurm", "--cells-per-task", "4"]);
    let output = program.args(["--setup", "module load cuda", "--setup", "export A=1"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let script = place.read("runs/x/slurm.sh");
    assert!(script.contains("#SBATCH --array=0-2\n"), "{script}");
    assert!(script.contains("\ntasks=(\"0 2 3 4\" \"5 6 7 8\" \"9 10 11\")\n"), "{script}");
    assert!(script.contains("|| exit 1\nmodule load cuda\nexport A=1\n"), "{script}");
    // The script trains the cells of its task.
    let mut task = std::process::Command::new("bash");
    task.arg(place.at("runs/x/slurm.sh")).env("SLURM_ARRAY_TASK_ID", "2").env("HOME", place.path());
    let output = task.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let status = place.json("sweep x.toml --status --json");
    let done: Vec<usize> = (0..12).filter(|&cell| status["results"][cell]["status"] == "done").collect();
    assert_eq!(done, [1, 9, 10, 11]);
    // What waits in the queue is not submitted again.
    fake(&place, "squeue", "printf '5 1\\n'");
    let output = with_fakes(&place, "sweep x.toml --slurm-dry-run");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.starts_with("cells 5-8 wait in the queue already (job 5)"), "{told}");
}

#[test]
fn times_and_set_up_lines_are_checked() {
    let place = place(GRID);
    for time in ["90", "30:00", "1:00:00", "2-0", "2-12:30", "1-00:00:00"] {
        let told = place.words(&["sweep", "x.toml", "--slurm-dry-run", "--time", time]);
        assert_eq!(told.code, Some(0), "{time}: {}", told.stderr);
    }
    for time in ["1h", "0", "1:60", "1:00:00:00", "-1", "tomorrow", "1-"] {
        let message = place.refused(&format!("sweep x.toml --slurm-dry-run --time={time}"));
        assert!(message.starts_with(&format!("--time {time}: must be a time")), "{message}");
    }
    let told = place.words(&["sweep", "x.toml", "--slurm-dry-run", "--setup", "a\nb"]);
    assert_eq!(told.code, Some(2));
    assert!(place.refused("sweep x.toml --cells-per-task 3").contains("--cells-per-task: is for job arrays"));
}
