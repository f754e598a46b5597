//! `ff plot`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::{CliError, report};
use crate::figures::{Drawn, FigureError, Format, draw_overlaid, draw_run, draw_sound_sweep, shared_figure};

/// Draw the figures of runs and sweeps again from what they saved; of several runs also their curves in one figure.
#[derive(Args)]
pub struct Plot {
    /// Run directories or sweep directories; a run may still be going on
    #[arg(value_name = "RUN_OR_SWEEP", required = true)]
    directories: Vec<PathBuf>,
    /// Kind of files to draw
    #[arg(long, value_enum, default_value = "png")]
    format: FileFormat,
}

#[derive(Clone, Copy, ValueEnum)]
enum FileFormat {
    Png,
    Svg,
}

/// What lies in a directory.
enum Kind {
    Run,
    Sweep,
}

impl Kind {
    fn of(directory: &Path) -> Result<Kind, CliError> {
        let holds = |name: &str| directory.join(name).exists();
        if holds("results.csv") || holds("sweep.toml") {
            return Ok(Kind::Sweep);
        }
        if holds("config.toml") || holds("metrics.jsonl") {
            return Ok(Kind::Run);
        }
        Err(CliError::request(format!(
            "{}: neither a run (config.toml) nor a sweep (results.csv)",
            directory.display()
        )))
    }
}

impl Plot {
    /// Draws and says what was drawn.
    pub fn run(self) -> Result<(), CliError> {
        let format = match self.format {
            FileFormat::Png => Format::Png,
            FileFormat::Svg => Format::Svg,
        };
        let kinds: Vec<Kind> =
            self.directories.iter().map(|path| Kind::of(path)).collect::<Result<_, _>>()?;
        let mut runs = Vec::new();
        for (directory, kind) in self.directories.iter().zip(&kinds) {
            let drawn = match kind {
                Kind::Sweep => draw_sound_sweep(directory, format).map_err(refused)?,
                Kind::Run => {
                    runs.push(directory.clone());
                    draw_run(directory, format).map_err(refused)?
                }
            };
            tell(&drawn)?;
        }
        if runs.len() < 2 {
            return Ok(());
        }
        let file = shared_figure(&runs).with_extension(format.extension());
        let titles = super::compare::titles(&runs);
        let named: Vec<(String, PathBuf)> = titles.into_iter().zip(runs).collect();
        draw_overlaid(&named, &file).map_err(refused)?;
        report::print(&format!("{}\n", file.display()))
    }
}

fn tell(drawn: &Drawn) -> Result<(), CliError> {
    drawn.notes.iter().for_each(|note| report::say(&format!("note: {note}")));
    drawn.figures.iter().try_for_each(|path| report::print(&format!("{}\n", path.display())))
}

/// Results that are absent or damaged make a wrong request; figures that cannot be written are failed work.
fn refused(error: FigureError) -> CliError {
    match error {
        FigureError::Write { .. } | FigureError::Draw(_) => CliError::failed(error),
        _ => CliError::request(error),
    }
}
