//! The examples do what they say.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

#[path = "../examples/backend.rs"]
mod backend;
#[path = "../examples/growth.rs"]
mod growth;
#[path = "../examples/observe.rs"]
mod observe;
#[path = "../examples/paper.rs"]
mod paper;
#[path = "../examples/sweep.rs"]
mod sweep;
#[path = "../examples/train.rs"]
mod train;

#[test]
fn a_program_trains_and_evaluates() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let accuracy = train::train_and_evaluate(&run).unwrap();
    assert!(accuracy > 0.7, "{accuracy}");
    // Every observer was there.
    for file in ["config.toml", "metrics.jsonl", "summary.json", "evaluation.json", "figures/curves.png"] {
        assert!(run.join(file).exists(), "{file}");
    }
    let again = train::train_and_evaluate(&run).unwrap_err().to_string();
    assert!(again.contains("belongs to another run"), "{again}");
}

#[test]
fn a_program_runs_a_sweep() {
    let folder = tempfile::tempdir().unwrap();
    let results = sweep::sweep(&folder.path().join("sweep")).unwrap();
    assert!(results.contains("4 cells: 4 done"), "{results}");
    // What is done is left alone.
    assert_eq!(sweep::sweep(&folder.path().join("sweep")).unwrap(), results);
}

#[test]
fn a_program_watches_epochs() {
    let folder = tempfile::tempdir().unwrap();
    let shares = observe::observe(&folder.path().join("run")).unwrap();
    assert_eq!(shares.len(), 3);
    assert!(shares.iter().all(|share| (0.2..0.8).contains(share)), "{shares:?}");
}

#[test]
fn a_program_draws_how_cost_grows() {
    let folder = tempfile::tempdir().unwrap();
    let line = |what: &str, size: u32| {
        let (time, memory) = (f64::from(size) / 200.0, u64::from(size) * 1_000_000);
        serde_json::json!({"what": what, "size": size, "theory": 1, "milliseconds": time, "peak": memory, "reckoned": memory / 2})
    };
    let lines: Vec<_> = ["width", "depth"]
        .iter()
        .flat_map(|what| [250, 500].map(|size| line(what, size).to_string()))
        .collect();
    let (data, png) = (folder.path().join("lines"), folder.path().join("growth.png"));
    std::fs::write(&data, lines.join("\n")).unwrap();
    growth::draw(&data, &png).unwrap();
    assert_eq!(image::image_dimensions(&png).unwrap(), (840, 800));
    // A line of which something is missing.
    std::fs::write(&data, r#"{"what": "width", "size": 250}"#).unwrap();
    assert!(growth::draw(&data, &png).unwrap_err().to_string().contains("theory"));
}

#[test]
fn a_program_draws_the_paper_beside_ours() {
    let folder = tempfile::tempdir().unwrap();
    let (csv, png) = (folder.path().join("results.csv"), folder.path().join("paper.png"));
    let head = "section,experiment,paper error %,ours %,seeds,epochs,sizes,note\n";
    // Both bars, without ours, without the paper's.
    let rows =
        "3.1,backpropagation,1.4,1.6,1,10,500 500,\n4,local,41,,,,,skipped\n5,asleep,,9,1,4,500,no number\n";
    let dimensions = |rows: &str| {
        std::fs::write(&csv, format!("{head}{rows}")).unwrap();
        paper::draw(&csv, &png).unwrap();
        image::image_dimensions(&png).unwrap()
    };
    let (width, three_panels) = dimensions(rows);
    // The bars' colors cover what their errors are worth: the paper's 1.4 less than our 1.6, on one axis.
    let pixels = image::open(&png).unwrap().to_rgb8();
    let first = |color: [u8; 3]| {
        let heights =
            pixels.enumerate_pixels().filter(|(x, y, pixel)| *y > 64 && *x > 500 && pixel.0 == color);
        let row = heights.map(|(_, y, _)| y).min().unwrap() + 4;
        (0..width).filter(|x| pixels.get_pixel(*x, row).0 == color).count() as f64
    };
    let ratio = first([0, 114, 178]) / first([213, 94, 0]);
    assert!((ratio - 1.4 / 1.6).abs() < 0.01, "{ratio}");
    // A section of its own is a panel of its own.
    assert!(dimensions(&rows.replace("\n4,", "\n3.2,")).1 < three_panels);
    std::fs::write(&csv, format!("{head}3.1,backpropagation,much,,,,,\n")).unwrap();
    let wrong = paper::draw(&csv, &png).unwrap_err().to_string();
    assert!(wrong.contains("`paper error %` is `much`"), "{wrong}");
}

#[test]
fn a_program_brings_its_own_backend() {
    let report = backend::conform();
    assert!(report.passed(), "{report}");
    // One rounding instead of two: not the oracle's numbers, but near them.
    assert!(report.rows.iter().any(|row| row.worst_relative_error > 0.0));
    let folder = tempfile::tempdir().unwrap();
    let (accuracy, terms) = backend::train(&folder.path().join("run")).unwrap();
    assert!(accuracy > 0.5, "{accuracy}");
    // The forward products alone: 1,443 rows of 64 pixels, 32 units, 3 epochs.
    assert!(terms > 1443 * 64 * 32 * 3, "{terms}");
}

/// Sums as coarse as bfloat16.
struct Coarse;

impl ff_backend::oracle::Arithmetic for Coarse {
    const NAME: &'static str = "coarse";

    fn multiply_add(&self, sum: f64, a: f64, b: f64) -> f64 {
        f64::from_bits((sum + a * b).to_bits() & !0 << 45)
    }
}

#[test]
fn a_backend_that_rounds_too_much_does_not_conform() {
    let report = ff_backend::conformance::run(&Coarse, ff_backend::conformance::Effort::Quick);
    let failed: Vec<_> = report.failures().map(|(operation, _)| operation).collect();
    assert_eq!(failed, ["product", "project", "gradient", "learn", "read_out"]);
}
