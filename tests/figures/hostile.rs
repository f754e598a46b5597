//! Results that are torn, missing, absurd: an error or a figure, never a panic.

use std::fs;
use std::path::Path;

use forward_forward::figures::{Choice, FigureError, Format, draw_run, draw_sound_sweep, draw_sweep};
use serde_json::{Value, json};

use crate::synthetic::{self, Shape, noise, write_run, write_sweep};

fn draw_both(folder: &Path) -> Result<usize, FigureError> {
    draw_run(folder, Format::Svg)?;
    Ok(draw_run(folder, Format::Png)?.figures.len())
}

#[test]
fn nothing_there() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(draw_both(folder.path()).unwrap(), 0);
    let missing = folder.path().join("missing");
    let run = draw_run(&missing, Format::Png).unwrap_err();
    assert!(matches!(run, FigureError::NoResults { kind: "run", .. }));
    let sweep = draw_sweep(folder.path(), Format::Png).unwrap_err();
    assert!(matches!(sweep, FigureError::NoResults { kind: "sweep", .. }));
}

#[test]
fn a_torn_last_line_is_ignored_and_a_bad_one_before_it_named() {
    let folder = tempfile::tempdir().unwrap();
    let line = synthetic::epoch(Shape::default(), 1).to_string();
    let metrics = folder.path().join("metrics.jsonl");
    fs::write(&metrics, format!("{line}\n{}", &line[..40])).unwrap();
    assert_eq!(draw_both(folder.path()).unwrap(), 2);
    fs::write(&metrics, format!("{line}\n{}\n{line}\n", &line[..40])).unwrap();
    let error = draw_both(folder.path()).unwrap_err();
    assert!(matches!(error, FigureError::Malformed { line: 2, .. }), "{error}");
    assert!(error.to_string().contains("metrics.jsonl:2"));
}

#[test]
fn numbers_that_are_absent_or_absurd() {
    let folder = tempfile::tempdir().unwrap();
    for value in [json!(null), json!(1e308), json!(-1e308), json!(1e-320), json!(0), json!(-5)] {
        let epochs: Vec<Value> = (0..3)
            .map(|epoch| {
                json!({
                    "epoch": epoch * 1_000_000_000u64, "train_loss": value, "val_loss": value,
                    "layers": [{"train_loss": value}, {}], "accuracy": value, "best_accuracy": value,
                })
            })
            .collect();
        synthetic::write_metrics(folder.path(), &epochs);
        assert_eq!(draw_both(folder.path()).unwrap(), 2);
    }
}

#[test]
fn matrices_of_any_shape() {
    let folder = tempfile::tempdir().unwrap();
    let matrices = [
        json!([[0]]),
        json!([[u64::MAX, u64::MAX], [1, u64::MAX]]),
        json!(vec![vec![1; 26]; 26]),
        json!(vec![vec![1; 300]; 300]),
    ];
    for matrix in matrices {
        let empty = matrix == json!([[0]]);
        let summary =
            json!({"status": "done", "confusion_matrix": matrix, "recipe": "/", "layer_sizes": [3, 1]});
        fs::write(folder.path().join("summary.json"), summary.to_string()).unwrap();
        assert_eq!(draw_both(folder.path()).unwrap(), usize::from(!empty));
    }
}

#[test]
fn evaluations_that_do_not_fit_together() {
    let folder = tempfile::tempdir().unwrap();
    let evaluations = [
        json!({"height": 1, "width": 2, "samples": [{"pixels": [1, 2], "label": 1, "prediction": u64::MAX}]}),
        json!({"height": 2, "width": 1, "samples": [{"pixels": [1, 2], "label": 1, "prediction": 1}]}),
        json!({"height": 0, "width": 0, "samples": [{"pixels": [], "label": 1, "prediction": 1}]}),
        json!({"height": 1, "width": 3, "samples": [{"pixels": [1, 2, 3], "label": 1, "prediction": 1}]}),
        json!({"goodness": [{}]}),
        json!({"goodness": [{"threshold": 1e308, "edges": [null, 1, 2], "positive": [1, 2, 3, 4], "negative": []}]}),
        json!({"goodness": [{"threshold": null, "edges": [2, 2], "positive": [0], "negative": [u64::MAX]}]}),
        json!({"goodness": [{"threshold": 5, "edges": [3, 2, 1], "positive": [1, 1], "negative": [1]}]}),
    ];
    for evaluation in evaluations {
        fs::write(folder.path().join("evaluation.json"), evaluation.to_string()).unwrap();
        assert_eq!(draw_both(folder.path()).unwrap(), 1, "{evaluation}");
    }
}

#[test]
fn weights_of_any_shape() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [((784, 3), 1), ((1, 1), 1), ((785, 2), 0), ((16, 200), 1), ((784, 0), 0)];
    for ((fan_in, fan_out), figures) in cases {
        synthetic::write_weights(folder.path(), fan_in, fan_out);
        assert_eq!(draw_both(folder.path()).unwrap(), figures, "{fan_in} × {fan_out}");
    }
    let path = folder.path().join("checkpoints/best.safetensors");
    let whole = fs::read(&path).unwrap();
    for broken in [&whole[..4], &whole[..20], &[0xff; 64], b"\x02\0\0\0\0\0\0\0{}"] {
        fs::write(&path, broken).unwrap();
        assert!(draw_both(folder.path()).is_err());
    }
}

#[test]
fn sweeps_with_gaps() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let table = path.join("results.csv");
    let header = "cell,status,width,accuracy,best_accuracy,train_loss,val_loss,seconds,run_dir";
    let tables = [
        format!("{header}\na,failed,100,,,,,,gone\n"),
        format!("{header}\na,done,,1e300,,,,,gone\nb,done,\"<&>\u{1}\",inf,,,,,/\n"),
        "accuracy,run_dir\n0.5,gone\n".to_owned(),
    ];
    for text in tables {
        fs::write(&table, text).unwrap();
        draw_sweep(path, Format::Svg).unwrap();
        draw_sweep(path, Format::Png).unwrap();
    }
    let torn = format!("{header}\na,done,100,0.9,0.9,1,1,1,gone\nb,done");
    for text in ["", "\n", "cell,status\n", "accuracy\n0.5\n", header, &torn] {
        fs::write(&table, text).unwrap();
        assert!(draw_sweep(path, Format::Png).is_err());
    }
}

#[test]
fn cells_that_cannot_be_read_cost_only_their_part() {
    let folder = tempfile::tempdir().unwrap();
    let widths: Vec<String> = (0..14).map(|width| width.to_string()).collect();
    let widths: Vec<&str> = widths.iter().map(String::as_str).collect();
    write_sweep(folder.path(), &[("width", &widths)], 3, None);
    fs::write(folder.path().join("cell-0/metrics.jsonl"), "{\n{\n").unwrap();
    fs::write(folder.path().join("cell-13/summary.json"), "{").unwrap();
    let drawn = draw_sweep(folder.path(), Format::Png).unwrap().figures;
    assert_eq!(drawn.len(), 2);
    assert!(draw_sound_sweep(folder.path(), Format::Png, &Choice::default()).is_err());
}

#[test]
fn random_damage_is_survived() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_run(path, Shape { epochs: 3, classes: 3, layers: 1, ..Shape::default() });
    let files = ["metrics.jsonl", "summary.json", "evaluation.json", "checkpoints/best.safetensors"];
    for seed in 0..60 {
        let random = |k: u64, below: usize| (noise(seed * 10 + k) * below as f64) as usize;
        let file = path.join(files[random(0, files.len())]);
        let whole = fs::read(&file).unwrap();
        let mut broken = whole.clone();
        let header = whole.len().min(400);
        broken[random(1, header)] = b"0123456789-{}[],:\"e."[random(2, 20)];
        broken[random(3, header)] = random(4, 256) as u8;
        fs::write(&file, broken).unwrap();
        // An error is fine.
        draw_run(path, Format::Svg).ok();
        fs::write(&file, whole).unwrap();
    }
}
