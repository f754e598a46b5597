//! The README's table of results is made from `experiments/results/*.json`, and a number changed by hand is noticed.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::at;
use crate::venv;

/// `scripts/results.py check --table` of the project in `root`.
fn check(python: &Path, root: &Path) -> Output {
    let script = root.join("scripts/results.py");
    Command::new(python).arg(script).args(["check", "--table"]).output().unwrap()
}

#[test]
fn the_table_of_results_is_that_of_their_files() {
    let Some(python) = venv::python("numpy") else { return };
    let found = check(&python, &at("."));
    assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stdout));

    // A copy in which one digit of the README's table differs.
    let copy = tempfile::tempdir().unwrap();
    for folder in ["scripts", "experiments/results"] {
        fs::create_dir_all(copy.path().join(folder)).unwrap();
        for entry in fs::read_dir(at(folder)).unwrap().map(Result::unwrap) {
            fs::copy(entry.path(), copy.path().join(folder).join(entry.file_name())).unwrap();
        }
    }
    let readme = fs::read_to_string(at("README.md")).unwrap();
    let (before, table) = readme.split_once("<!-- results -->").unwrap();
    let changed = table.replacen(" ± 0.", " ± 1.", 1);
    assert_ne!(table, changed);
    fs::write(copy.path().join("README.md"), format!("{before}<!-- results -->{changed}")).unwrap();
    let found = check(&python, copy.path());
    assert_eq!(found.status.code(), Some(1), "{}", String::from_utf8_lossy(&found.stdout));

    // The same beside the paper's figures.
    let (before, table) = readme.split_once("<!-- paper -->").unwrap();
    let changed = table.replacen(" ± 0.", " ± 1.", 1);
    assert_ne!(table, changed);
    fs::write(copy.path().join("README.md"), format!("{before}<!-- paper -->{changed}")).unwrap();
    let found = check(&python, copy.path());
    let said = String::from_utf8_lossy(&found.stdout);
    assert!(found.status.code() == Some(1) && said.contains("the table of paper"), "{said}");

    // The README as it is, and one seed's accuracy changed in its file.
    fs::write(copy.path().join("README.md"), readme).unwrap();
    assert!(check(&python, copy.path()).status.success());
    let row = copy.path().join("experiments/results/mnist-pred-3x500.json");
    let text = fs::read_to_string(&row).unwrap();
    let changed = text.replacen("\"accuracy\": 0.98", "\"accuracy\": 0.97", 1);
    assert_ne!(text, changed);
    fs::write(&row, changed).unwrap();
    let found = check(&python, copy.path());
    let said = String::from_utf8_lossy(&found.stdout);
    assert!(found.status.code() == Some(1) && said.contains("mnist-pred-3x500: mean and sd"), "{said}");

    // A file that is none.
    fs::write(&row, "{").unwrap();
    let found = check(&python, copy.path());
    let said = String::from_utf8_lossy(&found.stderr);
    assert!(found.status.code() == Some(2) && said.contains("mnist-pred-3x500.json: "), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}
