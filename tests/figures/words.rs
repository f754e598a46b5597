//! Titles and notes of runs say what was measured, and how the run stands.

use std::fs;
use std::path::Path;

use forward_forward::figures::{Format, draw_run};
use forward_forward::run::RunDirectory;
use serde_json::{Value, json};

use crate::synthetic::{self, Shape, write_run};

/// Draws a run; the text of one of its figures.
fn text(run: &Path, figure: &str) -> String {
    draw_run(run, Format::Svg).unwrap();
    fs::read_to_string(run.join(format!("figures/{figure}.svg"))).unwrap()
}

fn write_summary(run: &Path, change: impl Fn(&mut Value)) {
    let mut summary = synthetic::summary(Shape::default(), &synthetic::confusion(10));
    change(&mut summary);
    fs::write(run.join("summary.json"), summary.to_string()).unwrap();
}

#[test]
fn figures_name_the_rows_they_are_of() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path();
    write_run(run, Shape::default());
    for figure in ["curves", "layers", "goodness"] {
        let text = text(run, figure).to_lowercase();
        assert!(text.contains("test") && !text.contains("validation"), "{figure}");
    }
    write_summary(run, |summary| {
        summary["split"] = json!("validation");
        summary["evaluated_epoch"] = json!(41);
        summary["test_accuracy"] = json!(0.9123);
    });
    let curves = text(run, "curves");
    assert!(curves.contains("Validation accuracy (%)") && curves.contains("final validation accuracy"));
    assert!(curves.contains("test accuracy of the best epoch 91.23 %"));
    let confusion = text(run, "confusion_matrix");
    assert!(confusion.contains("test images right") && confusion.contains("weights of epoch 41"));
}

#[test]
fn accuracies_of_a_run_with_a_head_say_whose_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path();
    write_run(run, Shape::default());
    assert!(!text(run, "curves").contains("by energy"));
    let mut epochs: Vec<Value> = (1..=9).map(|epoch| synthetic::epoch(Shape::default(), epoch)).collect();
    epochs.iter_mut().for_each(|epoch| epoch["head_accuracy"] = json!(0.9));
    synthetic::write_metrics(run, &epochs);
    let curves = text(run, "curves");
    assert!(curves.contains("by energy") && curves.contains("by head"));
    fs::write(run.join("config.toml"), "[evaluation]\npredict = \"head\"\n").unwrap();
    let curves = text(run, "curves");
    assert!(!curves.contains("by energy") && curves.matches("by head").count() == 1);
}

#[test]
fn a_failed_run_says_why_and_has_no_confusions() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path();
    let shape = Shape { epochs: 3, ..Shape::default() };
    write_run(run, shape);
    fs::remove_file(run.join("evaluation.json")).unwrap();
    write_summary(run, |summary| {
        summary["status"] = json!("failed");
        summary["error"] =
            json!("the loss of layer 0 became NaN in epoch 4; a smaller learning rate may help");
        summary["epochs"] = json!(3);
        summary["num_epochs"] = json!(12);
        summary["confusion_matrix"] = json!([[0, 0], [0, 0]]);
    });
    let curves = text(run, "curves");
    assert!(curves.contains("failed after epoch 3 of 12: the loss of layer 0 became NaN in epoch 4"));
    assert!(!curves.contains("final") && !curves.contains("smaller"));
    let drawn = draw_run(run, Format::Svg).unwrap();
    assert!(drawn.figures.iter().all(|path| !path.ends_with("confusion_matrix.svg")));
    let note = drawn.notes.iter().find(|note| note.contains("confusion_matrix")).unwrap();
    assert!(note.contains("became NaN in epoch 4"), "{note}");
}

#[test]
fn a_run_in_training_is_not_at_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path();
    write_run(run, Shape { epochs: 3, ..Shape::default() });
    fs::remove_file(run.join("summary.json")).unwrap();
    fs::write(run.join("config.toml"), "[training]\nnum_epochs = 12\n").unwrap();
    let training = RunDirectory::claim(run).unwrap();
    let curves = text(run, "curves");
    assert!(curves.contains("running, epoch 3 of 12") && !curves.contains("final"));
    drop(training);
    assert!(text(run, "curves").contains("stopped after epoch 3 of 12"));
}

#[test]
fn long_names_leave_room_for_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path();
    write_run(run, Shape::default());
    write_summary(run, |summary| summary["dataset"] = json!(format!("idx:/data/{}", "letters-".repeat(40))));
    let curves = text(run, "curves");
    assert!(curves.contains('…') && curves.contains("97.60 %") && curves.contains("4 × 2000 units"));
}

#[test]
fn every_layer_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path();
    write_run(run, Shape { layers: 14, ..Shape::default() });
    let (layers, goodness) = (text(run, "layers"), text(run, "goodness"));
    for layer in 1..=14 {
        assert!(layers.contains(&format!("layer {layer}\n")), "{layer}");
        assert!(goodness.contains(&format!("Layer {layer}, ")), "{layer}");
    }
    write_run(run, Shape { layers: 40, ..Shape::default() });
    assert!(text(run, "goodness").contains("the first 30 of 40 layers"));
}

#[test]
fn errors_are_counted_and_called_so() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path();
    write_run(run, Shape::default());
    assert!(text(run, "predictions").contains("21 of the first 25 test images right"));
    let with = |images: u64, errors: u64, of: &dyn Fn(&Value) -> bool| {
        let mut evaluation = synthetic::evaluation(Shape::default());
        (evaluation["images"], evaluation["errors"]) = (json!(images), json!(errors));
        evaluation["samples"].as_array_mut().unwrap().retain(|sample| of(sample));
        fs::write(run.join("evaluation.json"), evaluation.to_string()).unwrap();
        text(run, "predictions")
    };
    let wrong = |sample: &Value| sample["label"] != sample["prediction"];
    assert!(with(900, 4, &|_| true).contains("4 errors on 900 test images (red), the most confident first"));
    assert!(with(900, 77, &wrong).contains("the 4 most confident of 77 errors on 900 test images"));
    assert!(with(4, 4, &wrong).contains("4 errors on 4 test images, the most confident first"));
    assert!(with(900, 0, &|sample| !wrong(sample)).contains("all of 900 test images right"));
}

/// The pictures in a figure of receptive fields, but for the scale beside them.
fn fields(run: &Path) -> Vec<String> {
    let svg = text(run, "receptive_fields");
    let pictures = svg.split("<image").skip(1).map(|tag| tag.split("href=\"").nth(1).unwrap());
    let pictures = pictures.map(|data| data.split('"').next().unwrap().to_owned());
    pictures.collect::<Vec<_>>().split_off(1)
}

#[test]
fn the_most_active_units_come_first() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path();
    write_run(run, Shape::default());
    // As many as are shown, so that all orders have one scale of colors.
    synthetic::write_weights(run, 784, 60);
    let mut first = fields(run);
    assert!(!text(run, "receptive_fields").contains("most active"));
    let mut evaluation = synthetic::evaluation(Shape::default());
    evaluation["activity"] = (0..60).map(f64::from).collect();
    fs::write(run.join("evaluation.json"), evaluation.to_string()).unwrap();
    first.reverse();
    assert!(fields(run) == first);
    assert!(text(run, "receptive_fields").contains("the most active first"));
    evaluation["activity"] = json!([1.0, 2.0]);
    fs::write(run.join("evaluation.json"), evaluation.to_string()).unwrap();
    first.reverse();
    assert!(fields(run) == first, "activities of another network say nothing");
}
