//! Figures of runs and sweeps, drawn from saved results only: a plot never needs a rerun.
//!
//! A figure is a canvas of shapes; `render` alone knows PNG and SVG.

mod canvas;
mod caption;
mod choice;
mod confusion;
mod curves;
mod data;
mod error;
mod estimate;
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
mod pdf;
mod picture;
mod predictions;
mod reading;
mod render;
mod results;
mod scale;
mod stroke;
mod sweep;
mod weights;

use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

pub use picture::{Evaluated, Picture, confusion_picture, predictions_picture};

use canvas::Canvas;
pub use canvas::Look;
pub use choice::Choice;
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

/// How figures are drawn and written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Page {
    /// The kind of files.
    pub format: Format,
    /// How they look.
    pub look: Look,
    /// Whether the numbers of each figure are written beside it as CSV.
    pub data: bool,
}

impl From<Format> for Page {
    fn from(format: Format) -> Self {
        Page { format, ..Page::default() }
    }
}

/// Draws the figures of one run into `run_dir/figures/`. Figures whose data are not there yet are left out
/// and noted, so a running run can be drawn too.
pub fn draw_run(run_dir: &Path, page: impl Into<Page>) -> Result<Drawn, FigureError> {
    let page = page.into();
    let look = page.look;
    if !run_dir.is_dir() {
        return Err(FigureError::NoResults { path: run_dir.to_owned(), kind: "run" });
    }
    let run = Run::read(run_dir)?;
    let weights = weights::read_first_layer(&run)?;
    let lacking_fields = match weights {
        Some(_) => "the inputs of the first layer are no image",
        None => "there is no checkpoint",
    };
    let no_epoch = "no epoch has ended";
    let no_evaluation = "the test set has not been looked at";
    let figures = [
        ("curves", curves::overall(&run, look), no_epoch),
        ("layers", curves::by_layer(&run, look), no_epoch),
        ("confusion_matrix", confusion::of_run(&run, look), no_evaluation),
        ("predictions", predictions::draw(&run, look), no_evaluation),
        ("goodness", goodness::draw(&run, look), no_evaluation),
        (
            "receptive_fields",
            weights.as_ref().and_then(|weights| fields::draw(&run, weights, look)),
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
    Ok(Drawn { figures: save_all(drawn, run_dir, page)?, notes })
}

/// Draws the figures of a sweep, from its `results.csv` and its cells' run directories, into
/// `sweep_dir/figures/`. A cell whose files are damaged costs only its part, and is noted.
pub fn draw_sweep(sweep_dir: &Path, page: impl Into<Page>) -> Result<Drawn, FigureError> {
    let page = page.into();
    let sweep = Sweep::read(sweep_dir, &Choice::default())?;
    let notes = sweep.damage.iter().map(FigureError::to_string).chain(sweep.notes()).collect();
    Ok(Drawn { figures: save_all(sweep.figures(page.look), sweep_dir, page)?, notes })
}

/// As [`draw_sweep`], but a damaged file of a cell is an error, and then nothing is drawn.
pub fn draw_sound_sweep(
    sweep_dir: &Path,
    page: impl Into<Page>,
    choice: &Choice,
) -> Result<Drawn, FigureError> {
    let page = page.into();
    let mut sweep = Sweep::read(sweep_dir, choice)?;
    match sweep.damage.pop() {
        Some(damage) => Err(damage),
        None => {
            Ok(Drawn { figures: save_all(sweep.figures(page.look), sweep_dir, page)?, notes: sweep.notes() })
        }
    }
}

/// The folder that all of these lie in; of paths from here and from the root together, from the root.
pub fn shared_folder(paths: &[PathBuf]) -> PathBuf {
    let is_mixed = paths.iter().any(|path| path.is_absolute()) && paths.iter().any(|path| path.is_relative());
    let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
    let paths: Vec<PathBuf> =
        paths.iter().map(|path| if is_mixed { absolute(path) } else { path.clone() }).collect();
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
pub fn draw_overlaid(
    runs: &[(String, PathBuf)],
    file: &Path,
    page: impl Into<Page>,
) -> Result<Vec<PathBuf>, FigureError> {
    let page = page.into();
    let read = |(title, path): &(String, PathBuf)| Ok((title.clone(), Run::read_progress(path)?));
    let read: Vec<(String, Run)> = runs.iter().map(read).collect::<Result<_, FigureError>>()?;
    let Some(canvas) = overlaid::draw(&read, page.look) else {
        let path = runs.first().map(|(_, path)| path.clone()).unwrap_or_default();
        return Err(FigureError::NoResults { path, kind: "run" });
    };
    let format = Format::of(file)?;
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    let folder = file.parent().unwrap_or(Path::new(""));
    save(&canvas, folder, &name, Page { format, ..page })
}

/// Draws figures side by side, as many as there are cores, and writes them.
fn save_all(figures: Vec<(String, Canvas)>, folder: &Path, page: Page) -> Result<Vec<PathBuf>, FigureError> {
    let folder = folder.join("figures");
    temporary::remove_abandoned(&folder);
    let next = AtomicUsize::new(0);
    let draw = || {
        let mut saved = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some((name, canvas)) = figures.get(index) else { return saved };
            saved.push((index, save(canvas, &folder, name, page)));
        }
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut saved = thread::scope(|scope| {
        // Where the system has no more threads, those that there are do the work.
        let spawn = |_| thread::Builder::new().spawn_scoped(scope, draw).ok();
        let helpers: Vec<_> = (1..cores.min(figures.len())).filter_map(spawn).collect();
        let mut saved = draw();
        for helper in helpers {
            saved.extend(helper.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        saved
    });
    saved.sort_by_key(|(index, _)| *index);
    let files = saved.into_iter().map(|(_, files)| files).collect::<Result<Vec<_>, _>>()?;
    Ok(files.into_iter().flatten().collect())
}

/// Writes a figure, and its numbers if asked for; returns the files.
fn save(canvas: &Canvas, folder: &Path, name: &str, page: Page) -> Result<Vec<PathBuf>, FigureError> {
    let mut files = vec![render::save(canvas, folder, name, page.format)?];
    if let Some(text) = canvas.data.csv().filter(|_| page.data) {
        files.push(render::write(folder.join(format!("{name}.csv")), text.as_bytes())?);
    }
    Ok(files)
}
