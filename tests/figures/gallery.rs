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

    let two = Shape { classes: 2, ..Shape::default() };
    write_run(&at("two-classes"), two);
    write_run(&at("37-classes"), Shape { classes: 37, ..Shape::default() });
    let long = Shape { layers: 9, ..Shape::default() };
    write_run(&at("long-name"), long);
    let mut summary = synthetic::summary(long, &synthetic::confusion(10));
    let folder =
        "/data/a very long name of a folder that somebody gave to handwritten letters of a century ago";
    summary["dataset"] = json!(format!("idx:{folder} and so on and on, photographed in an archive far away"));
    summary["layer_sizes"] = json!([2000, 1500, 1000, 800, 700, 600, 500, 400, 300]);
    fs::write(at("long-name/summary.json"), summary.to_string()).unwrap();
    fail(&at("failed"), 3);
    write_run(&at("running"), Shape { epochs: 3, ..Shape::default() });
    fs::remove_file(at("running/summary.json")).unwrap();
    fs::remove_file(at("running/evaluation.json")).unwrap();
    let config = "recipe = \"baseline\"\n[data]\ndataset = \"mnist\"\nvalidation_size = 5000\n\
                  [network]\nlayer_sizes = [500, 500]\n[training]\nnum_epochs = 12\n\
                  [evaluation]\npredict = \"head\"\n";
    fs::write(at("running/config.toml"), config).unwrap();
    write_run(&at("few-samples"), Shape { classes: 3, ..Shape::default() });
    let mut evaluation = synthetic::evaluation(Shape::default());
    evaluation["samples"].as_array_mut().unwrap().truncate(7);
    fs::write(at("few-samples/evaluation.json"), evaluation.to_string()).unwrap();
    sweeps(&root);
    let mut names: Vec<PathBuf> = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    for path in names {
        let start = std::time::Instant::now();
        draw(&path);
        println!("{}: {:?}", path.display(), start.elapsed());
    }
}

/// A run that did not get through its next epoch.
fn fail(folder: &Path, epochs: u32) {
    let shape = Shape { epochs, ..Shape::default() };
    write_run(folder, shape);
    let mut summary = synthetic::summary(shape, &[]);
    summary["status"] = json!("failed");
    summary["error"] = json!("the loss of layer 0 became NaN in epoch 4; a smaller learning rate may help");
    summary["num_epochs"] = json!(12);
    fs::write(folder.join("summary.json"), summary.to_string()).unwrap();
    fs::remove_file(folder.join("evaluation.json")).unwrap();
}

fn texts(count: usize, value: impl Fn(usize) -> f64) -> Vec<String> {
    (0..count).map(|index| format!("{}", value(index))).collect()
}

fn sweeps(root: &Path) {
    let at = |name: &str| root.join(name);
    let thresholds: &[&str] = &["0.5", "1", "2", "4"];
    let three: &[&str] = &["1", "2", "3"];
    let widths: &[&str] = &["250", "500", "1000"];
    let kinds: &[&str] = &["sum", "mean", "topk"];
    let thirty_six = [("threshold", thresholds), ("depth", three), ("width", widths), ("seed", three)];
    write_sweep(&at("sweep"), &[("threshold", thresholds), ("depth", three), ("seed", three)], 20, Some(7));
    write_sweep(&at("36-three-seeds"), &thirty_six, 60, Some(20));
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
    let sizes: &[&str] = &["500x500x500", "2000x2000x2000x2000"];
    write_sweep(&at("one-value"), &[("threshold", &["2"]), ("layer_sizes", sizes)], 5, Some(0));
    let one = [(Vec::new(), 0.97, "done")];
    synthetic::write_cells(&at("one-cell"), &[], &one, 12);
    fs::write(
        at("one-cell/sweep.toml"),
        "name = \"a name that goes on and on and on and does not end before the line has ended, nor after it\"",
    )
    .unwrap();
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
    let states = ["done", "done", "pruned", "failed", "running", "interrupted", "pending", "pruned", "done"];
    synthetic::write_states(
        &at("states"),
        &[("threshold", thresholds), ("depth", three), ("seed", three)],
        24,
        |cell| states[cell * 7 % states.len()],
    );
    synthetic::write_states(
        &at("few-states"),
        &[("loss", &["bce", "symba"]), ("depth", three)],
        24,
        |cell| states[cell + 1],
    );
    synthetic::write_states(
        &at("not-begun"),
        &[("threshold", thresholds), ("depth", three)],
        24,
        |_| "pending",
    );
    let rates = texts(20, |index| 1.234e-5 * 1.7f64.powi(index as i32));
    let rates: Vec<&str> = rates.iter().map(String::as_str).collect();
    write_sweep(&at("twenty"), &[("training.learning_rate", &rates), ("depth", three)], 10, Some(3));
    let names: Vec<String> =
        (0..20).map(|index| format!("recipes/a-recipe-of-mine-number-{index}.toml")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    write_sweep(&at("twenty-names"), &[("recipe", &names), ("depth", three)], 10, None);
    let cells: Vec<(Vec<String>, f64, &str)> = (0..24)
        .map(|cell| {
            let random = |k: u64| synthetic::noise(cell * 5 + k);
            let values = vec![
                format!("{:.3e}", 2e-4 * 10f64.powf(random(0))),
                format!("{:.3}", 4.0 + 56.0 * random(1)),
                format!("{:.3}", 0.2 * random(2)),
            ];
            let status = if cell % 3 == 0 { "done" } else { "pruned" };
            (values, 0.95 + 0.03 * random(3), if cell == 7 { "failed" } else { status })
        })
        .collect();
    synthetic::write_cells(&at("search"), &["training.learning_rate", "alpha", "dropout"], &cells, 12);
    let partial: Vec<(Vec<String>, f64, &str)> =
        [["baseline", "", "2"], ["hinton", "0.01", ""], ["contrast", "0.001", ""], ["best", "", "4"]]
            .into_iter()
            .enumerate()
            .map(|(index, values)| (values.map(str::to_owned).to_vec(), 0.93 + 0.01 * index as f64, "done"))
            .collect();
    let keys = ["recipe", "training.learning_rate", "head.learning_rate"];
    synthetic::write_cells(&at("cells"), &keys, &partial, 12);
    let lots = texts(40, |index| index as f64 * 25.0);
    let lots: Vec<&str> = lots.iter().map(String::as_str).collect();
    let some: Vec<&str> = lots.iter().copied().take(25).collect();
    write_sweep(&at("thousand"), &[("batch_size", &lots), ("width", &some)], 60, Some(3));
}
