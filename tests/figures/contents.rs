//! Figures show what the results say.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use forward_forward::figures::{Format, draw_run, draw_sweep};

use crate::pixels::Pixels;
use crate::synthetic::{self, Shape, write_run, write_sweep};

const DARKEST: [u8; 3] = [8, 48, 107];
const GREEN: [u8; 3] = [0, 158, 115];
const RED: [u8; 3] = [190, 20, 30];

fn names(paths: &[PathBuf]) -> BTreeSet<String> {
    paths.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn run_with_confusion(folder: &Path, matrix: &[Vec<u64>]) -> Pixels {
    let summary = synthetic::summary(Shape::default(), matrix);
    fs::write(folder.join("summary.json"), summary.to_string()).unwrap();
    draw_run(folder, Format::Png).unwrap();
    Pixels::read(&folder.join("figures/confusion_matrix.png"))
}

#[test]
fn a_run_has_all_figures_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    write_run(folder.path(), Shape::default());
    let drawn = draw_run(folder.path(), Format::Png).unwrap().figures;
    let expected = [
        ("curves.png", 1400, 700),
        ("layers.png", 1400, 700),
        ("confusion_matrix.png", 1400, 1200),
        ("predictions.png", 1400, 1706),
        ("goodness.png", 1400, 1040),
        ("receptive_fields.png", 1400, 858),
    ];
    assert_eq!(names(&drawn), set(&expected.map(|(name, ..)| name)));
    for (name, width, height) in expected {
        let pixels = Pixels::read(&folder.path().join("figures").join(name));
        assert_eq!((pixels.width, pixels.height), (width, height), "{name}");
    }
    // No temporary files stay behind.
    assert_eq!(fs::read_dir(folder.path().join("figures")).unwrap().count(), drawn.len());
}

#[test]
fn a_running_run_has_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let epochs = [synthetic::epoch(Shape::default(), 1)];
    synthetic::write_metrics(folder.path(), &epochs);
    let drawn = draw_run(folder.path(), Format::Png).unwrap().figures;
    assert_eq!(names(&drawn), set(&["curves.png", "layers.png"]));
}

#[test]
fn svg_holds_text_and_images() {
    let folder = tempfile::tempdir().unwrap();
    write_run(folder.path(), Shape::default());
    let drawn = draw_run(folder.path(), Format::Svg).unwrap().figures;
    assert_eq!(drawn.len(), 6);
    for path in drawn {
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("<svg width=\"1400\""), "{}", path.display());
        assert!(text.trim_end().ends_with("</svg>"));
        assert!(text.contains("mnist · baseline · 4 × 2000 units"));
        let images = text.matches("<image").count();
        match path.file_stem().unwrap().to_str().unwrap() {
            "predictions" => assert_eq!(images, 25),
            "receptive_fields" => assert_eq!(images, 61),
            "confusion_matrix" => assert_eq!(images, 1),
            _ => assert_eq!(images, 0),
        }
    }
}

#[test]
fn confusions_are_colored_where_they_belong() {
    let folder = tempfile::tempdir().unwrap();
    // Rows are true classes: 0 → 0, 1 → 2, 2 → 1.
    let matrix = vec![vec![50, 0, 0], vec![0, 0, 70], vec![0, 30, 0]];
    let pixels = run_with_confusion(folder.path(), &matrix);
    let dark = pixels.of_color(DARKEST, 1230);
    let bounds = |v: fn(&(usize, usize)) -> usize| {
        (dark.iter().map(v).min().unwrap(), dark.iter().map(v).max().unwrap())
    };
    let ((left, right), (top, bottom)) = (bounds(|p| p.0), bounds(|p| p.1));
    for (row, counts) in matrix.iter().enumerate() {
        for (column, count) in counts.iter().enumerate() {
            // Off the middle, where the text is.
            let x = left + (right - left) * (4 * column + 1) / 12;
            let y = top + (bottom - top) * (4 * row + 1) / 12;
            let expected = if *count > 0 { DARKEST } else { [255; 3] };
            assert_eq!(pixels.at(x, y), expected, "row {row}, column {column}");
        }
    }
}

#[test]
fn a_class_without_samples_is_gray() {
    let folder = tempfile::tempdir().unwrap();
    let mut matrix = synthetic::confusion(10);
    let gray = |matrix: &[Vec<u64>]| run_with_confusion(folder.path(), matrix).of_color([222; 3], 1230).len();
    // Smoothed text has a few pixels of every gray.
    assert!(gray(&matrix) < 500);
    matrix[4] = vec![0; 10];
    assert!(gray(&matrix) > 50_000);
}

#[test]
fn a_hundred_classes_have_a_diagonal() {
    let folder = tempfile::tempdir().unwrap();
    let matrix: Vec<Vec<u64>> =
        (0..100).map(|row| (0..100).map(|column| u64::from(row == column)).collect()).collect();
    let dark = run_with_confusion(folder.path(), &matrix).of_color(DARKEST, 1230);
    let share = dark.len() as f64 / (100.0 * 11.0 * 9.7);
    assert!((0.9..1.1).contains(&share), "{share}");
    let down = dark.iter().all(|(x, y)| {
        let (x0, y0) = dark[0];
        ((*x - x0) as f64 / 1100.0 - (*y - y0) as f64 / 975.0).abs() < 0.03
    });
    assert!(down, "cells off the diagonal are dark");
}

#[test]
fn right_predictions_are_green_and_wrong_ones_red() {
    let folder = tempfile::tempdir().unwrap();
    write_run(folder.path(), Shape::default());
    draw_run(folder.path(), Format::Png).unwrap();
    let pixels = Pixels::read(&folder.path().join("figures/predictions.png"));
    let mut counts = [[0usize; 2]; 25];
    for (kind, color) in [GREEN, RED].into_iter().enumerate() {
        for (x, y) in pixels.of_color(color, pixels.width) {
            let (column, row) = ((x - 28) * 5 / 1344, (y - 120) * 5 / 1564);
            counts[row.min(4) * 5 + column.min(4)][kind] += 1;
        }
    }
    for (index, [green, red]) in counts.into_iter().enumerate() {
        // Every sixth synthetic prediction is wrong.
        let (own, other) = if index % 6 == 5 { (red, green) } else { (green, red) };
        assert!(own > 3000 && other == 0, "sample {index}: {green} green, {red} red");
    }
}

#[test]
fn a_sweep_has_a_figure_per_axis_and_per_pair() {
    let folder = tempfile::tempdir().unwrap();
    let axes: [(&str, &[&str]); 4] = [
        ("goodness.threshold", &["0.5", "1", "2"]),
        ("depth", &["2", "3"]),
        ("loss", &["bce", "symba"]),
        ("seed", &["1", "2", "3"]),
    ];
    write_sweep(folder.path(), &axes, 4, Some(5));
    let drawn = draw_sweep(folder.path(), Format::Png).unwrap().figures;
    let expected = set(&[
        "accuracy_by_goodness_threshold.png",
        "accuracy_by_depth.png",
        "accuracy_by_loss.png",
        "heatmap_goodness_threshold_depth.png",
        "heatmap_goodness_threshold_loss.png",
        "heatmap_depth_loss.png",
        "learning_curves_by_goodness_threshold.png",
        "learning_curves_by_depth.png",
        "learning_curves_by_loss.png",
        "learning_curves.png",
        "best_confusion_matrix.png",
    ]);
    assert_eq!(names(&drawn), expected);
}

#[test]
fn a_sweep_tells_means_and_deviations() {
    let folder = tempfile::tempdir().unwrap();
    let rows = "cell,status,width,depth,seed,accuracy,best_accuracy,train_loss,val_loss,seconds,run_dir\n\
                a,done,100,1,1,0.90,0.9,1,1,1,none\n\
                b,done,100,1,2,0.92,0.9,1,1,1,none\n\
                c,done,1000,1,1,0.95,0.9,1,1,1,none\n\
                d,failed,1000,1,2,,,,,,none\n\
                e,done,100,2,1,NaN,,,,,none\n";
    fs::write(folder.path().join("results.csv"), rows).unwrap();
    draw_sweep(folder.path(), Format::Svg).unwrap();
    let heatmap = fs::read_to_string(folder.path().join("figures/heatmap_width_depth.svg")).unwrap();
    let shows = |text: &str| heatmap.lines().any(|line| line.trim() == text);
    assert!(shows("91.00") && shows("± 1.41") && shows("95.00"));
    assert!(heatmap.contains("mean ± sd over up to 2 seeds"));
    let by_width = fs::read_to_string(folder.path().join("figures/accuracy_by_width.svg")).unwrap();
    assert!(by_width.contains("5 cells: 4 done, 1 failed"));
}

/// The work follows the axes: 36 cells are no more pictures than eight.
#[test]
fn cells_do_not_multiply_figures() {
    let drawn = |thresholds: &[&str], depths: &[&str], widths: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        let axes = [("threshold", thresholds), ("depth", depths), ("width", widths)];
        write_sweep(folder.path(), &axes, 60, None);
        names(&draw_sweep(folder.path(), Format::Svg).unwrap().figures)
    };
    let eight = drawn(&["0.5", "1"], &["2", "3"], &["250", "500"]);
    assert_eq!(eight, drawn(&["0.5", "1", "2", "4"], &["2", "3", "4"], &["250", "500", "1000"]));
    assert!(eight.contains("accuracy_by_threshold.svg"), "{eight:?}");
}

#[test]
fn images_that_no_label_enters_are_shown_whole() {
    let folder = tempfile::tempdir().unwrap();
    write_run(folder.path(), Shape::default());
    let says = |label: &str| {
        fs::write(folder.path().join("config.toml"), format!("[network]\nlabel = \"{label}\"\n")).unwrap();
        draw_run(folder.path(), Format::Svg).unwrap();
        let path = folder.path().join("figures/receptive_fields.svg");
        fs::read_to_string(path).unwrap().contains("gray: pixels of the label")
    };
    assert!(says("overlay"));
    assert!(!says("auto"));
}
