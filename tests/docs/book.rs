//! The real mdBook builds the book.

use std::process::Command;

use crate::{at, venv};

#[test]
fn mdbook_builds_without_a_word_of_complaint() {
    if venv::python("pandas").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(at(".venv/bin/mdbook"))
        .arg("build")
        .arg(at("docs"))
        .arg("-d")
        .arg(folder.path())
        .output();
    let output = output.unwrap();
    let told =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}");
    assert!(!told.contains("WARN") && !told.contains("ERROR"), "{told}");
    let first = std::fs::read_to_string(folder.path().join("index.html")).unwrap();
    assert!(first.contains("forward-forward"));
    assert!(folder.path().join("ablations.png").exists());
}
