//! `ff plot`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::{CliError, report};
use crate::figures::{
    Choice, Drawn, FigureError, Format, Look, Page, draw_overlaid, draw_run, draw_sound_sweep, shared_figure,
};
use crate::files::is_there;

/// Draw the figures of runs and sweeps again from what they saved; of several runs also their curves in one figure.
#[derive(Args)]
pub struct Plot {
    /// Run directories or sweep directories; a run may still be going on
    #[arg(value_name = "RUN_OR_SWEEP", required = true)]
    directories: Vec<PathBuf>,
    /// Kind of files to draw
    #[arg(long, value_enum, default_value = "png")]
    format: FileFormat,
    /// No title: in a paper the caption says it
    #[arg(long)]
    no_title: bool,
    /// Width in print, such as 3.25in, 8.2cm or 234pt; letters keep their size of 8 points
    #[arg(long, value_name = "LENGTH")]
    width: Option<String>,
    /// Write the numbers of each figure beside it
    #[arg(long, value_enum, value_name = "KIND")]
    data: Option<DataFormat>,
    /// Of a sweep: figures along these knobs only
    #[arg(long, value_name = "KEY,KEY", value_delimiter = ',')]
    axes: Vec<String>,
    /// Of a sweep: the accuracy to draw [default: the one that ranks]
    #[arg(long, value_enum, value_name = "METRIC")]
    metric: Option<Metric>,
    /// Of a sweep: how much better or worse the others are than this cell or value, seed by seed; repeatable
    #[arg(long, value_name = "NAME")]
    against: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum FileFormat {
    Png,
    Svg,
    Pdf,
}

#[derive(Clone, Copy, ValueEnum)]
enum DataFormat {
    Csv,
}

/// Columns of results.csv that are accuracies.
#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Metric {
    Accuracy,
    BestAccuracy,
    TestAccuracy,
    HeadAccuracy,
    TestHeadAccuracy,
}

/// What lies in a directory.
enum Kind {
    Run,
    Sweep,
}

impl Kind {
    fn of(directory: &Path) -> Result<Kind, CliError> {
        let holds = |name: &str| is_there(&directory.join(name));
        if holds("results.csv")? || holds("sweep.toml")? {
            return Ok(Kind::Sweep);
        }
        if holds("config.toml")? || holds("metrics.jsonl")? {
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
        let page = self.page()?;
        let kinds: Vec<Kind> =
            self.directories.iter().map(|path| Kind::of(path)).collect::<Result<_, _>>()?;
        let metric = self.metric.and_then(|metric| Some(metric.to_possible_value()?.get_name().to_owned()));
        let choice = Choice { axes: self.axes.clone(), metric, against: self.against.clone() };
        if choice != Choice::default() && !kinds.iter().any(|kind| matches!(kind, Kind::Sweep)) {
            return Err(CliError::request("--axes, --metric and --against are for sweeps; this is none"));
        }
        let mut runs = Vec::new();
        for (directory, kind) in self.directories.iter().zip(&kinds) {
            let drawn = match kind {
                Kind::Sweep => draw_sound_sweep(directory, page, &choice).map_err(refused)?,
                Kind::Run => {
                    runs.push(directory.clone());
                    draw_run(directory, page).map_err(refused)?
                }
            };
            tell(&drawn)?;
        }
        if runs.len() < 2 {
            return Ok(());
        }
        let file = shared_figure(&runs).with_extension(page.format.extension());
        let titles = super::compare::titles(&runs);
        let named: Vec<(String, PathBuf)> = titles.into_iter().zip(runs).collect();
        let figures = draw_overlaid(&named, &file, page).map_err(refused)?;
        tell(&Drawn { figures, notes: Vec::new() })
    }

    fn page(&self) -> Result<Page, CliError> {
        let format = match self.format {
            FileFormat::Png => Format::Png,
            FileFormat::Svg => Format::Svg,
            FileFormat::Pdf => Format::Pdf,
        };
        let inches = self.width.as_deref().map(inches).transpose()?;
        let data = matches!(self.data, Some(DataFormat::Csv));
        Ok(Page { format, look: Look { titled: !self.no_title, inches }, data })
    }
}

/// A length in inches: a number and its unit.
fn inches(text: &str) -> Result<f64, CliError> {
    const UNITS: [(&str, f64); 5] = [("in", 1.0), ("cm", 2.54), ("mm", 25.4), ("pt", 72.0), ("\"", 1.0)];
    let unit = UNITS.iter().find_map(|(unit, per_inch)| Some((text.strip_suffix(unit)?, per_inch)));
    let length = unit.and_then(|(number, per_inch)| Some(number.trim().parse::<f64>().ok()? / per_inch));
    // What is narrower has no room for a word, what is wider is a poster.
    length.filter(|inches| (1.5..=40.0).contains(inches)).ok_or_else(|| {
        CliError::request(format!(
            "--width {text}: must be a length from 1.5in to 40in with its unit, such as 3.25in, 8.2cm or 234pt"
        ))
    })
}

fn tell(drawn: &Drawn) -> Result<(), CliError> {
    drawn.notes.iter().for_each(|note| report::say(&format!("note: {note}")));
    drawn.figures.iter().try_for_each(|path| report::print(&format!("{}\n", path.display())))
}

/// Results that are absent or damaged make a wrong request; figures that cannot be written are failed work.
fn refused(error: FigureError) -> CliError {
    match error {
        FigureError::Write { .. } | FigureError::Draw(_) => CliError::failed(error),
        FigureError::NoSetting { .. } | FigureError::ManySettings { .. } => {
            CliError::request(format!("--against: {error}"))
        }
        _ => CliError::request(error),
    }
}
