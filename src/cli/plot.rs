//! `ff plot`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{CliError, report};
use crate::figures::{Format, draw_run, draw_sweep};

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
        let drawn = if self.directory.join("results.csv").exists() {
            draw_sweep(&self.directory, format)?
        } else if self.directory.join("config.toml").exists() || self.directory.join("metrics.jsonl").exists()
        {
            draw_run(&self.directory, format)?
        } else {
            return Err(CliError::request(format!(
                "{}: neither a run (config.toml) nor a sweep (results.csv)",
                self.directory.display()
            )));
        };
        drawn.iter().try_for_each(|path| report::print(&format!("{}\n", path.display())))
    }
}
