//! The progress of a run on a terminal; plain lines where there is none.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::{EpochReport, Observer, ObserverError, Start};
use crate::run::{EpochRecord, Status, Summary};

/// What a run says that was asked to stop.
pub const STOPPING: &str = "stopping after this epoch; again to stop at once";

/// A live bar on a terminal, one line an epoch elsewhere. Writes to stderr: stdout is for results.
#[derive(Default)]
pub struct Progress {
    stop: Arc<AtomicBool>,
    told_stop: bool,
    bar: Option<ProgressBar>,
    num_epochs: usize,
    batches: usize,
    first_epoch: usize,
    began: Option<Instant>,
    redrawn: Option<Instant>,
}

impl Progress {
    /// An observer that has not seen a run yet, and tells when `stop` was set.
    pub fn new(stop: Arc<AtomicBool>) -> Self {
        Progress { stop, ..Self::default() }
    }

    /// Who asks a run to stop sees at once that it heard.
    fn tell_stop(&mut self) {
        if self.told_stop || !self.stop.load(Ordering::Relaxed) {
            return;
        }
        self.told_stop = true;
        match &self.bar {
            Some(bar) => bar.println(STOPPING),
            // A log that cannot be written is no reason to stop at once.
            None => drop(std::io::stderr().write_all(format!("{STOPPING}\n").as_bytes())),
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
        self.num_epochs = start.config.training.num_epochs;
        self.batches = start.batches;
        self.first_epoch = start.finished_epochs;
        self.began = Some(Instant::now());
        if std::io::stderr().is_terminal() {
            let bar = ProgressBar::hidden();
            bar.set_length((self.num_epochs * self.batches) as u64);
            bar.set_position((start.finished_epochs * self.batches) as u64);
            bar.reset_eta();
            // Two lines: one would not fit 80 columns.
            let style = "{prefix} [{bar:32}] {rate}, {eta} left\n{wide_msg}";
            if let Ok(style) = ProgressStyle::with_template(style) {
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
        match &self.bar {
            Some(bar) => {
                bar.set_prefix(format!("epoch {}/{}", record.epoch, self.num_epochs));
                bar.set_position((record.epoch * self.batches) as u64);
                bar.set_message(figures(record));
            }
            None => {
                let (epoch, all) = (record.epoch, self.num_epochs);
                let left = readable(self.time_left(epoch));
                let line = format!("epoch {epoch}/{all}: {}, {left} left\n", figures(record));
                // A log that cannot be written is no reason to stop.
                let _ = std::io::stderr().write_all(line.as_bytes());
            }
        }
        Ok(())
    }

    fn ended(&mut self, summary: &Summary) -> Result<(), ObserverError> {
        // Asked while the epoch's checkpoint was written: heard as well.
        self.tell_stop();
        if let Some(bar) = self.bar.take() {
            if summary.status == Status::Done { bar.finish() } else { bar.abandon() }
        }
        Ok(())
    }
}

fn rate(state: &ProgressState, text: &mut dyn std::fmt::Write) {
    // What cannot be written into memory is not there to be missed.
    let _ = write!(text, "{:.0} batches/s", state.per_sec());
}

fn figures(record: &EpochRecord) -> String {
    let head = record.head_accuracy.map_or(String::new(), |head| format!(", head {:.2} %", 100.0 * head));
    format!(
        "loss {:.4}, val {:.4}, accuracy {:.2} %{head}, best {:.2} %, {:.1} s",
        record.train_loss,
        record.val_loss,
        100.0 * record.accuracy,
        100.0 * record.best_accuracy,
        record.seconds.train + record.seconds.eval,
    )
}

fn readable(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}
