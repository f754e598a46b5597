//! Figures of runs and sweeps, drawn from saved results only: a plot never needs a rerun.
//!
//! A figure is a canvas of shapes; `render` alone knows PNG and SVG.

mod canvas;
mod confusion;
mod curves;
mod fields;
mod goodness;
mod legend;
mod matrix;
mod palette;
mod panel;
mod predictions;
mod render;
mod results;
mod scale;
mod sweep;
mod weights;

use std::path::{Path, PathBuf};

use canvas::Canvas;
use results::Run;

/// The file format of figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Pixels, for a README.
    #[default]
    Png,
    /// Vectors, for a paper.
    Svg,
}

impl Format {
    /// The file name extension, without a dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Svg => "svg",
        }
    }
}

/// Why figures could not be drawn.
#[derive(Debug, thiserror::Error)]
pub enum FigureError {
    /// Neither a run nor a sweep lies there.
    #[error("{}: no results of a {kind} here", path.display())]
    NoResults {
        /// The directory looked into.
        path: PathBuf,
        /// `run` or `sweep`.
        kind: &'static str,
    },
    /// A file of results could not be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file of results does not hold what it should.
    #[error("{}:{line}: {message}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Line from 1; 0 where there are no lines.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// A figure could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The figure.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The drawing library failed.
    #[error("cannot draw: {0}")]
    Draw(String),
}

/// Draws the figures of one run into `run_dir/figures/` and returns their paths. Figures whose
/// data are not there yet are left out, so a running run can be drawn too.
pub fn draw_run(run_dir: &Path, format: Format) -> Result<Vec<PathBuf>, FigureError> {
    if !run_dir.is_dir() {
        return Err(FigureError::NoResults { path: run_dir.to_owned(), kind: "run" });
    }
    let run = Run::read(run_dir)?;
    let weights = weights::read_first_layer(run_dir)?;
    let matrix = &run.summary.confusion_matrix;
    let figures = [
        ("curves", curves::overall(&run)),
        ("layers", curves::by_layer(&run)),
        ("confusion_matrix", confusion::draw(matrix, "Confusion matrix", &run.description())),
        ("predictions", predictions::draw(&run)),
        ("goodness", goodness::draw(&run)),
        ("receptive_fields", weights.and_then(|weights| fields::draw(&run, &weights))),
    ];
    let figures = figures.into_iter().filter_map(|(name, canvas)| Some((name.to_owned(), canvas?)));
    save_all(figures, run_dir, format)
}

/// Draws the figures of a sweep, from its `results.csv` and its cells' run directories, into
/// `sweep_dir/figures/` and returns their paths.
pub fn draw_sweep(sweep_dir: &Path, format: Format) -> Result<Vec<PathBuf>, FigureError> {
    save_all(sweep::figures(sweep_dir)?, sweep_dir, format)
}

fn save_all(
    figures: impl IntoIterator<Item = (String, Canvas)>,
    folder: &Path,
    format: Format,
) -> Result<Vec<PathBuf>, FigureError> {
    let folder = folder.join("figures");
    figures.into_iter().map(|(name, canvas)| render::save(&canvas, &folder, &name, format)).collect()
}
