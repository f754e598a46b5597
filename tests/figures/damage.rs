//! `ff plot` on damaged and absent files: exit 2 and one line that names the file, and nothing drawn.

use std::fs;
use std::path::Path;

use assert_cmd::Command;

use crate::synthetic::{Shape, write_run, write_sweep};

/// Exit code and what was said.
fn plot(path: &Path) -> (i32, String) {
    let output = Command::cargo_bin("ff").unwrap().arg("plot").arg(path).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

fn refuses(path: &Path, parts: &[&str]) {
    let (code, said) = plot(path);
    assert_eq!(code, 2, "{said}");
    assert_eq!(said.trim_end().lines().count(), 1, "{said}");
    for part in parts {
        assert!(said.contains(part), "`{part}` is not in: {said}");
    }
    assert!(!path.join("figures").exists(), "{said}");
}

#[test]
fn damaged_files_of_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path();
    let shape = Shape { epochs: 2, classes: 3, layers: 1, ..Shape::default() };
    write_run(run, shape);
    fs::write(run.join("config.toml"), "recipe = \"baseline\"\n").unwrap();
    let damage: [(&str, &[u8], &str); 15] = [
        ("summary.json", b"{\n\"status\": \"done\",\n", "summary.json:3: "),
        ("summary.json", b"", "summary.json: the file is empty"),
        ("summary.json", b"{}", "missing field `status`"),
        ("summary.json", b"[1, 2]", "summary.json:1: "),
        ("summary.json", b"{\"status\": \"done\", \"confusion_matrix\": [[1, 2], [3]]}", "row 1 of"),
        ("metrics.jsonl", b"{\"epoch\": 1}\n{\"epoch\"\n", "metrics.jsonl:2: "),
        ("metrics.jsonl", b"\xff\xfe\n", "a line must be the JSON object of one epoch"),
        ("metrics.jsonl", b"{\"accuracy\": 0.5}\n", "missing field `epoch`"),
        ("metrics.jsonl", b"{\"epoch\": 1}\n\n{\"epoch\": 2}\n", "metrics.jsonl:2: "),
        ("evaluation.json", b"nonsense", "evaluation.json:1: "),
        (
            "evaluation.json",
            b"{\"samples\": [{\"pixels\": [1], \"label\": 0, \"prediction\": 0}]}",
            "sample 0",
        ),
        (
            "evaluation.json",
            b"{\"channels\": 2, \"samples\": [{\"pixels\": [], \"label\": 0, \"prediction\": 0}]}",
            "`channels` must be 1, 3 or 4",
        ),
        ("config.toml", b"recipe = \"baseline\"\n[training\n", "config.toml:2: "),
        ("checkpoints/best.safetensors", b"\x40\0\0\0\0\0\0\0{", "best.safetensors: "),
        ("checkpoints/best.safetensors", b"abc", "the file is cut short; it must be a checkpoint"),
    ];
    for (file, content, part) in damage {
        let path = run.join(file);
        let sound = fs::read(&path).unwrap();
        fs::write(&path, content).unwrap();
        refuses(run, &[file, part]);
        fs::write(&path, sound).unwrap();
    }
    assert_eq!(plot(run).0, 0);
}

#[test]
fn damaged_files_of_a_sweep() {
    let folder = tempfile::tempdir().unwrap();
    let sweep = folder.path();
    write_sweep(sweep, &[("width", &["1", "2"])], 3, None);
    let header = "cell,status,width,accuracy,best_accuracy,train_loss,val_loss,seconds,run_dir";
    let tables = [
        (String::new(), "the file is empty"),
        (format!("{header}\n"), "a line for each cell"),
        ("cell,status\n0,done\n".to_owned(), "results.csv:1: "),
        (format!("{header}\n0,done,1,0.9\n"), "results.csv:2: 4 fields; it must have 9"),
        (format!("{header}\n0,done,1,0.9,,,,,a\n1,done,2,high,,,,,b\n"), "results.csv:3: accuracy `high`"),
        (format!("{header}\n0,great,1,0.9,,,,,a\n"), "results.csv:2: status `great`"),
    ];
    let sound = fs::read(sweep.join("results.csv")).unwrap();
    for (table, part) in tables {
        fs::write(sweep.join("results.csv"), table).unwrap();
        refuses(sweep, &["results.csv", part]);
    }
    fs::write(sweep.join("results.csv"), sound).unwrap();
    fs::write(sweep.join("sweep.toml"), "name =\n").unwrap();
    refuses(sweep, &["sweep.toml:1: "]);
    fs::remove_file(sweep.join("sweep.toml")).unwrap();
    fs::write(sweep.join("cell-1/metrics.jsonl"), "{\n{\n").unwrap();
    refuses(sweep, &["cell-1/metrics.jsonl:1: "]);
}

#[test]
fn what_is_no_run_and_no_sweep() {
    let folder = tempfile::tempdir().unwrap();
    refuses(&folder.path().join("nowhere"), &["nowhere"]);
    refuses(folder.path(), &["neither a run", "nor a sweep"]);
    fs::write(folder.path().join("sweep.toml"), "name = \"x\"\n").unwrap();
    refuses(folder.path(), &["no results of a sweep", "results.csv", "ff sweep"]);
}

#[test]
fn what_is_not_written_yet_is_skipped_and_noted() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.toml"), "recipe = \"baseline\"\n").unwrap();
    let (code, said) = plot(folder.path());
    assert_eq!(code, 0, "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    for part in ["note: ", "no curves, layers, as no epoch has ended", "no receptive_fields, as"] {
        assert!(said.contains(part), "{said}");
    }
}
