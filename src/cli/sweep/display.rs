//! What people see of a sweep's cells.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use super::super::on_backend::Remark;
use super::super::report::percent;
use super::screen::Screen;
use crate::config::{Cell, Experiment};
use crate::observers::{EpochReport, Health, Observer, ObserverError, STOPPING, Shown, Start};
use crate::run::{Status, Summary};

/// Cells that an earlier invocation left nothing to do for.
#[derive(Clone, Copy, Default)]
pub struct Before {
    /// With all their epochs, or pruned.
    pub done: usize,
    /// Failed.
    pub failed: usize,
}

/// Tells how cells begin, go on and end.
pub struct Display {
    screen: Arc<Screen>,
    cells: usize,
    waits: AtomicBool,
    stop: Arc<AtomicBool>,
}

impl Display {
    /// For so many cells, of which some are done and some failed before; tells when `stop` was set.
    pub fn new(
        experiment: &Experiment,
        cells: usize,
        before: Before,
        stop: Arc<AtomicBool>,
        shown: Shown,
    ) -> Self {
        let Before { done, failed } = before;
        let screen = Screen::new(shown, &experiment.name, cells, done + failed, experiment.halving.is_none());
        if done > 0 {
            screen.tell([format!("{done} of {cells} cells were done before")]);
        }
        if failed > 0 {
            screen
                .tell([format!("{failed} of {cells} cells failed before; --retry-failed tries them again")]);
        }
        let cells = experiment.cells().len();
        Display { screen: Arc::new(screen), cells, waits: AtomicBool::new(false), stop }
    }

    /// Whether nothing is to be shown.
    pub fn is_quiet(&self) -> bool {
        self.screen.is_quiet()
    }

    /// Who watches a cell.
    pub fn observers(&self, cell: &Cell) -> Vec<Box<dyn Observer>> {
        if self.is_quiet() {
            return Vec::new();
        }
        let [long, short] = names(cell);
        vec![Box::new(CellWatch {
            bar: self.screen.cell_bar([long.clone(), short]),
            screen: Arc::clone(&self.screen),
            stop: Arc::clone(&self.stop),
            name: long,
            health: Health::default(),
            batches: 0,
            num_epochs: 0,
            split: "test",
            redrawn: None,
        })]
    }

    /// Tells what there is to tell of a backend: what results would not lead one to expect even to those who want no
    /// progress.
    pub fn of_backend(&self, remark: &Remark) {
        match remark {
            Remark::Choice(text) => self.screen.tell([text.to_string()]),
            Remark::Warning(text) => self.screen.remark([format!("warning: {text}")]),
        }
    }

    /// Tells how a cell ended.
    pub fn ended(&self, cell: &Cell, result: Result<&Summary, &str>) {
        self.screen.count();
        let (long, brief) = (told(result), brief(result));
        let [named, number] = names(cell);
        let texts = [(&named, &long), (&number, &long), (&number, &brief)];
        self.screen.tell(texts.map(|(name, told)| format!("{name} of {}: {told}", self.cells)));
    }

    /// Tells what a chosen cell does on the test set.
    pub fn tested(&self, cell: &Cell, summary: &Summary) {
        let accuracy = percent(summary.test_accuracy);
        let told = |name| format!("{name} is the best on held-out rows: test accuracy {accuracy}");
        self.screen.tell(names(cell).map(told));
    }

    /// Tells once that only other processes' cells are left.
    pub fn waiting(&self, cell: &Cell) {
        if !self.waits.swap(true, Ordering::Relaxed) {
            let told = |name| format!("waiting for cells of other processes, {name} among them");
            self.screen.tell(names(cell).map(told));
        }
    }

    /// Tells what people must know of a cell, even those who want no progress.
    pub fn remark(&self, cell: &Cell, text: &str) {
        self.screen.remark(names(cell).map(|name| format!("{name}: {text}")));
    }
}

/// A cell with its values, and without.
fn names(cell: &Cell) -> [String; 2] {
    let short = format!("cell {}", cell.index);
    match cell.title() {
        title if title.is_empty() => [short.clone(), short],
        title => [format!("{short} ({title})"), short],
    }
}

fn told(result: Result<&Summary, &str>) -> String {
    let summary = match result {
        Ok(summary) => summary,
        Err(message) => return format!("failed: {message}"),
    };
    let seconds = summary.seconds.train + summary.seconds.eval;
    let so_far = match summary.status {
        Status::Done => String::new(),
        _ => format!("epoch {} of {}, ", summary.epochs, summary.num_epochs),
    };
    let best = match summary.split.as_str() {
        // The best of test accuracies is no result.
        "test" => String::new(),
        _ => format!(", best {} (epoch {})", percent(summary.best_accuracy), summary.best_epoch),
    };
    format!("{so_far}{} accuracy {}{best}, {seconds:.1} s", summary.split, percent(summary.accuracy))
}

/// The same for narrow terminals; why a cell failed is told in full.
fn brief(result: Result<&Summary, &str>) -> String {
    match result {
        Ok(summary) => format!("{} {}", summary.split, percent(summary.accuracy)),
        Err(_) => told(result),
    }
}

/// Watches a cell in training.
struct CellWatch {
    screen: Arc<Screen>,
    stop: Arc<AtomicBool>,
    name: String,
    bar: Option<ProgressBar>,
    health: Health,
    batches: usize,
    num_epochs: usize,
    /// What accuracies are measured on.
    split: &'static str,
    redrawn: Option<Instant>,
}

impl CellWatch {
    fn set_position(&self, steps: usize) {
        if let Some(bar) = &self.bar {
            bar.set_position(steps as u64);
        }
    }
}

impl Observer for CellWatch {
    fn started(&mut self, start: &Start) -> Result<(), ObserverError> {
        self.batches = start.batches;
        self.split = start.split();
        self.num_epochs = start.config.training.num_epochs;
        if let Some(bar) = &self.bar {
            bar.set_length((self.num_epochs * self.batches) as u64);
        }
        self.set_position(start.finished_epochs * self.batches);
        Ok(())
    }

    fn step(&mut self, epoch: usize, done: usize) {
        self.screen.tell_stop(&self.stop, STOPPING);
        // A redraw costs more than a small network's step.
        if self.redrawn.is_none_or(|at| at.elapsed() > Duration::from_millis(200)) {
            self.redrawn = Some(Instant::now());
            self.set_position((epoch - 1) * self.batches + done);
        }
    }

    fn epoch(&mut self, report: &EpochReport) -> Result<(), ObserverError> {
        self.screen.tell_stop(&self.stop, STOPPING);
        let record = report.record;
        for warning in self.health.warnings(record) {
            self.screen.tell([format!("warning: {}: {warning}", self.name)]);
        }
        let accuracy = 100.0 * record.accuracy;
        let told = format!("epoch {} of {}, {} {accuracy:.2} %", record.epoch, self.num_epochs, self.split);
        self.screen.rewrite(&format!("{}: {told}", self.name));
        self.set_position(record.epoch * self.batches);
        if let Some(bar) = &self.bar {
            bar.set_message(told);
        }
        Ok(())
    }

    fn ended(&mut self, _: &Summary) -> Result<(), ObserverError> {
        self.screen.tell_stop(&self.stop, STOPPING);
        Ok(())
    }
}

impl Drop for CellWatch {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
