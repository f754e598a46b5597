//! Every figure in every awkward case, to be looked at:
//! `cargo test --test figures gallery -- --ignored`, then open `target/gallery/`.

use std::fs;
use std::path::{Path, PathBuf};

use forward_forward::figures::{Format, draw_run, draw_sweep};
use serde_json::{Value, json};

use crate::synthetic::{self, Shape, write_run, write_sweep};

fn draw(folder: &Path) {
    let drawn = match folder.join("results.csv").is_file() {
        true => draw_sweep(folder, Format::Png).and_then(|_| draw_sweep(folder, Format::Svg)),
        false => draw_run(folder, Format::Png).and_then(|_| draw_run(folder, Format::Svg)),
    };
    drawn.unwrap();
}

#[test]
#[ignore = "for people to look at"]
fn gallery() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/gallery");
    fs::remove_dir_all(&root).ok();
    let at = |name: &str| root.join(name);

    write_run(&at("run"), Shape::default());
    write_run(&at("one-epoch"), Shape { epochs: 1, layers: 1, ..Shape::default() });
    write_run(&at("hundred-classes"), Shape { classes: 100, layers: 14, epochs: 7, ..Shape::default() });

    let nulls = Shape { epochs: 12, ..Shape::default() };
    write_run(&at("nulls"), nulls);
    let mut epochs: Vec<Value> = (1..=12).map(|e| synthetic::epoch(nulls, e)).collect();
    for epoch in &mut epochs[5..8] {
        epoch["train_loss"] = Value::Null;
        epoch["accuracy"] = Value::Null;
        epoch["layers"][1]["val_loss"] = Value::Null;
    }
    for epoch in &mut epochs {
        epoch["val_loss"] = Value::Null;
        epoch["head_accuracy"] = json!(0.9);
    }
    synthetic::write_metrics(&at("nulls"), &epochs);
    let mut matrix = synthetic::confusion(10);
    matrix[4] = vec![0; 10];
    let summary = synthetic::summary(nulls, &matrix).to_string();
    fs::write(at("nulls/summary.json"), summary).unwrap();
    synthetic::write_weights(&at("nulls"), 794, 17);

    let thresholds: &[&str] = &["0.5", "1", "2", "4"];
    let three: &[&str] = &["1", "2", "3"];
    write_sweep(&at("sweep"), &[("threshold", thresholds), ("depth", three), ("seed", three)], 20, Some(7));
    let widths: &[&str] = &["250", "500", "1000"];
    let kinds: &[&str] = &["sum", "mean", "topk"];
    write_sweep(
        &at("big-sweep"),
        &[
            ("goodness.function", kinds),
            ("training.learning_rate", &["0.0001", "0.001", "0.01"]),
            ("width", widths),
            ("depth", three),
            ("seed", three),
        ],
        30,
        None,
    );
    write_sweep(&at("seeds"), &[("seed", three)], 1, None);
    write_sweep(
        &at("one-value"),
        &[("threshold", &["2"]), ("layer_sizes", &["[500, 500, 500]", "[2000, 2000, 2000, 2000]"])],
        5,
        Some(0),
    );
    write_sweep(
        &at("lines"),
        &[
            ("optimizer", &["adam", "momentum"]),
            ("normalization", &["unit", "rms", "none"]),
            ("training.learning_rate_schedule", &["constant", "cooldown"]),
        ],
        25,
        None,
    );
    let lots: Vec<String> = (0..40).map(|value| (value * 25).to_string()).collect();
    let lots: Vec<&str> = lots.iter().map(String::as_str).collect();
    let some: Vec<&str> = lots.iter().copied().take(25).collect();
    write_sweep(&at("thousand"), &[("batch_size", &lots), ("width", &some)], 60, Some(3));
    let start = std::time::Instant::now();
    draw_sweep(&at("thousand"), Format::Png).unwrap();
    println!("a thousand cells: {:?}", start.elapsed());
    for name in
        ["lines", "run", "one-epoch", "hundred-classes", "nulls", "sweep", "big-sweep", "seeds", "one-value"]
    {
        draw(&at(name));
    }
}
