//! Two figures against images that people have looked at.
//! `UPDATE_GOLDEN=1 cargo test --test figures golden` accepts what is drawn now.

use std::fs;
use std::path::{Path, PathBuf};

use forward_forward::figures::{Format, draw_run, draw_sweep};

use crate::pixels::Pixels;
use crate::synthetic::{Shape, write_run, write_sweep};

fn compare(drawn: &Path) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/figures/golden");
    let golden = folder.join(drawn.file_name().unwrap());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(&folder).unwrap();
        fs::copy(drawn, &golden).unwrap();
    }
    let (mean, far) = Pixels::read(drawn).difference(&Pixels::read(&golden));
    // Rounding of glyph outlines may differ between platforms; a moved line does not pass.
    assert!(mean < 0.2 && far < 0.0005, "{}: mean {mean}, far {far}", drawn.display());
}

#[test]
fn curves_look_as_before() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    write_run(&run, Shape::default());
    draw_run(&run, Format::Png).unwrap();
    compare(&run.join("figures/curves.png"));
}

#[test]
fn heatmaps_look_as_before() {
    let folder = tempfile::tempdir().unwrap();
    let sweep = folder.path().join("sweep");
    let axes: [(&str, &[&str]); 3] =
        [("threshold", &["0.5", "1", "2", "4"]), ("depth", &["1", "2", "3"]), ("seed", &["1", "2"])];
    write_sweep(&sweep, &axes, 3, Some(1));
    draw_sweep(&sweep, Format::Png).unwrap();
    compare(&sweep.join("figures/heatmap_threshold_depth.png"));
}
