//! Tests of the configuration.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod experiments;
mod fuzz;
mod layers;
mod messages;
mod recipes;
mod rules;

use std::path::PathBuf;

use super::*;

/// A folder of configuration files.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Files(tempfile::tempdir().unwrap())
    }

    fn with(name: &str, text: &str) -> (Self, PathBuf) {
        let files = Files::new();
        let path = files.add(name, text);
        (files, path)
    }

    fn add(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// A message without the folder's name, which is another every time.
    fn relative(&self, error: &ConfigError) -> String {
        let folder = format!("{}/", self.0.path().display());
        error.to_string().replace(&folder, "")
    }
}

fn sets(sets: &[&str]) -> Result<Config, ConfigError> {
    sets.iter().fold(ConfigBuilder::new(), |builder, set| builder.set(*set)).build()
}

fn refusal(list: &[&str]) -> String {
    sets(list).unwrap_err().to_string()
}
