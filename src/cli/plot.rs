//! `ff plot`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{CliError, report};
use crate::figures::{FigureError, Format, draw_run, draw_sound_sweep};

/// Draw the figures of a run or a sweep again from what it saved.
#[derive(Args)]
pub struct Plot {
    /// A run directory or a sweep directory; the run may still be going on
    #[arg(value_name = "RUN_OR_SWEEP")]
    directory: PathBuf,
    /// Kind of files to draw
    #[arg(long, value_enum, default_value = "png")]
    format: FileFormat,
}

#[derive(Clone, Copy, ValueEnum)]
enum FileFormat {
    Png,
    Svg,
}

impl Plot {
    /// Draws and says what was drawn.
    pub fn run(self) -> Result<(), CliError> {
        let format = match self.format {
            FileFormat::Png => Format::Png,
            FileFormat::Svg => Format::Svg,
        };
        let holds = |name: &str| self.directory.join(name).exists();
        let drawn = if holds("results.csv") || holds("sweep.toml") {
            draw_sound_sweep(&self.directory, format).map_err(refused)?
        } else if holds("config.toml") || holds("metrics.jsonl") {
            draw_run(&self.directory, format).map_err(refused)?
        } else {
            return Err(CliError::request(format!(
                "{}: neither a run (config.toml) nor a sweep (results.csv)",
                self.directory.display()
            )));
        };
        drawn.notes.iter().for_each(|note| report::say(&format!("note: {note}")));
        drawn.figures.iter().try_for_each(|path| report::print(&format!("{}\n", path.display())))
    }
}

/// Results that are absent or damaged make a wrong request; figures that cannot be written are failed work.
fn refused(error: FigureError) -> CliError {
    match error {
        FigureError::Write { .. } | FigureError::Draw(_) => CliError::failed(error),
        _ => CliError::request(error),
    }
}
