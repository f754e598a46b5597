//! Every command that a document shows is run, in a folder of its own for each document.
//!
//! Blocks are taken in the order of the document: `sh` is run, `python` is run after all Python above it, `toml`
//! whose first line is `# NAME.toml` becomes that file. `no-run` behind the fence is for what needs a cluster, a
//! package manager or a network; commands of `ff` in such a block are parsed all the same.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::blocks::{Block, blocks};
use crate::{at, documents, venv};

macro_rules! documents {
    ($($name:ident: $path:literal,)*) => {
        const RUN: &[&str] = &[$($path),*];
        $(
            #[test]
            fn $name() {
                run($path);
            }
        )*
    };
}

documents! {
    readme: "README.md",
    contributing: "CONTRIBUTING.md",
    the_book: "docs/README.md",
    ablations: "docs/ablations.md",
    algorithm: "docs/algorithm.md",
    backends: "docs/backends.md",
    commands: "docs/commands.md",
    data: "docs/data.md",
    files: "docs/files.md",
    first_hour: "docs/first-hour.md",
    library: "docs/library.md",
    python: "docs/python.md",
    recipes: "docs/recipes.md",
    runs: "docs/runs.md",
    slurm: "docs/slurm.md",
    sweeps: "docs/sweeps.md",
    troubleshooting: "docs/troubleshooting.md",
}

/// Written elsewhere, and tested where they are written.
const OTHERS: &[&str] = &["docs/SUMMARY.md", "docs/extending.md", "docs/knobs.md"];

#[test]
fn no_chapter_is_forgotten() {
    let chapters = documents().into_iter().filter(|path| path.starts_with("docs/"));
    let known: BTreeSet<&str> = RUN.iter().chain(OTHERS).copied().collect();
    let forgotten: Vec<String> = chapters.filter(|path| !known.contains(path.as_str())).collect();
    assert!(forgotten.is_empty(), "not in `documents!`: {forgotten:?}");
}

fn run(document: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mut python = String::new();
    for block in blocks(&fs::read_to_string(at(document)).unwrap()) {
        let place = format!("{document}:{}", block.line);
        match (block.language.as_str(), block.no_run) {
            ("sh", false) => shell(&block.text, folder.path(), &place),
            ("sh", true) => parse(&block, folder.path(), document),
            ("toml", _) => write(&block, folder.path(), &place),
            ("python", false) => {
                python += &block.text;
                let Some(interpreter) = venv::python("pandas") else { continue };
                let mut command = Command::new(interpreter);
                succeed(command.arg("-c").arg(&python), folder.path(), &place, &block.text);
            }
            ("text" | "python" | "rust" | "", _) => {}
            (other, _) => panic!("{place}: a block of `{other}`; sh, python, toml, rust or text"),
        }
    }
}

/// Runs lines of shell; each has to succeed.
fn shell(text: &str, folder: &Path, place: &str) {
    succeed(Command::new("bash").args(["-euo", "pipefail", "-c", text]), folder, place, text);
}

/// Parses the commands of `ff` in a block that is not run: behind an unknown option `--help` is not reached.
fn parse(block: &Block, folder: &Path, document: &str) {
    for (index, line) in block.text.lines().enumerate() {
        let command = line.split(" #").next().unwrap_or_default().split(" > ").next().unwrap_or_default();
        if command.starts_with("ff ") {
            shell(&format!("{command} --help"), folder, &format!("{document}:{}", block.line + 1 + index));
        }
    }
}

/// Writes an experiment file, or just looks whether it is TOML.
fn write(block: &Block, folder: &Path, place: &str) {
    let parsed = toml::from_str::<toml::Table>(&block.text);
    assert!(parsed.is_ok(), "{place}: {parsed:?}");
    let first = block.text.lines().next().unwrap_or_default();
    if let Some(name) = first.strip_prefix("# ").filter(|name| name.ends_with(".toml")) {
        fs::write(folder.join(name), &block.text).unwrap();
    }
}

fn succeed(command: &mut Command, folder: &Path, place: &str, text: &str) {
    let program = Path::new(env!("CARGO_BIN_EXE_ff")).parent().unwrap();
    let mut path = OsString::from(program);
    for more in [at(".venv/bin").into_os_string(), std::env::var_os("PATH").unwrap_or_default()] {
        path.push(":");
        path.push(more);
    }
    let output = command
        .current_dir(folder)
        .env("PATH", path)
        .env("PYTHONPATH", at("python"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("HOME", folder)
        .env("XDG_CACHE_HOME", folder.join("cache"))
        .output()
        .unwrap();
    let told =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{place}: {}\n{text}\n{told}", output.status);
}
