//! The examples do what they say.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

#[path = "../examples/observe.rs"]
mod observe;
#[path = "../examples/sweep.rs"]
mod sweep;
#[path = "../examples/train.rs"]
mod train;

#[test]
fn a_program_trains_and_evaluates() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let accuracy = train::train_and_evaluate(&run).unwrap();
    assert!(accuracy > 0.7, "{accuracy}");
    // Every observer was there.
    for file in ["config.toml", "metrics.jsonl", "summary.json", "evaluation.json", "figures/curves.png"] {
        assert!(run.join(file).exists(), "{file}");
    }
    let again = train::train_and_evaluate(&run).unwrap_err().to_string();
    assert!(again.contains("belongs to another run"), "{again}");
}

#[test]
fn a_program_runs_a_sweep() {
    let folder = tempfile::tempdir().unwrap();
    let results = sweep::sweep(&folder.path().join("sweep")).unwrap();
    assert!(results.contains("4 cells: 4 done"), "{results}");
    // What is done is left alone.
    assert_eq!(sweep::sweep(&folder.path().join("sweep")).unwrap(), results);
}

#[test]
fn a_program_watches_epochs() {
    let folder = tempfile::tempdir().unwrap();
    let shares = observe::observe(&folder.path().join("run")).unwrap();
    assert_eq!(shares.len(), 3);
    assert!(shares.iter().all(|share| (0.2..0.8).contains(share)), "{shares:?}");
}
