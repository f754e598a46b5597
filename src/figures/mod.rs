//! Figures of runs and sweeps, drawn from saved results only: a plot never needs a rerun.
//!
//! A figure is a canvas of shapes; `render` alone knows PNG and SVG.

mod canvas;
mod confusion;
mod curves;
mod error;
mod fields;
mod format;
mod goodness;
mod labels;
mod legend;
mod matrix;
mod numbers;
mod overlaid;
mod palette;
mod panel;
mod predictions;
mod reading;
mod render;
mod results;
mod scale;
mod story;
mod sweep;
mod weights;

use std::path::{Path, PathBuf};

use canvas::Canvas;
pub use error::FigureError;
pub use format::Format;
use results::Run;
use sweep::Sweep;

use crate::files::temporary;

/// What was drawn.
#[derive(Clone, Debug, Default)]
pub struct Drawn {
    /// The figures.
    pub figures: Vec<PathBuf>,
    /// What was left out, and why; a line each.
    pub notes: Vec<String>,
}

/// Draws the figures of one run into `run_dir/figures/`. Figures whose data are not there yet are left out
/// and noted, so a running run can be drawn too.
pub fn draw_run(run_dir: &Path, format: Format) -> Result<Drawn, FigureError> {
    if !run_dir.is_dir() {
        return Err(FigureError::NoResults { path: run_dir.to_owned(), kind: "run" });
    }
    let run = Run::read(run_dir)?;
    let weights = weights::read_first_layer(run_dir)?;
    let lacking_fields = match weights {
        Some(_) => "the inputs of the first layer are no image",
        None => "there is no checkpoint",
    };
    let no_epoch = "no epoch has ended";
    let no_evaluation = "the test set has not been looked at";
    let figures = [
        ("curves", curves::overall(&run), no_epoch),
        ("layers", curves::by_layer(&run), no_epoch),
        ("confusion_matrix", confusion::of_run(&run), no_evaluation),
        ("predictions", predictions::draw(&run), no_evaluation),
        ("goodness", goodness::draw(&run), no_evaluation),
        (
            "receptive_fields",
            weights.as_ref().and_then(|weights| fields::draw(&run, weights)),
            lacking_fields,
        ),
    ];
    let mut drawn = Vec::new();
    let mut absent: Vec<(&str, Vec<&str>)> = Vec::new();
    for (name, canvas, why_not) in figures {
        match (canvas, absent.last_mut()) {
            (Some(canvas), _) => drawn.push((name.to_owned(), canvas)),
            (None, Some((why, names))) if *why == why_not => names.push(name),
            (None, _) => absent.push((why_not, vec![name])),
        }
    }
    let absent: Vec<String> =
        absent.iter().map(|(why, names)| format!("no {}, as {why}", names.join(", "))).collect();
    let notes = match absent.is_empty() {
        true => Vec::new(),
        false => vec![format!("{}: {}; {}", run_dir.display(), run.progress(), absent.join("; "))],
    };
    Ok(Drawn { figures: save_all(drawn, run_dir, format)?, notes })
}

/// Draws the figures of a sweep, from its `results.csv` and its cells' run directories, into
/// `sweep_dir/figures/`. A cell whose files are damaged costs only its part, and is noted.
pub fn draw_sweep(sweep_dir: &Path, format: Format) -> Result<Drawn, FigureError> {
    let sweep = Sweep::read(sweep_dir)?;
    let notes = sweep.damage.iter().map(FigureError::to_string).chain(sweep.notes()).collect();
    Ok(Drawn { figures: save_all(sweep.figures(), sweep_dir, format)?, notes })
}

/// As [`draw_sweep`], but a damaged file of a cell is an error, and then nothing is drawn.
pub fn draw_sound_sweep(sweep_dir: &Path, format: Format) -> Result<Drawn, FigureError> {
    let mut sweep = Sweep::read(sweep_dir)?;
    match sweep.damage.pop() {
        Some(damage) => Err(damage),
        None => Ok(Drawn { figures: save_all(sweep.figures(), sweep_dir, format)?, notes: sweep.notes() }),
    }
}

/// The folder that all of these lie in.
pub fn shared_folder(paths: &[PathBuf]) -> PathBuf {
    let Some((first, rest)) = paths.split_first() else { return PathBuf::new() };
    let mut shared = first.parent().unwrap_or(Path::new("")).to_owned();
    while !rest.iter().all(|path| path.parent().is_some_and(|parent| parent.starts_with(&shared))) {
        if !shared.pop() {
            break;
        }
    }
    shared
}

/// Where a figure of several runs lies by default: beside them, as a run's figures lie within it.
pub fn shared_figure(runs: &[PathBuf]) -> PathBuf {
    shared_folder(runs).join("figures/compared_curves.png")
}

/// Draws the curves of several runs, each with its title, over one another into `file`; its extension says the
/// format.
pub fn draw_overlaid(runs: &[(String, PathBuf)], file: &Path) -> Result<(), FigureError> {
    let read = |(title, path): &(String, PathBuf)| Ok((title.clone(), Run::read_progress(path)?));
    let read: Vec<(String, Run)> = runs.iter().map(read).collect::<Result<_, FigureError>>()?;
    let Some(canvas) = overlaid::draw(&read) else {
        let path = runs.first().map(|(_, path)| path.clone()).unwrap_or_default();
        return Err(FigureError::NoResults { path, kind: "run" });
    };
    let format = Format::of(file)?;
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    let folder = file.parent().unwrap_or(Path::new(""));
    render::save(&canvas, folder, &name, format)?;
    Ok(())
}

fn save_all(
    figures: Vec<(String, Canvas)>,
    folder: &Path,
    format: Format,
) -> Result<Vec<PathBuf>, FigureError> {
    let folder = folder.join("figures");
    temporary::remove_abandoned(&folder);
    figures.into_iter().map(|(name, canvas)| render::save(&canvas, &folder, &name, format)).collect()
}
