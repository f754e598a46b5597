//! A thousand cells.

use std::fs;
use std::time::Instant;

use crate::experiment::{column, place};

#[test]
fn are_planned_and_gathered_in_no_time() {
    let place = place(
        "[sweep]\nthreshold = { from = 1, to = 10, steps = 10 }\nwidth = { from = 8, to = 17, steps = 10 }\nseed = { from = 1, to = 10, steps = 10 }\n",
    );
    let began = Instant::now();
    let plan = place.json("sweep x.toml --dry-run --json");
    let planning = began.elapsed();
    let cells = plan["cells"].as_array().unwrap();
    assert_eq!(cells.len(), 1000);

    // What a run leaves, a thousand times with other numbers.
    place.done("sweep x.toml --cell 0 --quiet");
    let model = place.at("runs/x").join(cells[0]["run_dir"].as_str().unwrap());
    let summary = fs::read_to_string(model.join("summary.json")).unwrap();
    let mut summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    for (index, cell) in cells.iter().enumerate().skip(1) {
        let folder = place.at("runs/x").join(cell["run_dir"].as_str().unwrap());
        fs::create_dir_all(&folder).unwrap();
        fs::copy(model.join("metrics.jsonl"), folder.join("metrics.jsonl")).unwrap();
        summary["accuracy"] = (0.5 + 0.4 * (index as f64).sin()).into();
        fs::write(folder.join("summary.json"), summary.to_string()).unwrap();
    }
    let began = Instant::now();
    place.done("sweep x.toml --quiet");
    let results = began.elapsed();
    assert_eq!(column(&place, "runs/x", "status"), vec!["done"; 1000]);
    let began = Instant::now();
    place.done("plot runs/x");
    let figures = began.elapsed();
    eprintln!("1000 cells: planned in {planning:?}, results in {results:?}, figures in {figures:?}");
}
