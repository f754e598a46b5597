//! Tells the program what it is built from: `FF_COMMIT`, `FF_FEATURES` and `FF_TARGET`.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=FF_COMMIT");
    let root = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    println!("cargo::rustc-env=FF_COMMIT={}", commit(Path::new(&root)).unwrap_or_default());
    println!("cargo::rustc-env=FF_FEATURES={}", features().join(" "));
    println!("cargo::rustc-env=FF_TARGET={}", env::var("TARGET").unwrap_or_default());
}

/// The features of this build, by name.
fn features() -> Vec<String> {
    let set = env::vars().filter_map(|(name, _)| name.strip_prefix("CARGO_FEATURE_").map(str::to_lowercase));
    let mut features: Vec<_> = set.filter(|feature| feature != "default").collect();
    features.sort();
    features
}

/// The commit of the sources, shortened; none where nothing says it.
///
/// The environment may say it, where the sources lie without their history. A published crate carries the commit it
/// was packaged from. Debug builds ask nobody: all of them would be compiled anew after every commit.
fn commit(root: &Path) -> Option<String> {
    let given = env::var("FF_COMMIT").ok().filter(|commit| !commit.is_empty());
    let commit = given.or_else(|| packaged(root)).or_else(|| checked_out(root))?;
    let shortened = commit.get(..12).unwrap_or(&commit);
    shortened.chars().all(|c| c.is_ascii_alphanumeric()).then(|| shortened.to_owned())
}

/// `{ "git": { "sha1": "…" } }` of the file that `cargo package` adds.
fn packaged(root: &Path) -> Option<String> {
    let text = fs::read_to_string(root.join(".cargo_vcs_info.json")).ok()?;
    let (_, value) = text.split_once("\"sha1\"")?;
    value.split('"').nth(1).map(str::to_owned)
}

/// What git says, if these sources are the repository rather than a folder in someone else's.
fn checked_out(root: &Path) -> Option<String> {
    if env::var("PROFILE").is_ok_and(|profile| profile == "debug") {
        return None;
    }
    let top = git(root, &["rev-parse", "--show-toplevel"])?;
    if fs::canonicalize(top).ok()? != fs::canonicalize(root).ok()? {
        return None;
    }
    for file in ["HEAD", "logs/HEAD"] {
        let path = git(root, &["rev-parse", "--git-path", file])?;
        if root.join(&path).exists() {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    git(root, &["rev-parse", "HEAD"])
}

fn git(root: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").arg("-C").arg(root).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
