//! Settings beside one another: intervals over seeds, differences seed by seed, accuracy against time.

use std::fs;
use std::path::Path;

use forward_forward::figures::{Choice, Drawn, FigureError, Format, Page, draw_sound_sweep};
use serde_json::json;

use crate::synthetic::{Shape, summary};

/// Student's t for 95 %, two-sided, of one and of two degrees of freedom (published to four decimals).
const T1: f64 = 12.7062;
const T2: f64 = 4.3027;

/// A cell: its name, its seed, its accuracy in percent (none: it failed), and the seconds that its training took.
type Cell = (&'static str, u64, Option<f64>, f64);

/// Named cells, each with a recipe of its own, and a learning rate that goes with the name.
fn write_named(folder: &Path, cells: &[Cell]) {
    let header = "cell,status,recipe,learning_rate,seed,accuracy,best_accuracy,train_loss,val_loss,seconds,run_dir,\
                  split,name";
    let mut table = format!("{header}\n");
    for (index, (name, seed, accuracy, seconds)) in cells.iter().enumerate() {
        let (status, fraction) = match accuracy {
            Some(percent) => ("done", format!("{}", percent / 100.0)),
            None => ("failed", String::new()),
        };
        let rate = if name.starts_with('b') { 0.001 } else { 0.002 };
        table += &format!("{index},{status},{name},{rate},{seed},{fraction},,,,,cell-{index},test,{name}\n");
        let run = folder.join(format!("cell-{index}"));
        fs::create_dir_all(&run).unwrap();
        let mut told = summary(Shape { epochs: 0, ..Shape::default() }, &[]);
        told["status"] = json!(status);
        told["seconds"] = json!({"train": seconds, "eval": 1000.0});
        fs::write(run.join("summary.json"), told.to_string()).unwrap();
    }
    fs::write(folder.join("results.csv"), table).unwrap();
}

/// Three seeds of a reference; others with the same seeds, with another beside, with one, with one that failed.
fn write_arena(folder: &Path) {
    let cells = [
        ("backprop", 1, Some(98.5), 10.0),
        ("backprop", 2, Some(98.6), 11.0),
        ("backprop", 3, Some(98.7), 12.0),
        ("pred", 1, Some(98.4), 40.0),
        ("pred", 2, Some(98.6), 40.0),
        ("pred", 3, Some(98.8), 40.0),
        ("sim", 2, Some(97.6), 300.0),
        ("sim", 3, Some(97.5), 300.0),
        ("sim", 4, Some(90.0), 300.0),
        ("once", 1, Some(97.0), 20.0),
        ("broken", 1, Some(97.0), 20.0),
        ("broken", 2, None, 20.0),
    ];
    write_named(folder, &cells);
}

fn drawn(folder: &Path, against: &[&str], axes: &[&str]) -> Result<Drawn, FigureError> {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let choice = Choice { axes: texts(axes), against: texts(against), ..Choice::default() };
    draw_sound_sweep(folder, Page { format: Format::Svg, data: true, ..Page::default() }, &choice)
}

/// A line of a figure's numbers: series, x, y, n, bars, then the ends of the bars along y and x.
type Line = (String, String, f64, String, String, [Option<f64>; 4]);

fn numbers(folder: &Path, figure: &str) -> Vec<Line> {
    let mut reader = csv::Reader::from_path(folder.join(format!("figures/{figure}.csv"))).unwrap();
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    assert_eq!(header[6..], ["n", "bars", "y_low", "y_high", "x_low", "x_high"]);
    let row = |row: csv::StringRecord| {
        let ends = [8, 9, 10, 11].map(|at| row[at].parse().ok());
        (row[1].into(), row[3].into(), row[5].parse().unwrap(), row[6].into(), row[7].into(), ends)
    };
    reader.records().map(|record| row(record.unwrap())).collect()
}

fn near(a: Option<f64>, b: f64) -> bool {
    a.is_some_and(|a| (a - b).abs() < 1e-4)
}

fn svg(folder: &Path, figure: &str) -> String {
    fs::read_to_string(folder.join(format!("figures/{figure}.svg"))).unwrap()
}

#[test]
fn named_cells_have_means_with_intervals() {
    let folder = tempfile::tempdir().unwrap();
    write_arena(folder.path());
    drawn(folder.path(), &[], &[]).unwrap();
    let rows = numbers(folder.path(), "accuracy_by_name");
    let names: Vec<&str> = rows.iter().map(|row| row.1.as_str()).collect();
    assert_eq!(names, ["backprop", "pred", "sim", "once", "broken"]);
    // 98.5, 98.6, 98.7 lie 0.1 apart: sd 0.1.
    let (_, _, mean, n, bars, [low, high, ..]) = &rows[0];
    assert_eq!((n.as_str(), bars.as_str()), ("3", "95 % interval"));
    let half = T2 * 0.1 / 3f64.sqrt();
    assert!((mean - 98.6).abs() < 1e-9 && near(*low, 98.6 - half) && near(*high, 98.6 + half), "{rows:?}");
    // Of one seed, and of two of which one failed, nothing is known of chance.
    for row in &rows[3..] {
        assert_eq!((row.2, row.3.as_str(), row.4.as_str(), row.5), (97.0, "1", "", [None; 4]));
    }
    let svg = svg(folder.path(), "accuracy_by_name");
    assert!(
        svg.contains("12 cells: 11 done, 1 failed")
            && svg.contains("mean ± 95 % interval over up to 3 seeds")
    );
}

#[test]
fn differences_are_those_of_common_seeds() {
    let folder = tempfile::tempdir().unwrap();
    write_arena(folder.path());
    let notes = drawn(folder.path(), &["backprop"], &[]).unwrap().notes;
    let rows = numbers(folder.path(), "difference_to_backprop");
    let of = |name: &str| rows.iter().find(|row| row.1 == name).unwrap();
    assert_eq!(rows.iter().map(|row| row.1.as_str()).collect::<Vec<_>>(), ["pred", "sim", "once", "broken"]);
    // −0.1, 0, 0.1: sd 0.1, where the seeds of `pred` alone lie 0.2 apart.
    let (_, _, mean, n, _, [low, high, ..]) = of("pred");
    let half = T2 * 0.1 / 3f64.sqrt();
    assert!(mean.abs() < 1e-9 && n == "3" && near(*low, -half) && near(*high, half), "{rows:?}");
    // Seeds 2 and 3 alone: −1 and −1.2; seed 4, which is far worse, has no partner.
    let (_, _, mean, n, _, [low, high, ..]) = of("sim");
    let half = T1 * (0.02f64).sqrt() / 2f64.sqrt();
    assert!((mean + 1.1).abs() < 1e-9 && n == "2", "{rows:?}");
    assert!(near(*low, -1.1 - half) && near(*high, -1.1 + half), "{rows:?}");
    let (_, _, mean, n, bars, ends) = of("once");
    assert!((mean + 1.5).abs() < 1e-9 && n == "1" && bars.is_empty() && *ends == [None; 4], "{rows:?}");
    assert_eq!(of("broken").3, "1");
    let [failed, unpaired] = notes.as_slice() else { panic!("{notes:?}") };
    assert!(failed.ends_with(": left out, as they failed: broken, seed 2"), "{failed}");
    assert!(
        unpaired.ends_with("to backprop, which has no finished cell like them: sim, seed 4"),
        "{unpaired}"
    );
    let svg = svg(folder.path(), "difference_to_backprop");
    assert!(svg.contains("paired: mean ± 95 % interval over up to 3 seeds"));
    assert!(svg.contains("Test accuracy minus that of backprop (points)"));
}

#[test]
fn one_seed_has_no_interval_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    write_named(folder.path(), &[("backprop", 1, Some(98.0), 5.0), ("pred", 1, Some(97.5), 7.0)]);
    let notes = drawn(folder.path(), &["pred"], &[]).unwrap().notes;
    assert!(notes.is_empty(), "{notes:?}");
    for figure in ["accuracy_by_name", "difference_to_pred", "accuracy_by_time"] {
        assert!(svg(folder.path(), figure).contains("one seed, no interval"), "{figure}");
        assert!(
            numbers(folder.path(), figure).iter().all(|row| row.3 == "1" && row.5 == [None; 4]),
            "{figure}"
        );
    }
    assert_eq!(numbers(folder.path(), "difference_to_pred")[0].2, 0.5);
}

#[test]
fn seeds_that_nobody_shares_make_no_figure() {
    let folder = tempfile::tempdir().unwrap();
    write_named(folder.path(), &[("backprop", 1, Some(98.0), 5.0), ("pred", 2, Some(97.5), 7.0)]);
    let drawn = drawn(folder.path(), &["pred"], &[]).unwrap();
    assert!(!drawn.figures.iter().any(|path| path.to_string_lossy().contains("difference")));
    assert!(
        drawn.notes[0].contains("no difference to pred: no finished cell shares its seed"),
        "{:?}",
        drawn.notes
    );
}

#[test]
fn a_name_says_what_goes_with_it() {
    let folder = tempfile::tempdir().unwrap();
    write_arena(folder.path());
    let names = |drawn: &Drawn| -> Vec<String> {
        let svgs = drawn.figures.iter().filter(|path| path.extension().is_some_and(|end| end == "svg"));
        svgs.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect()
    };
    let by_name = names(&drawn(folder.path(), &[], &[]).unwrap());
    assert_eq!(by_name, ["accuracy_by_name", "accuracy_by_time"]);
    // Asked for, what goes with the name is drawn too.
    let along = names(&drawn(folder.path(), &[], &["learning_rate"]).unwrap());
    assert_eq!(along, ["accuracy_by_learning_rate", "accuracy_by_time"]);
    // A knob that varies within a name is an axis of its own.
    let table = fs::read_to_string(folder.path().join("results.csv")).unwrap();
    fs::write(folder.path().join("results.csv"), table.replacen("pred,0.002,1", "pred,0.003,1", 1)).unwrap();
    let both = names(&drawn(folder.path(), &[], &[]).unwrap());
    assert!(both.contains(&"accuracy_by_learning_rate".to_owned()), "{both:?}");
    assert!(!both.contains(&"accuracy_by_recipe".to_owned()), "{both:?}");
    // Where a cell has no name, names are no axis.
    fs::write(folder.path().join("results.csv"), table.replacen("test,sim", "test,", 1)).unwrap();
    let unnamed = names(&drawn(folder.path(), &[], &[]).unwrap());
    assert!(unnamed.contains(&"accuracy_by_recipe".to_owned()), "{unnamed:?}");
}

#[test]
fn each_setting_stands_at_its_training_time() {
    let folder = tempfile::tempdir().unwrap();
    write_arena(folder.path());
    drawn(folder.path(), &[], &[]).unwrap();
    let rows = numbers(folder.path(), "accuracy_by_time");
    let (name, seconds, accuracy, n, bars, ends) = &rows[0];
    assert_eq!((name.as_str(), n.as_str(), bars.as_str()), ("backprop", "3", "95 % interval"));
    // Evaluation takes a hundred times as long and does not count.
    let half = T2 / 3f64.sqrt();
    assert!(near(seconds.parse().ok(), 11.0) && (accuracy - 98.6).abs() < 1e-9, "{rows:?}");
    assert!(near(ends[2], 11.0 - half) && near(ends[3], 11.0 + half), "{rows:?}");
    // 11 to 300 s.
    assert!(svg(folder.path(), "accuracy_by_time").contains("Training time (s), log scale"));
    let near_times = [("backprop", 1, Some(98.0), 5.0), ("pred", 1, Some(97.5), 7.0)];
    write_named(folder.path(), &near_times);
    drawn(folder.path(), &[], &[]).unwrap();
    assert!(!svg(folder.path(), "accuracy_by_time").contains("log scale"));
}

#[test]
fn a_reference_is_one_setting() {
    let folder = tempfile::tempdir().unwrap();
    write_arena(folder.path());
    let refused = |against: &str| drawn(folder.path(), &[against], &[]).unwrap_err().to_string();
    assert!(refused("bakcprop").ends_with("; did you mean `backprop`?"), "{}", refused("bakcprop"));
    assert!(refused("zzz").ends_with("; there are backprop, pred, sim, once, broken"), "{}", refused("zzz"));
    // The same twice is one figure.
    let twice = drawn(folder.path(), &["sim", "name=sim"], &[]).unwrap().figures;
    assert_eq!(twice.iter().filter(|path| path.ends_with("figures/difference_to_sim.svg")).count(), 1);
    // Of numbers too, at their places; a value of two knobs needs the knob.
    let folder = tempfile::tempdir().unwrap();
    let values: &[&str] = &["1", "2", "4"];
    crate::synthetic::write_sweep(folder.path(), &[("depth", values), ("width", values)], 2, None);
    let refused = drawn(folder.path(), &["2"], &[]).unwrap_err().to_string();
    assert_eq!(refused, "`2` is a value of several knobs; write depth=2 or width=2");
    drawn(folder.path(), &["depth=2.0"], &[]).unwrap();
    let rows = numbers(folder.path(), "difference_to_depth_2");
    assert_eq!(rows.len(), 6, "two other depths, a line for each of three widths: {rows:?}");
    assert!(rows.iter().all(|row| ["1", "4"].contains(&row.1.as_str()) && row.0.starts_with("width ")));
}

/// Signs are in no file name, and a slash in a name makes no path of it.
#[test]
fn names_with_signs_have_figures_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["a+b", "a-b", "w/o bias", "'+jitter"];
    let cells = |name| [(name, 1, Some(98.0), 10.0), (name, 2, Some(97.0), 11.0)];
    write_named(folder.path(), &names.into_iter().flat_map(cells).collect::<Vec<_>>());
    let drawn = drawn(folder.path(), &["a+b", "a-b", "+jitter", "w/o bias"], &[]).unwrap();
    let differences = drawn.figures.iter().filter(|path| path.to_string_lossy().contains("difference_to_"));
    let mut differences: Vec<_> =
        differences.map(|path| path.file_stem().unwrap().to_str().unwrap()).collect();
    // Of each a picture and its numbers.
    differences.dedup();
    let expected = ["a_b", "a_b_2", "_jitter", "w_o_bias"].map(|name| format!("difference_to_{name}"));
    assert_eq!(differences, expected);
}
