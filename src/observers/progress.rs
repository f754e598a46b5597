//! The progress of a run: a line for each epoch, and a bar below them where the terminal can move it.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle as BarStyle};

use super::health::Health;
use super::shown::{RewrittenLine, Shown, fitting, width};
use super::{EpochReport, Observer, ObserverError, Start};
use crate::run::{EpochRecord, Summary};

/// What a run says that was asked to stop.
pub const STOPPING: &str = "stopping after this epoch; again to stop at once";

/// Terminals narrower than this have no room for a rate beside the bar.
const NARROW: usize = 60;

/// Shows a run. Writes to stderr: stdout is for results.
pub struct Progress {
    stop: Arc<AtomicBool>,
    told_stop: bool,
    shown: Shown,
    line: RewrittenLine,
    bar: Option<ProgressBar>,
    health: Health,
    /// What accuracies and held-out losses are measured on.
    split: &'static str,
    num_epochs: usize,
    batches: usize,
    first_epoch: usize,
    began: Option<Instant>,
    redrawn: Option<Instant>,
}

impl Progress {
    /// An observer that has not seen a run yet, and tells when `stop` was set.
    pub fn new(stop: Arc<AtomicBool>, shown: Shown) -> Self {
        Progress {
            stop,
            told_stop: false,
            shown,
            line: RewrittenLine::default(),
            bar: None,
            health: Health::default(),
            split: "test",
            num_epochs: 0,
            batches: 0,
            first_epoch: 0,
            began: None,
            redrawn: None,
        }
    }

    /// Who asks a run to stop sees at once that it heard.
    fn tell_stop(&mut self) {
        if !self.told_stop && self.stop.load(Ordering::Relaxed) {
            self.told_stop = true;
            self.keep(STOPPING);
        }
    }

    /// A line that stays on the screen.
    fn keep(&self, text: &str) {
        match (self.shown, &self.bar) {
            (Shown::Nothing, _) => {}
            (Shown::OneLine, _) => self.line.keep(text),
            (_, Some(bar)) => bar.println(text),
            // A log that cannot be written is no reason to stop.
            (_, None) => drop(std::io::stderr().write_all(format!("{text}\n").as_bytes())),
        }
    }

    fn time_left(&self, epoch: usize) -> Duration {
        let done = epoch.saturating_sub(self.first_epoch);
        let elapsed = self.began.map_or(0.0, |began| began.elapsed().as_secs_f64());
        let left = self.num_epochs.saturating_sub(epoch);
        Duration::try_from_secs_f64(elapsed / done.max(1) as f64 * left as f64).unwrap_or_default()
    }
}

impl Observer for Progress {
    fn started(&mut self, start: &Start) -> Result<(), ObserverError> {
        self.split = start.split();
        self.num_epochs = start.config.training.num_epochs;
        self.batches = start.batches;
        self.first_epoch = start.finished_epochs;
        self.began = Some(Instant::now());
        if self.shown == Shown::Bar {
            let bar = ProgressBar::hidden();
            bar.set_length((self.num_epochs * self.batches) as u64);
            bar.set_position((start.finished_epochs * self.batches) as u64);
            bar.reset_eta();
            let style = match width().is_some_and(|width| width < NARROW) {
                true => "{prefix} [{wide_bar}] {eta}",
                false => "{prefix} [{wide_bar}] {rate}, {eta} left",
            };
            if let Ok(style) = BarStyle::with_template(style) {
                bar.set_style(style.progress_chars("=> ").with_key("rate", rate));
            }
            bar.set_prefix(format!("epoch {}/{}", start.finished_epochs + 1, self.num_epochs));
            // Shown only now, when it is complete.
            bar.set_draw_target(ProgressDrawTarget::stderr());
            self.bar = Some(bar);
        }
        Ok(())
    }

    fn step(&mut self, epoch: usize, done: usize) {
        self.tell_stop();
        let Some(bar) = &self.bar else { return };
        // A redraw costs more than a small network's step.
        if self.redrawn.is_some_and(|at| at.elapsed() < Duration::from_millis(100)) {
            return;
        }
        self.redrawn = Some(Instant::now());
        bar.set_prefix(format!("epoch {epoch}/{}", self.num_epochs));
        bar.set_position(((epoch - 1) * self.batches + done) as u64);
    }

    fn epoch(&mut self, report: &EpochReport) -> Result<(), ObserverError> {
        self.tell_stop();
        let record = report.record;
        let (epoch, all) = (record.epoch, self.num_epochs);
        let left = readable(self.time_left(epoch));
        let line = |most| format!("epoch {epoch}/{all}: {}", figures(record, self.split, most));
        match self.shown {
            Shown::Bar => self.keep(&fitting((1..=MOST).rev().map(line))),
            Shown::Lines => self.keep(&format!("{}, {left} left", line(MOST))),
            Shown::OneLine => self.line.show(&format!("{}, {left} left", line(MOST))),
            Shown::Nothing => {}
        }
        for warning in self.health.warnings(record) {
            self.keep(&format!("warning: {warning}"));
        }
        if let Some(bar) = &self.bar {
            bar.set_prefix(format!("epoch {epoch}/{all}"));
            bar.set_position((epoch * self.batches) as u64);
        }
        Ok(())
    }

    fn ended(&mut self, _: &Summary) -> Result<(), ObserverError> {
        // Asked while the epoch's checkpoint was written: heard as well.
        self.tell_stop();
        self.line.end();
        if let Some(bar) = self.bar.take() {
            // The epochs stay on the screen; the bar has nothing to add to them.
            bar.finish_and_clear();
        }
        Ok(())
    }
}

fn rate(state: &ProgressState, text: &mut dyn std::fmt::Write) {
    // What cannot be written into memory is not there to be missed.
    let _ = write!(text, "{:.0} batches/s", state.per_sec());
}

/// Figures of an epoch that [`figures`] tells at most.
const MOST: usize = 6;

/// An epoch in a line: the `most` most telling of its figures. The best so far is told where held-out rows choose by
/// it; of the test set it is no result.
fn figures(record: &EpochRecord, split: &str, most: usize) -> String {
    let percent = |name: &str, fraction: f64| format!("{name} {:.2} %", 100.0 * fraction);
    let seconds = record.seconds.train + record.seconds.eval;
    // In the order in which they are told, each with its rank.
    let told = [
        (2, Some(format!("loss {:.4}", record.train_loss))),
        (5, Some(format!("{split} loss {:.4}", record.val_loss))),
        (1, Some(percent(&format!("{split} accuracy"), record.accuracy))),
        (4, record.head_accuracy.map(|head| percent("head", head))),
        (3, (split != "test").then(|| percent("best", record.best_accuracy))),
        (6, Some(format!("{seconds:.1} s"))),
    ];
    let told = told.into_iter().filter(|(rank, _)| *rank <= most).filter_map(|(_, text)| text);
    told.collect::<Vec<_>>().join(", ")
}

fn readable(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}
