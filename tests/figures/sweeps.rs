//! Figures of sweeps: true places, honest means, cells that are not done.

use std::fs;
use std::path::Path;

use forward_forward::figures::{Format, draw_sweep};

use crate::synthetic::{write_cells, write_states, write_sweep};

fn text(sweep: &Path, figure: &str) -> String {
    draw_sweep(sweep, Format::Svg).unwrap();
    fs::read_to_string(sweep.join(format!("figures/{figure}.svg"))).unwrap()
}

/// The number after `name="` in a tag.
fn attribute(tag: &str, name: &str) -> f64 {
    let start = tag.find(&format!(" {name}=\"")).unwrap() + name.len() + 3;
    tag[start..].split('"').next().unwrap().parse().unwrap()
}

/// Texts with their x, y and size, those that are turned left out.
fn texts(svg: &str) -> Vec<(String, f64, f64, f64)> {
    let tags = svg.split("<text ").skip(1).filter(|tag| !tag.contains("rotate"));
    tags.map(|tag| {
        let tag = format!(" {tag}");
        let words = tag.split('>').nth(1).unwrap().split('<').next().unwrap().trim().to_owned();
        let size = attribute(&tag, "font-size");
        (words, attribute(&tag, "x"), attribute(&tag, "y"), size)
    })
    .collect()
}

fn shows(svg: &str, text: &str) -> bool {
    svg.lines().any(|line| line.trim() == text)
}

#[test]
fn numbers_lie_at_their_places() {
    let folder = tempfile::tempdir().unwrap();
    write_sweep(folder.path(), &[("jitter", &["0", "64", "16"])], 2, None);
    let svg = text(folder.path(), "accuracy_by_jitter");
    let mut dots: Vec<f64> =
        svg.split("<circle").skip(1).map(|tag| attribute(tag.split('>').next().unwrap(), "cx")).collect();
    dots.sort_by(f64::total_cmp);
    dots.dedup();
    let [first, second, third] = dots[..] else { panic!("{dots:?}") };
    assert!(((second - first) / (third - first) - 0.25).abs() < 0.01, "{dots:?}");
    write_sweep(folder.path(), &[("width", &["10", "100", "1000"])], 2, None);
    assert!(text(folder.path(), "accuracy_by_width").contains("Width (units per layer), log scale"));
}

#[test]
fn labels_of_many_values_are_whole_and_apart() {
    let folder = tempfile::tempdir().unwrap();
    let rates: Vec<String> = (0..20).map(|i| format!("{}", 1.234567e-5 * 1.7f64.powi(i))).collect();
    let rates: Vec<&str> = rates.iter().map(String::as_str).collect();
    write_sweep(folder.path(), &[("learning_rate", &rates), ("depth", &["1", "2", "3"])], 2, None);
    for figure in ["accuracy_by_learning_rate", "accuracy_by_depth", "heatmap_learning_rate_depth"] {
        let svg = text(folder.path(), figure);
        assert!(!svg.contains('…'), "{figure}");
        let mut texts = texts(&svg);
        texts.sort_by(|a, b| a.2.total_cmp(&b.2).then(a.1.total_cmp(&b.1)));
        for pair in texts.windows(2) {
            let [(left, x, y, size), (right, next, at, _)] = pair else { panic!() };
            let is_tick = |text: &str| text.len() < 9 && text.starts_with(|c: char| c.is_ascii_digit());
            if y == at && is_tick(left) && is_tick(right) {
                let wide = (left.chars().count() + right.chars().count()) as f64 / 2.0 * 0.45 * size;
                assert!(next - x > wide, "{figure}: {left} and {right}");
            }
        }
    }
    let heatmap = text(folder.path(), "heatmap_learning_rate_depth");
    assert!(shows(&heatmap, "1.2e−5") && shows(&heatmap, "0.0001"));
}

#[test]
fn pruned_cells_are_told_apart_and_not_averaged() {
    let folder = tempfile::tempdir().unwrap();
    let rows = "cell,status,width,depth,seed,accuracy,best_accuracy,train_loss,val_loss,seconds,run_dir\n\
                a,done,100,1,1,0.90,0.9,1,1,1,none\n\
                b,done,100,1,2,0.92,0.9,1,1,1,none\n\
                c,pruned,100,1,3,0.50,0.9,1,1,1,none\n\
                d,pruned,100,2,1,0.55,0.9,1,1,1,none\n\
                e,failed,200,1,1,,,,,,none\n\
                f,pending,200,2,1,,,,,,none\n";
    fs::write(folder.path().join("results.csv"), rows).unwrap();
    let heatmap = text(folder.path(), "heatmap_width_depth");
    for words in ["91.00", "± 1.41", "55.00", "pruned", "failed", "not begun"] {
        assert!(shows(&heatmap, words), "{words}");
    }
    assert!(heatmap.contains("6 cells: 2 done, 2 pruned, 1 failed, 1 not begun"));
    assert!(heatmap.contains("framed: pruned"));
    let by_depth = text(folder.path(), "accuracy_by_depth");
    assert!(shows(&by_depth, "pruned, fewer epochs") && by_depth.contains("over 2 seeds"));
}

#[test]
fn learning_curves_say_what_became_of_cells() {
    let folder = tempfile::tempdir().unwrap();
    let states = ["done", "failed", "pruned", "pending"];
    let widths: Vec<String> = (1..=20).map(|width| (width * 50).to_string()).collect();
    let widths: Vec<&str> = widths.iter().map(String::as_str).collect();
    write_states(folder.path(), &[("width", &widths)], 9, |cell| states[cell % 4]);
    let svg = text(folder.path(), "learning_curves");
    assert!(svg.contains("20 cells: 5 done, 5 pruned, 5 failed, 5 not begun"));
    for words in ["5 done", "5 pruned", "5 failed"] {
        assert!(shows(&svg, words), "{words}");
    }
    assert!(!shows(&svg, "5 not begun"));
}

#[test]
fn the_best_cell_has_all_its_epochs() {
    let folder = tempfile::tempdir().unwrap();
    let cell = |width: &str, accuracy, status| (vec![width.to_owned()], accuracy, status);
    let cells = [cell("1", 0.90, "done"), cell("2", 0.99, "pruned"), cell("3", 0.91, "done")];
    write_cells(folder.path(), &["width"], &cells, 6);
    assert!(text(folder.path(), "best_confusion_matrix").contains("width 3"));
}

#[test]
fn means_are_called_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let three: &[&str] = &["1", "2", "3"];
    let axes = [("threshold", three), ("depth", three), ("width", three), ("seed", three)];
    write_sweep(folder.path(), &axes, 2, None);
    let svg = text(folder.path(), "accuracy_by_threshold");
    assert!(svg.contains("mean over 9 cells: depth and seeds"));
    assert!(shows(&svg, "width 1") && shows(&svg, "width 3"));
    let heatmap = text(folder.path(), "heatmap_threshold_depth");
    assert!(heatmap.contains("mean over 9 cells: width and seeds"));
    let folder = tempfile::tempdir().unwrap();
    write_sweep(folder.path(), &[("threshold", three), ("seed", three)], 2, None);
    assert!(text(folder.path(), "accuracy_by_threshold").contains("mean ± sd over 3 seeds"));
}

#[test]
fn values_that_a_cell_leaves_out_are_defaults() {
    let folder = tempfile::tempdir().unwrap();
    let cell = |values: [&str; 2]| (values.map(str::to_owned).to_vec(), 0.9, "done");
    let cells = [cell(["", "2"]), cell(["0.1", ""]), cell(["0.2", "3"])];
    write_cells(folder.path(), &["alpha", "depth"], &cells, 3);
    assert!(shows(&text(folder.path(), "accuracy_by_alpha"), "(default)"));
    assert!(shows(&text(folder.path(), "heatmap_alpha_depth"), "(default)"));
}

#[test]
fn one_cell_is_one_cell() {
    let folder = tempfile::tempdir().unwrap();
    write_cells(folder.path(), &[], &[(Vec::new(), 0.9, "done")], 3);
    fs::write(folder.path().join("sweep.toml"), "name = \"my experiment\"\n").unwrap();
    let drawn = draw_sweep(folder.path(), Format::Svg).unwrap().figures;
    assert_eq!(drawn.len(), 2);
    let svg = text(folder.path(), "learning_curves");
    assert!(svg.contains("my experiment · 1 cell\n"));
}

#[test]
fn what_does_not_vary_is_no_axis() {
    let folder = tempfile::tempdir().unwrap();
    write_sweep(folder.path(), &[("threshold", &["2"]), ("depth", &["1", "2"])], 2, None);
    let drawn = draw_sweep(folder.path(), Format::Svg).unwrap().figures;
    let names: Vec<_> = drawn.iter().filter_map(|path| path.file_name()?.to_str()).collect();
    assert_eq!(names, ["accuracy_by_depth.svg", "learning_curves.svg", "best_confusion_matrix.svg"]);
}
