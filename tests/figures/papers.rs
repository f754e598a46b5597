//! Figures for a paper: PDF, a width in print, no title, the numbers beside them, a choice of axes; and figures of
//! searches.

use std::fs;
use std::path::{Path, PathBuf};

use forward_forward::figures::{Choice, Format, Look, Page, draw_run, draw_sound_sweep, draw_sweep};

use crate::pixels::Pixels;
use crate::synthetic::{Shape, noise, write_cells, write_run, write_sweep};

fn names(figures: &[PathBuf]) -> Vec<String> {
    figures.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
}

/// Twelve cells of two knobs at random; the first alone decides.
fn write_search(folder: &Path) {
    let cells: Vec<(Vec<String>, f64, &'static str)> = (0..12)
        .map(|cell| {
            let (first, second) = (noise(cell), noise(100 + cell));
            (vec![format!("{first:.4}"), format!("{second:.4}")], 0.8 + 0.15 * first, "done")
        })
        .collect();
    write_cells(folder, &["threshold", "dropout"], &cells, 3);
}

#[test]
fn a_page_of_pdf() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path();
    write_run(run, Shape { epochs: 5, ..Shape::default() });
    let look = Look { inches: Some(3.25), titled: false };
    let drawn = draw_run(run, Page { format: Format::Pdf, look, data: false }).unwrap();
    assert_eq!(drawn.figures.len(), 6);
    for path in &drawn.figures {
        let bytes = fs::read(path).unwrap();
        assert!(
            bytes.starts_with(b"%PDF-") && bytes.trim_ascii_end().ends_with(b"%%EOF"),
            "{}",
            path.display()
        );
        let text = String::from_utf8_lossy(&bytes);
        // 3.25 inches are 234 points; a canvas has whole pixels.
        let sides = text.split("/MediaBox [").nth(1).unwrap().split(']').next().unwrap();
        let width: f64 = sides.split_whitespace().nth(2).unwrap().parse().unwrap();
        assert!((width - 234.0).abs() < 0.5, "{}: {sides}", path.display());
    }
}

#[test]
fn a_figure_without_title_is_less_high_and_one_in_print_has_its_width() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path();
    write_run(run, Shape { epochs: 5, ..Shape::default() });
    let svg = |look: Look| {
        draw_run(run, Page { format: Format::Svg, look, data: false }).unwrap();
        fs::read_to_string(run.join("figures/curves.svg")).unwrap()
    };
    let whole = svg(Look::default());
    assert!(whole.contains("Training curves") && whole.contains("width=\"1400\" height=\"700\""));
    let bare = svg(Look { titled: false, ..Look::default() });
    assert!(!bare.contains("Training curves") && bare.contains("width=\"1400\" height=\"604\""));
    assert!(bare.contains("Test accuracy (%)"));
    let narrow = svg(Look { inches: Some(3.25), ..Look::default() });
    assert!(narrow.contains("width=\"3.2489in\""), "{}", &narrow[..200]);
    // What an image was taken for is not cut off.
    let predictions = fs::read_to_string(run.join("figures/predictions.svg")).unwrap();
    assert!(predictions.contains(", true ") && !predictions.contains('…'), "{predictions}");
    // Print has twice the dots.
    draw_run(run, Page { format: Format::Png, look: Look { inches: Some(3.25), titled: true }, data: false })
        .unwrap();
    let figure = run.join("figures/curves.png");
    assert_eq!(Pixels::read(&figure).width, 1462);
    // A text program reads from the dots per meter how large the picture is.
    let file = std::io::BufReader::new(fs::File::open(&figure).unwrap());
    let dots = png::Decoder::new(file).read_info().unwrap().info().pixel_dims.unwrap();
    assert_eq!(dots.unit, png::Unit::Meter);
    assert!((1462.0 / f64::from(dots.xppu) / 0.0254 - 3.25).abs() < 0.002, "{dots:?}");
}

#[test]
fn the_numbers_of_a_figure() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path();
    write_run(run, Shape { epochs: 5, ..Shape::default() });
    let drawn = draw_run(run, Page { data: true, ..Page::default() }).unwrap();
    assert!(names(&drawn.figures).contains(&"curves.csv".to_owned()));
    let rows = |name: &str| -> Vec<Vec<String>> {
        let mut reader = csv::Reader::from_path(run.join(format!("figures/{name}.csv"))).unwrap();
        reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
    };
    let metrics = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let losses: Vec<f64> = metrics
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["train_loss"].as_f64().unwrap())
        .collect();
    let curves = rows("curves");
    let training: Vec<&Vec<String>> =
        curves.iter().filter(|row| row[1] == "training" && row[4].starts_with("Loss")).collect();
    assert_eq!(training.len(), 5, "{curves:?}");
    for (row, loss) in training.iter().zip(losses) {
        assert_eq!(row[5].parse::<f64>().unwrap(), loss);
    }
    let matrix = rows("confusion_matrix");
    assert_eq!(matrix[0][1], "True class 0");
    assert!(matrix[0][5].parse::<u64>().unwrap() > 900);
}

#[test]
fn along_some_axes_and_of_another_accuracy() {
    let folder = tempfile::tempdir().unwrap();
    write_sweep(
        folder.path(),
        &[("threshold", &["1", "2"]), ("depth", &["1", "2"]), ("seed", &["1", "2"])],
        3,
        None,
    );
    let choice = |axes: &[&str], metric: Option<&str>| Choice {
        axes: axes.iter().map(|axis| (*axis).to_owned()).collect(),
        metric: metric.map(str::to_owned),
        against: Vec::new(),
    };
    let drawn = draw_sound_sweep(folder.path(), Format::Svg, &choice(&["depth"], None)).unwrap();
    let drawn = names(&drawn.figures);
    assert!(drawn.contains(&"accuracy_by_depth.svg".to_owned()), "{drawn:?}");
    assert!(drawn.contains(&"learning_curves_by_depth.svg".to_owned()), "{drawn:?}");
    assert!(!drawn.iter().any(|name| name.contains("threshold")), "{drawn:?}");
    let error = draw_sound_sweep(folder.path(), Format::Svg, &choice(&["width"], None)).unwrap_err();
    assert_eq!(error.to_string(), "`width` does not vary in this sweep; its axes are threshold, depth, seed");
    draw_sound_sweep(folder.path(), Format::Svg, &choice(&[], Some("best_accuracy"))).unwrap();
    let svg = fs::read_to_string(folder.path().join("figures/accuracy_by_depth.svg")).unwrap();
    assert!(svg.contains("Best accuracy (%)"));
    assert!(draw_sound_sweep(folder.path(), Format::Svg, &choice(&[], Some("head_accuracy"))).is_err());
}

#[test]
fn a_search_shows_which_knob_mattered() {
    let folder = tempfile::tempdir().unwrap();
    write_search(folder.path());
    let drawn = names(&draw_sweep(folder.path(), Format::Svg).unwrap().figures);
    assert!(drawn.contains(&"importance.svg".to_owned()), "{drawn:?}");
    assert!(drawn.contains(&"parallel_coordinates.svg".to_owned()), "{drawn:?}");
    let svg = fs::read_to_string(folder.path().join("figures/importance.svg")).unwrap();
    let lines: Vec<&str> = svg.lines().map(str::trim).collect();
    let place = |text: &str| lines.iter().position(|line| *line == text);
    assert!(place("threshold") < place("dropout"), "the knob that decides comes first");
    // Every figure has its numbers beside it.
    let page = Page { format: Format::Svg, look: Look::default(), data: true };
    for figure in names(&draw_sweep(folder.path(), page).unwrap().figures) {
        let table = folder.path().join("figures").join(figure.replace(".svg", ".csv"));
        let numbers = fs::read_to_string(&table).unwrap_or_else(|error| panic!("{figure}: {error}"));
        assert!(numbers.lines().count() > 1, "{figure} has no numbers: {numbers}");
    }
    let numbers = fs::read_to_string(folder.path().join("figures/importance.csv")).unwrap();
    assert!(numbers.lines().nth(1).unwrap().starts_with(",,knob,threshold,,"), "{numbers}");
    // A grid is no search.
    let folder = tempfile::tempdir().unwrap();
    let four: &[&str] = &["1", "2", "3", "4"];
    write_sweep(folder.path(), &[("threshold", four), ("depth", four)], 2, None);
    let drawn = names(&draw_sweep(folder.path(), Format::Svg).unwrap().figures);
    assert!(!drawn.contains(&"importance.svg".to_owned()), "{drawn:?}");
}

#[test]
fn bands_are_of_seeds_and_panels_of_other_axes() {
    let folder = tempfile::tempdir().unwrap();
    let three: &[&str] = &["1", "2", "3"];
    write_sweep(folder.path(), &[("threshold", three), ("depth", three), ("seed", three)], 4, None);
    draw_sweep(folder.path(), Format::Svg).unwrap();
    let svg = fs::read_to_string(folder.path().join("figures/learning_curves_by_threshold.svg")).unwrap();
    assert!(svg.contains("mean, band of one sd over seeds"));
    assert_eq!(svg.matches("<polygon").count(), 9);
    for title in ["depth 1", "depth 2", "depth 3"] {
        assert!(svg.lines().any(|line| line.trim() == title), "{title}");
    }
}
