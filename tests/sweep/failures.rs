//! A cell that fails.

use crate::experiment::{column, place};

/// The middle cell diverges in its first epoch.
const DIVERGING: &str = "[sweep]\nlearning_rate = [0.01, 1e30, 0.02]\n";

#[test]
fn the_others_go_on() {
    let place = place(DIVERGING);
    let outcome = place.ff("sweep x.toml --log-dir s");
    assert_eq!(outcome.code, Some(1));
    let last = outcome.stderr.lines().last().unwrap();
    assert!(last.starts_with("ff: 1 of 3 cells failed: cell 1: the loss of layer 0 became"), "{last}");
    assert_eq!(column(&place, "s", "status"), ["done", "failed", "done"]);
    assert_eq!(column(&place, "s", "accuracy")[1], "");
    assert!(place.read("s/results.md").contains("## Failed\n\n- cell 1 (learning_rate=1e30-"));
    // It stays failed, and is not tried again.
    let again = place.ff("sweep x.toml --log-dir s");
    assert_eq!(again.code, Some(1));
    assert!(again.stderr.contains("2 of 3 cells were done before"), "{}", again.stderr);
    assert!(again.stderr.contains("1 of 3 cells failed before"), "{}", again.stderr);
    // A cell that is fine is no failure.
    place.done("sweep x.toml --log-dir s --cell 0");
    assert_eq!(place.ff("sweep x.toml --log-dir s --cell 1").code, Some(1));
}

#[test]
fn a_retry_is_asked_for() {
    let place = place(DIVERGING);
    place.ff("sweep x.toml --log-dir s --quiet");
    let again = place.ff("sweep x.toml --log-dir s --retry-failed");
    assert_eq!(again.code, Some(1));
    assert!(again.stderr.contains("\ncell 1 (learning_rate=1e30) of 3: failed: "), "{}", again.stderr);
}

#[test]
fn fail_fast_begins_nothing_more() {
    let place = place(DIVERGING);
    let outcome = place.ff("sweep x.toml --log-dir s --fail-fast");
    assert_eq!(outcome.code, Some(1));
    assert_eq!(column(&place, "s", "status"), ["done", "failed", "pending"]);
    let last = outcome.stderr.lines().last().unwrap();
    // No time was spent on what was never begun.
    let table = place.read("s/results.md");
    let pending = table.lines().find(|line| line.contains("| pending |")).unwrap();
    assert!(pending.contains("| – | pending |"), "{pending}");
    assert!(last.contains("stopped with 1 of 3 cells done") && last.contains("cell 1: "), "{last}");
}

#[test]
fn a_summary_that_cannot_be_read_is_a_failure() {
    let place = place("[sweep]\nseed = [1, 2]\n");
    place.done("sweep x.toml --log-dir s --quiet");
    let folder = column(&place, "s", "run_dir").remove(0);
    place.write(&format!("s/{folder}/summary.json"), "{");
    let outcome = place.ff("sweep x.toml --log-dir s");
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("summary.json"), "{}", outcome.stderr);
    assert_eq!(column(&place, "s", "status"), ["failed", "done"]);
    place.done("sweep x.toml --log-dir s --quiet --retry-failed");
    assert_eq!(column(&place, "s", "status"), ["done", "done"]);
}

#[test]
fn a_directory_that_cannot_be() {
    let place = place("[sweep]\nseed = [1, 2]\n");
    place.write("file", "");
    for folder in ["file", "file/below", "/dev/null/below"] {
        let message = place.refused(&format!("sweep x.toml --quiet --log-dir {folder}"));
        assert!(message.starts_with(&format!("--log-dir {folder}: ")), "{message}");
    }
}
