//! A sweep on a terminal: a line for each cell in training under those that ended; plain lines elsewhere.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::super::report::{percent, say};
use crate::config::{Cell, Experiment};
use crate::observers::{EpochReport, Observer, ObserverError, STOPPING, Start};
use crate::run::{Status, Summary};

/// Cells that an earlier invocation left nothing to do for.
#[derive(Clone, Copy, Default)]
pub struct Before {
    /// With all their epochs, or pruned.
    pub done: usize,
    /// Failed.
    pub failed: usize,
}

/// What people see of a sweep. Writes to stderr: stdout is for results.
pub struct Display {
    quiet: bool,
    live: Option<Live>,
    cells: usize,
    waits: AtomicBool,
    stop: Arc<AtomicBool>,
    told_stop: Arc<AtomicBool>,
}

struct Live {
    lines: MultiProgress,
    overall: ProgressBar,
}

impl Display {
    /// For so many cells, of which some are done and some failed before; tells when `stop` was set.
    pub fn new(
        experiment: &Experiment,
        cells: usize,
        before: Before,
        stop: Arc<AtomicBool>,
        quiet: bool,
    ) -> Self {
        let Before { done, failed } = before;
        let settled = done + failed;
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
        if !quiet && done > 0 {
            say(&format!("{done} of {cells} cells were done before"));
        }
        if !quiet && failed > 0 {
            say(&format!("{failed} of {cells} cells failed before; --retry-failed tries them again"));
        }
        let cells = experiment.cells().len();
        Display { quiet, live, cells, waits: AtomicBool::new(false), stop, told_stop: Arc::default() }
    }

    /// Whether nothing is to be shown.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Who watches a cell: its live line, where there is a terminal, and one who tells of a stop.
    pub fn observers(&self, cell: &Cell) -> Vec<Box<dyn Observer>> {
        let mut observers: Vec<Box<dyn Observer>> = Vec::new();
        if !self.quiet {
            let (stop, told) = (Arc::clone(&self.stop), Arc::clone(&self.told_stop));
            observers.push(Box::new(StopNotice {
                stop,
                told,
                lines: self.live.as_ref().map(|live| live.lines.clone()),
            }));
        }
        if let Some(live) = &self.live {
            let bar = live.lines.insert_before(&live.overall, ProgressBar::new(1));
            set_style(&bar, "  {prefix} [{bar:20}] {msg}");
            bar.set_prefix(named(cell));
            observers.push(Box::new(CellLine { bar, batches: 0, num_epochs: 0, redrawn: None }));
        }
        observers
    }

    /// Tells how a cell ended.
    pub fn ended(&self, cell: &Cell, result: &Result<Summary, String>) {
        if self.quiet {
            return;
        }
        if let Some(live) = &self.live {
            live.overall.inc(1);
        }
        self.tell(&format!("{} of {}: {}", named(cell), self.cells, told(result)));
    }

    /// Tells once that only other processes' cells are left.
    pub fn waiting(&self, cell: &Cell) {
        if !self.quiet && !self.waits.swap(true, Ordering::Relaxed) {
            self.tell(&format!("waiting for cells of other processes, {} among them", named(cell)));
        }
    }

    /// Tells what people must know of a cell, even those who want no progress.
    pub fn remark(&self, cell: &Cell, text: &str) {
        self.tell(&format!("{}: {text}", named(cell)));
    }

    fn tell(&self, line: &str) {
        match &self.live {
            // A terminal that is gone takes no lines.
            Some(live) => drop(live.lines.println(line)),
            None => say(line),
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

/// Tells, once for all cells, that the sweep was asked to stop.
struct StopNotice {
    stop: Arc<AtomicBool>,
    told: Arc<AtomicBool>,
    lines: Option<MultiProgress>,
}

impl StopNotice {
    fn look(&self) {
        if !self.stop.load(Ordering::Relaxed) || self.told.swap(true, Ordering::Relaxed) {
            return;
        }
        match &self.lines {
            Some(lines) => drop(lines.println(STOPPING)),
            None => say(STOPPING),
        }
    }
}

impl Observer for StopNotice {
    fn step(&mut self, _: usize, _: usize) {
        self.look();
    }

    fn epoch(&mut self, _: &EpochReport) -> Result<(), ObserverError> {
        self.look();
        Ok(())
    }

    fn ended(&mut self, _: &Summary) -> Result<(), ObserverError> {
        self.look();
        Ok(())
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
