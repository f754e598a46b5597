//! Job arrays, as far as they can be seen without Slurm. `make test-slurm` runs one.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::experiment::{GRID, place};

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

#[test]
fn sbatch_is_called_and_heard() {
    let place = place(GRID);
    fs::create_dir(place.at("bin")).unwrap();
    let submit = |answer: &str| {
        place.write("bin/sbatch", format!("#!/bin/sh\necho \"$@\" > called\n{answer}\n"));
        fs::set_permissions(place.at("bin/sbatch"), fs::Permissions::from_mode(0o755)).unwrap();
        let path = format!("{}:{}", place.at("bin").display(), std::env::var("PATH").unwrap());
        place.program().args(["sweep", "x.toml", "--slurm"]).env("PATH", path).output().unwrap()
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
