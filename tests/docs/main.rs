//! The documents: their commands are run, their links lead somewhere, the messages they explain are said.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod blocks;
mod book;
mod commands;
mod links;
mod messages;
mod paper;
mod results;
#[path = "../python/venv.rs"]
mod venv;

use std::fs;
use std::path::{Path, PathBuf};

/// A file of the project.
fn at(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The Markdown files of the project that readers see, as paths from its root.
fn documents() -> Vec<String> {
    let folders = [".", "docs", "experiments", "python", "backends/opencl"];
    let mut found = Vec::new();
    for folder in folders {
        for entry in fs::read_dir(at(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.ends_with(".md") {
                found.push(format!("{folder}/{name}").trim_start_matches("./").to_owned());
            }
        }
    }
    found.sort();
    found
}
