//! A fresh folder to run `ff` in, and what came out.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// A small run on the reference backend; `{}` is the rest of the line.
pub const SMALL: &str = "train 24 16 --dataset digits --num-epochs 2 --backend cpu --log-dir run";

/// A fresh folder, and another that is home.
pub struct Place {
    here: TempDir,
    home: TempDir,
}

/// How a command ended.
#[derive(Debug)]
pub struct Outcome {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Place {
    pub fn new() -> Self {
        Place { here: tempfile::tempdir().unwrap(), home: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self) -> &Path {
        self.here.path()
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.at(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.at(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        fs::write(self.at(name), contents).unwrap();
    }

    /// The program, here, with nothing of this machine's around it.
    pub fn program(&self) -> std::process::Command {
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_ff"));
        program.current_dir(self.path()).env("HOME", self.home.path());
        program.env_remove("FF_DATA_DIR").env_remove("XDG_CACHE_HOME").env("RUST_BACKTRACE", "0");
        program
    }

    /// Runs the words of a line.
    pub fn ff(&self, line: &str) -> Outcome {
        self.words(&line.split_whitespace().collect::<Vec<_>>())
    }

    pub fn words(&self, words: &[&str]) -> Outcome {
        let mut command = assert_cmd::Command::from_std(self.program());
        let output = command.args(words).timeout(Duration::from_secs(300)).output().unwrap();
        Outcome {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs a line that has to end well.
    pub fn done(&self, line: &str) -> Outcome {
        let outcome = self.ff(line);
        assert_eq!(outcome.code, Some(0), "ff {line}: {}", outcome.stderr);
        outcome
    }

    /// Runs a line that has to end well, and reads the JSON it prints.
    pub fn json(&self, line: &str) -> Value {
        let outcome = self.done(line);
        assert_eq!(outcome.stdout.lines().count(), 1, "{}", outcome.stdout);
        serde_json::from_str(&outcome.stdout).unwrap()
    }

    /// The message of a request that has to be refused: one line, below which the place in a file may be shown,
    /// exit code 2, nothing written.
    pub fn refused(&self, line: &str) -> String {
        let before = self.files();
        let Outcome { code, stdout, stderr } = self.ff(line);
        assert_eq!(code, Some(2), "ff {line}: {stderr}");
        assert_eq!(stdout, "", "ff {line}");
        let mut lines = stderr.lines();
        let message = lines.next().unwrap_or_default();
        assert!(lines.all(|line| line.contains(" |")), "ff {line}: {stderr}");
        assert!(self.files() == before, "ff {line} wrote or removed files");
        message.strip_prefix("ff: ").unwrap_or_else(|| panic!("{stderr}")).to_owned()
    }

    /// All files below the folder; of a folder itself, that it is there.
    fn files(&self) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                let contents = if path.is_dir() {
                    folders.push(path.clone());
                    None
                } else {
                    Some(fs::read(&path).unwrap())
                };
                found.insert(path, contents);
            }
        }
        found
    }

    /// The config.toml of a run.
    pub fn config(&self, run: &str) -> toml::Table {
        self.read(&format!("{run}/config.toml")).parse().unwrap()
    }

    /// The summary of a run.
    pub fn summary(&self, run: &str) -> Value {
        serde_json::from_str(&self.read(&format!("{run}/summary.json"))).unwrap()
    }

    /// The epochs of a run.
    pub fn epochs(&self, run: &str) -> Vec<Value> {
        let text = self.read(&format!("{run}/metrics.jsonl"));
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The lines of a run's metrics as they stand, but for the time they took.
    pub fn timeless_metrics(&self, run: &str) -> Vec<String> {
        let text = self.read(&format!("{run}/metrics.jsonl"));
        let timeless = |line: &str| {
            let (before, after) = line.split_once("\"seconds\":{").unwrap();
            format!("{before}{}", after.split_once('}').unwrap().1)
        };
        text.lines().map(timeless).collect()
    }
}

/// The keys of an object in their order.
pub fn keys(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}
