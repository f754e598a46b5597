//! A cell that fails.

use std::fs;

use crate::experiment::{column, edit, place};

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
    assert!(pending.contains("| – |") && !pending.contains(" s |"), "{pending}");
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
fn cells_that_cannot_be_read_cost_nobody_else() {
    let place = place("[sweep]\nseed = [1, 2, 3, 4]\n");
    let plan = place.json("sweep x.toml --log-dir s --dry-run --json");
    let folder = |cell: usize| format!("s/{}", plan["cells"][cell]["run_dir"].as_str().unwrap());
    place.done("sweep x.toml --log-dir s --quiet --cell 3");
    fs::create_dir_all(place.at(&folder(0)).join("summary.json")).unwrap();
    place.write(&folder(1), "");
    fs::create_dir(place.at(&folder(2))).unwrap();
    place.write(&format!("{}/summary.json", folder(2)), "{");
    let status = place.json("sweep x.toml --log-dir s --status --json");
    assert_eq!((&status["failed"], &status["done"]), (&3.into(), &1.into()));
    place.done("sweep x.toml --log-dir s --dry-run");
    fs::remove_dir_all(place.at(&folder(3))).unwrap();
    for line in ["sweep x.toml --log-dir s", "sweep x.toml --log-dir s --retry-failed"] {
        let outcome = place.ff(line);
        assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
        let last = outcome.stderr.lines().last().unwrap();
        assert!(last.contains(&format!("cell 0: {}/summary.json: Is a directory", folder(0))), "{last}");
        assert!(last.contains("cell 1: "), "{last}");
        assert_eq!(column(&place, "s", "status")[3], "done");
    }
    // What can be written anew is.
    assert_eq!(column(&place, "s", "status"), ["failed", "failed", "done", "done"]);
    assert!(place.read("s/results.md").contains("summary.json: Is a directory"));
}

#[test]
fn a_broken_checkpoint_begins_anew_where_a_retry_is_asked_for() {
    let place = place("[sweep]\nseed = [1, 2]\n");
    place.done("sweep x.toml --log-dir whole --quiet");
    place.done("sweep x.toml --log-dir s --quiet");
    let folder = column(&place, "s", "run_dir").remove(0);
    fs::remove_file(place.at(&format!("s/{folder}/summary.json"))).unwrap();
    for checkpoint in ["last", "previous"] {
        place.write(&format!("s/{folder}/checkpoints/{checkpoint}.safetensors"), "broken");
    }
    let failed = place.ff("sweep x.toml --log-dir s --quiet");
    assert_eq!(failed.code, Some(1));
    assert!(failed.stderr.contains("cell 0: s/seed=1-"), "{}", failed.stderr);
    let retried = place.done("sweep x.toml --log-dir s --quiet --retry-failed");
    assert!(retried.stderr.starts_with("cell 0 (seed=1): begins anew, since "), "{}", retried.stderr);
    assert_eq!(crate::experiment::results(&place, "s"), crate::experiment::results(&place, "whole"));
}

#[test]
fn a_halving_tells_of_cells_that_it_cannot_read() {
    let place = place(
        "[search]\ncells = 3\nthreshold = { from = 1, to = 2 }\nhalving = { min_epochs = 2, factor = 3 }\n",
    );
    let line = "sweep x.toml --log-dir s --quiet --set validation_size=100";
    place.done(line);
    let statuses = column(&place, "s", "status");
    let pruned = statuses.iter().position(|status| status == "pruned").unwrap();
    let folder = column(&place, "s", "run_dir").swap_remove(pruned);
    place.write(&format!("s/{folder}/metrics.jsonl"), "broken\n");
    let outcome = place.ff(line);
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains(&format!("cell {pruned}: s/{folder}/metrics.jsonl: line 1")),
        "{outcome:?}"
    );
}

#[test]
fn data_that_do_not_fit_name_the_cell() {
    let place = place("[sweep]\nbatch_size = [64, 5000]\n");
    let message = place.refused("sweep x.toml");
    assert!(message.contains(": cell 1 (batch_size=5000): `training.batch_size` is 5000, but"), "{message}");
    let place = crate::experiment::place("[[cell]]\nseed = 1\n[[cell]]\ndataset = 'idx:nowhere'\n");
    let message = place.refused("sweep x.toml");
    assert!(message.starts_with("cell 1 (seed=42, dataset=idx:nowhere): "), "{message}");
}

/// Results of other arithmetic do not come into one table unless told.
#[test]
fn another_backend_is_refused_unless_told() {
    let place = place("[sweep]\nseed = [1, 2, 3]\n");
    let plan = place.json("sweep x.toml --log-dir s --dry-run --json");
    let folder = |cell: usize| format!("s/{}", plan["cells"][cell]["run_dir"].as_str().unwrap());
    place.done("sweep x.toml --log-dir s --quiet --cell 1");
    place.done("sweep x.toml --log-dir s --quiet --cell 2");
    let summary = format!("{}/summary.json", folder(1));
    let refused = "--backend: s was begun on opencl:0.0 (Some GPU, fp32) (cell 1), and cpu gives other numbers; go on \
                   with --backend opencl:0.0, or mix them with --force-spec";
    edit(&place, &summary, "\"backend\": \"cpu\"", "\"backend\": \"opencl:0.0\"");
    let text = place.read(&summary);
    let device = text.lines().find(|line| line.contains("\"device\"")).unwrap().to_owned();
    edit(&place, &summary, &device, "  \"device\": \"Some GPU\",");
    assert_eq!(place.refused("sweep x.toml --log-dir s --quiet"), refused);
    // Before a device is looked at, names are compared.
    assert_eq!(place.refused("sweep x.toml --log-dir s --slurm-dry-run"), refused);
    // A cell that is cut short says it in its config alone.
    fs::remove_file(place.at(&summary)).unwrap();
    let config = format!("{}/config.toml", folder(1));
    edit(&place, &config, "name = \"cpu\"", "name = \"opencl:0.0\"");
    let device = place.read(&config).lines().find(|line| line.starts_with("device")).unwrap().to_owned();
    edit(&place, &config, &device, "device = \"Some GPU\"");
    assert_eq!(place.refused("sweep x.toml --log-dir s --quiet"), refused);
    place.json("sweep x.toml --log-dir s --status --json");
    place.done("sweep x.toml --log-dir s --quiet --force-spec");
    // Everything is done: whoever gathers results trains nothing.
    edit(
        &place,
        &format!("{}/summary.json", folder(1)),
        "\"backend\": \"cpu\"",
        "\"backend\": \"opencl:0.0\"",
    );
    place.done("sweep x.toml --log-dir s --quiet");
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
