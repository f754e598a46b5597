//! A sweep on a terminal: a line for each cell in training under those that ended; plain lines elsewhere.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::super::report::{percent, say};
use crate::config::{Cell, Experiment};
use crate::observers::{EpochReport, Observer, ObserverError, Start};
use crate::run::{Status, Summary};

/// What people see of a sweep. Writes to stderr: stdout is for results.
pub struct Display {
    quiet: bool,
    live: Option<Live>,
    cells: usize,
    waits: AtomicBool,
}

struct Live {
    lines: MultiProgress,
    overall: ProgressBar,
}

impl Display {
    /// For so many cells, of which some need nothing any more.
    pub fn new(experiment: &Experiment, cells: usize, settled: usize, quiet: bool) -> Self {
        let terminal = !quiet && std::io::stderr().is_terminal();
        let live = terminal.then(|| {
            let lines = MultiProgress::new();
            let overall = lines.add(ProgressBar::new(cells as u64).with_position(settled as u64));
            // How many cells a halving will train is not known in cells.
            let style = match experiment.halving {
                None => "{prefix} [{bar:28}] {pos} of {len} cells, {elapsed} so far, about {eta} left",
                Some(_) => "{prefix}: {elapsed} so far",
            };
            set_style(&overall, style);
            overall.set_prefix(experiment.name.clone());
            overall.enable_steady_tick(Duration::from_millis(500));
            Live { lines, overall }
        });
        if !quiet && settled > 0 {
            say(&format!("{settled} of {cells} cells were done before"));
        }
        Display { quiet, live, cells: experiment.cells().len(), waits: AtomicBool::new(false) }
    }

    /// Whether nothing is to be shown.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// The live line of a cell, where there is a terminal.
    pub fn observer(&self, cell: &Cell) -> Option<Box<dyn Observer>> {
        let live = self.live.as_ref()?;
        let bar = live.lines.insert_before(&live.overall, ProgressBar::new(1));
        set_style(&bar, "  {prefix} [{bar:20}] {msg}");
        bar.set_prefix(named(cell));
        Some(Box::new(CellLine { bar, batches: 0, num_epochs: 0, redrawn: None }))
    }

    /// Tells how a cell ended.
    pub fn ended(&self, cell: &Cell, result: &Result<Summary, String>) {
        if self.quiet {
            return;
        }
        let line = format!("{} of {}: {}", named(cell), self.cells, told(result));
        match &self.live {
            Some(live) => {
                live.overall.inc(1);
                // A terminal that is gone takes no lines.
                let _ = live.lines.println(line);
            }
            None => say(&line),
        }
    }

    /// Tells once that only other processes' cells are left.
    pub fn waiting(&self, cell: &Cell) {
        if !self.quiet && !self.waits.swap(true, Ordering::Relaxed) {
            let line = format!("waiting for cells of other processes, {} among them", named(cell));
            match &self.live {
                Some(live) => drop(live.lines.println(line)),
                None => say(&line),
            }
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        if let Some(live) = &self.live {
            live.overall.finish_and_clear();
        }
    }
}

fn named(cell: &Cell) -> String {
    match cell.title() {
        title if title.is_empty() => format!("cell {}", cell.index),
        title => format!("cell {} ({title})", cell.index),
    }
}

fn told(result: &Result<Summary, String>) -> String {
    let summary = match result {
        Ok(summary) => summary,
        Err(message) => return format!("failed: {message}"),
    };
    let seconds = summary.seconds.train + summary.seconds.eval;
    let so_far = match summary.status {
        Status::Done => String::new(),
        _ => format!("epoch {} of {}, ", summary.epochs, summary.num_epochs),
    };
    format!(
        "{so_far}accuracy {}, best {} (epoch {}), {seconds:.1} s",
        percent(summary.accuracy),
        percent(summary.best_accuracy),
        summary.best_epoch
    )
}

fn set_style(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
}

/// The line of a cell in training.
struct CellLine {
    bar: ProgressBar,
    batches: usize,
    num_epochs: usize,
    redrawn: Option<Instant>,
}

impl Observer for CellLine {
    fn started(&mut self, start: &Start) -> Result<(), ObserverError> {
        self.batches = start.batches;
        self.num_epochs = start.config.training.num_epochs;
        self.bar.set_length((self.num_epochs * self.batches) as u64);
        self.bar.set_position((start.finished_epochs * self.batches) as u64);
        Ok(())
    }

    fn step(&mut self, epoch: usize, done: usize) {
        // A redraw costs more than a small network's step.
        if self.redrawn.is_none_or(|at| at.elapsed() > Duration::from_millis(200)) {
            self.redrawn = Some(Instant::now());
            self.bar.set_position(((epoch - 1) * self.batches + done) as u64);
        }
    }

    fn epoch(&mut self, report: &EpochReport) -> Result<(), ObserverError> {
        let record = report.record;
        self.bar.set_position((record.epoch * self.batches) as u64);
        self.bar.set_message(format!(
            "epoch {} of {}, accuracy {:.2} %",
            record.epoch,
            self.num_epochs,
            100.0 * record.accuracy
        ));
        Ok(())
    }
}

impl Drop for CellLine {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
