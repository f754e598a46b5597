//! The Python package in `python/`, beside the program that was just built.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "python/venv.rs"]
mod venv;

use std::path::Path;
use std::process::Command;

/// Runs Python in `python/` with this build's program; its output.
fn run(python: &Path, arguments: &[&str]) -> String {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("python");
    let output = Command::new(python)
        .args(arguments)
        .current_dir(&package)
        .env("PYTHONPATH", &package)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("FF", env!("CARGO_BIN_EXE_ff"))
        .output()
        .unwrap();
    let told =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    told
}

#[test]
fn the_package_reads_what_the_program_writes_and_predicts_what_it_predicts() {
    let Some(python) = venv::python("pandas") else { return };
    let told = run(&python, &["-m", "unittest", "-v", "tests.test_package"]);
    assert!(told.contains("\nOK"), "{told}");
}

#[test]
fn the_notebook_runs_from_its_first_cell_to_its_last() {
    let Some(python) = venv::python("nbclient, ipykernel, matplotlib") else { return };
    let told = run(&python, &["tests/run_notebook.py", "notebooks/sweep.ipynb"]);
    assert!(told.contains("3 pictures"), "{told}");
}
