//! The Python that reads our files: `.venv`, made from `tests/python/requirements.txt`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The virtual environment's Python if the module is installed there. Without it a test says that it was
/// skipped, or fails where `FF_REQUIRE_PYTHON=1`.
#[allow(clippy::explicit_write, reason = "the test harness swallows what eprintln! prints")]
#[allow(dead_code, reason = "not every test has one")]
pub fn python(module: &str) -> Option<PathBuf> {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv/bin/python");
    let found = Command::new(&python).arg("-c").arg(format!("import {module}")).output();
    if found.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    let reason = format!("no {module} in .venv (tests/python/requirements.txt)");
    if std::env::var("FF_REQUIRE_PYTHON").is_ok_and(|v| v == "1") {
        panic!("{reason}, but FF_REQUIRE_PYTHON=1");
    }
    std::io::stderr().write_all(format!("skipped: {reason}\n").as_bytes()).unwrap();
    None
}

/// The same of a module that no requirement asks for: where it is missing, a test is skipped, whatever is required.
#[allow(
    dead_code,
    clippy::explicit_write,
    reason = "not every test has one; the harness swallows what eprintln! prints"
)]
pub fn optional(module: &str) -> Option<PathBuf> {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv/bin/python");
    let found = Command::new(&python).args(["-c", &format!("import {module}")]).output();
    if found.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    std::io::stderr().write_all(format!("skipped: no {module} in .venv\n").as_bytes()).unwrap();
    None
}
