//! Run and sweep directories that no training has made.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

/// What a synthetic run looks like.
#[derive(Clone, Copy)]
pub struct Shape {
    pub epochs: u32,
    pub classes: usize,
    pub layers: usize,
    /// Final accuracy.
    pub accuracy: f64,
}

impl Default for Shape {
    fn default() -> Self {
        Self { epochs: 60, classes: 10, layers: 4, accuracy: 0.978 }
    }
}

/// A reproducible number in 0..1.
pub fn noise(seed: u64) -> f64 {
    let mut x = seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (x ^ (x >> 31)) as f64 / u64::MAX as f64
}

pub fn epoch(shape: Shape, epoch: u32) -> Value {
    let t = f64::from(epoch);
    let jitter = |k: u64| 0.012 * (noise(u64::from(epoch) * 31 + k) - 0.5);
    let accuracy = |t: f64| shape.accuracy - 0.35 * (-t / 6.0).exp();
    let loss = |k: f64| 0.15 + 0.1 * k + 0.6 * (-t / (8.0 + 4.0 * k)).exp();
    let layers: Vec<Value> = (0..shape.layers)
        .map(|l| {
            let k = l as f64 / 2.0;
            let up = jitter(l as u64);
            json!({"train_loss": loss(k) + up, "val_loss": loss(k) + 0.05 + 0.001 * t - up})
        })
        .collect();
    json!({
        "epoch": epoch,
        "train_loss": loss(0.8) + jitter(50),
        "val_loss": loss(0.8) + 0.05 + 0.001 * t + jitter(51),
        "layers": layers,
        "accuracy": accuracy(t) + jitter(52) - 0.006,
        "best_accuracy": accuracy(t),
        "class_accuracy": vec![accuracy(t); shape.classes],
        "learning_rate": 0.001,
        "seconds": {"train": 1.5, "eval": 0.2},
    })
}

pub fn write_metrics(folder: &Path, epochs: &[Value]) {
    let lines: String = epochs.iter().map(|epoch| format!("{epoch}\n")).collect();
    fs::write(folder.join("metrics.jsonl"), lines).unwrap();
}

pub fn confusion(classes: usize) -> Vec<Vec<u64>> {
    (0..classes)
        .map(|row| {
            (0..classes)
                .map(|column| {
                    let lucky = noise((row * classes + column) as u64);
                    match row == column {
                        true => 900 + (100.0 * lucky) as u64,
                        false if lucky > 0.6 => ((lucky - 0.6) * 40.0) as u64,
                        false => 0,
                    }
                })
                .collect()
        })
        .collect()
}

pub fn summary(shape: Shape, confusion: &[Vec<u64>]) -> Value {
    json!({
        "status": "done", "dataset": "mnist", "recipe": "baseline",
        "layer_sizes": vec![2000; shape.layers],
        "epochs": shape.epochs, "num_epochs": shape.epochs,
        "split": "test", "evaluated_split": "test", "evaluated_epoch": shape.epochs,
        "accuracy": shape.accuracy, "best_accuracy": shape.accuracy,
        "confusion_matrix": confusion,
    })
}

/// A bright ring or bar per label, 28 × 28.
fn picture(label: usize) -> Vec<u8> {
    let (cx, cy) = (13.5 + (label % 3) as f64 - 1.0, 13.5);
    let radius = 5.0 + (label % 4) as f64;
    (0..784)
        .map(|p| {
            let (x, y) = ((p % 28) as f64 - cx, (p / 28) as f64 - cy);
            let away = if label.is_multiple_of(2) { (x.hypot(y) - radius).abs() } else { x.abs() };
            let inside = y.abs() < 10.0;
            if inside { (255.0 * (1.0 - away / 3.0).max(0.0)) as u8 } else { 0 }
        })
        .collect()
}

pub fn evaluation(shape: Shape) -> Value {
    let samples: Vec<Value> = (0..25)
        .map(|i| {
            let label = i * 7 % shape.classes;
            let prediction = if i % 6 == 5 { (label + 3) % shape.classes } else { label };
            json!({"pixels": picture(label), "label": label, "prediction": prediction})
        })
        .collect();
    let bell = |center: f64, bin: usize| {
        let x = (bin as f64 + 0.5) / 40.0 * 6.0 - center;
        (4000.0 * (-x * x / 0.5).exp()) as u64
    };
    let goodness: Vec<Value> = (0..shape.layers)
        .map(|layer| {
            let apart = 1.6 - 0.3 * layer as f64;
            json!({
                "threshold": 2.0,
                "edges": (0..=40).map(|bin| f64::from(bin) / 40.0 * 6.0).collect::<Vec<_>>(),
                "positive": (0..40).map(|bin| bell(2.0 + apart, bin)).collect::<Vec<_>>(),
                "negative": (0..40).map(|bin| bell(2.0 - apart, bin)).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({"height": 28, "width": 28, "samples": samples, "goodness": goodness})
}

/// A checkpoint with one tensor, `layers.0.weight` [fan_in, fan_out].
pub fn write_weights(folder: &Path, fan_in: usize, fan_out: usize) {
    let values = (0..fan_in * fan_out).flat_map(|i| {
        let (row, unit) = (i / fan_out, i % fan_out);
        let pixel = (row + 784).saturating_sub(fan_in);
        let phase = (pixel % 28) as f64 * 0.2 * (1.0 + noise(unit as u64))
            + (pixel / 28) as f64 * 0.3 * noise(unit as u64 + 99);
        let (x, y) = ((pixel % 28) as f64 - 14.0, (pixel / 28) as f64 - 14.0);
        let value = 0.05 * phase.sin() * (-(x * x + y * y) / 90.0).exp() + 0.01 * (noise(i as u64) - 0.5);
        (value as f32).to_le_bytes()
    });
    let data: Vec<u8> = values.collect();
    let header = json!({"layers.0.weight": {
        "dtype": "F32", "shape": [fan_in, fan_out], "data_offsets": [0, data.len()]
    }})
    .to_string();
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    fs::create_dir_all(folder.join("checkpoints")).unwrap();
    fs::write(folder.join("checkpoints/best.safetensors"), bytes).unwrap();
}

/// A finished run with everything in it.
pub fn write_run(folder: &Path, shape: Shape) {
    fs::create_dir_all(folder).unwrap();
    let epochs: Vec<Value> = (1..=shape.epochs).map(|e| epoch(shape, e)).collect();
    write_metrics(folder, &epochs);
    let summary = summary(shape, &confusion(shape.classes));
    fs::write(folder.join("summary.json"), summary.to_string()).unwrap();
    fs::write(folder.join("evaluation.json"), evaluation(shape).to_string()).unwrap();
    write_weights(folder, 784, 100);
}

/// A sweep over every combination of `axes`; cell number `failed` has no result.
pub fn write_sweep(folder: &Path, axes: &[(&str, &[&str])], epochs: u32, failed: Option<usize>) {
    let status = |cell| if failed == Some(cell) { "failed" } else { "done" };
    write_states(folder, axes, epochs, status);
}

/// A sweep over every combination of `axes`, each cell with a status of its own.
pub fn write_states(
    folder: &Path,
    axes: &[(&str, &[&str])],
    epochs: u32,
    status: impl Fn(usize) -> &'static str,
) {
    let keys: Vec<&str> = axes.iter().map(|(key, _)| *key).collect();
    let count: usize = axes.iter().map(|(_, values)| values.len()).product();
    let cells = (0..count).map(|cell| {
        let mut rest = cell;
        let mut accuracy: f64 = 0.93;
        let mut values = Vec::new();
        for (key, of_axis) in axes {
            let place = rest % of_axis.len();
            rest /= of_axis.len();
            values.push(of_axis[place].to_owned());
            accuracy += match *key {
                "seed" => 0.004 * noise(cell as u64),
                _ => 0.035 / of_axis.len() as f64 * place as f64 / (1.0 + 0.2 * place as f64),
            };
        }
        (values, accuracy, status(cell))
    });
    write_cells(folder, &keys, &cells.collect::<Vec<_>>(), epochs);
}

/// A sweep of given cells: values, accuracy and status.
pub fn write_cells(folder: &Path, keys: &[&str], cells: &[(Vec<String>, f64, &str)], epochs: u32) {
    fs::create_dir_all(folder).unwrap();
    let separated: String = keys.iter().map(|key| format!("{key},")).collect();
    let mut table =
        format!("cell,status,{separated}accuracy,best_accuracy,train_loss,val_loss,seconds,run_dir\n");
    for (cell, (values, accuracy, status)) in cells.iter().enumerate() {
        let mut row = vec![cell.to_string(), (*status).to_owned()];
        row.extend(values.iter().map(|value| format!("\"{value}\"")));
        let name = format!("cell-{cell}");
        let run = folder.join(&name);
        fs::create_dir_all(&run).unwrap();
        let (reached, final_accuracy) = match *status {
            "done" => (epochs, *accuracy),
            "pending" => (0, 0.0),
            _ => (epochs.div_ceil(3), accuracy - 0.02),
        };
        let shape = Shape { epochs: reached, accuracy: final_accuracy, layers: 2, ..Shape::default() };
        if reached > 0 {
            let lines: Vec<Value> = (1..=reached).map(|e| epoch(shape, e)).collect();
            write_metrics(&run, &lines);
        }
        if !matches!(*status, "pending" | "running") {
            let mut summary = summary(shape, &confusion(10));
            summary["status"] = json!(status);
            summary["num_epochs"] = json!(epochs);
            fs::write(run.join("summary.json"), summary.to_string()).unwrap();
        }
        match *status {
            "done" | "pruned" => {
                row.extend([final_accuracy, final_accuracy, 0.3, 0.35, 12.5].map(|v| v.to_string()));
            }
            _ => row.extend(vec![String::new(); 5]),
        }
        row.push(name);
        table += &(row.join(",") + "\n");
    }
    fs::write(folder.join("results.csv"), table).unwrap();
}
