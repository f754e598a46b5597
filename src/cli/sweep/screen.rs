//! Where a sweep's progress goes: lines, one line that is rewritten, or bars below lines.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{HumanDuration, MultiProgress, ProgressBar, ProgressState, ProgressStyle};

use super::super::report::say;
use crate::observers::{RewrittenLine, Shown, fitting, width};

/// Terminals narrower than this have no room for the bars of cells.
const NARROW: usize = 80;

/// The screen that all cells of a process share. Writes to stderr: stdout is for results.
pub struct Screen {
    shown: Shown,
    live: Option<Live>,
    line: RewrittenLine,
    told_stop: AtomicBool,
}

struct Live {
    lines: MultiProgress,
    overall: ProgressBar,
}

impl Screen {
    /// For a sweep of so many cells, of which some are finished; where halving decides how many are trained, no count
    /// is shown.
    pub fn new(shown: Shown, name: &str, cells: usize, finished: usize, counted: bool) -> Self {
        let live = (shown == Shown::Bar).then(|| {
            let lines = MultiProgress::new();
            let overall = lines.add(ProgressBar::new(cells as u64).with_position(finished as u64));
            let narrow = width().is_some_and(|width| width < NARROW);
            set_style(
                &overall,
                match (counted, narrow) {
                    (false, _) => "{prefix}: {elapsed} so far",
                    (true, true) => "{prefix} [{wide_bar}] {pos}/{len}{left}",
                    (true, false) => "{prefix} [{wide_bar}] {pos} of {len} cells, {elapsed} so far{left}",
                },
                finished as u64,
            );
            overall.set_prefix(shortened(name, width().map_or(usize::MAX, |width| width / 3)));
            // A machine that refuses threads has no clock for the line.
            if std::thread::Builder::new().spawn(|| ()).is_ok() {
                overall.enable_steady_tick(Duration::from_millis(500));
            }
            Live { lines, overall }
        });
        Screen { shown, live, line: RewrittenLine::default(), told_stop: AtomicBool::new(false) }
    }

    /// Whether nothing is to be shown.
    pub fn is_quiet(&self) -> bool {
        self.shown == Shown::Nothing
    }

    /// Tells what people must know, even those who want no progress: the first of these texts that fits.
    pub fn remark(&self, texts: impl IntoIterator<Item = String>) {
        match (&self.live, self.shown) {
            // A terminal that is gone takes no lines.
            (Some(live), _) => drop(live.lines.println(fitting(texts))),
            (None, Shown::OneLine) => texts.into_iter().take(1).for_each(|text| self.line.keep(&text)),
            (None, _) => texts.into_iter().take(1).for_each(|text| say(&text)),
        }
    }

    /// Tells what is of interest.
    pub fn tell(&self, texts: impl IntoIterator<Item = String>) {
        if !self.is_quiet() {
            self.remark(texts);
        }
    }

    /// Tells, once for all cells, that the sweep was asked to stop.
    pub fn tell_stop(&self, stop: &AtomicBool, text: &str) {
        if stop.load(Ordering::Relaxed) && !self.told_stop.swap(true, Ordering::Relaxed) {
            self.tell([text.to_owned()]);
        }
    }

    /// Puts a text into the line that is rewritten, where that is how progress is shown.
    pub fn rewrite(&self, text: &str) {
        if self.shown == Shown::OneLine {
            self.line.show(text);
        }
    }

    /// A bar for a cell, called by the first of these names that fits beside what is said of it; none where there
    /// are no bars.
    pub fn cell_bar(&self, names: [String; 2]) -> Option<ProgressBar> {
        const SAID: usize = 34;
        const BAR: usize = 23;
        let live = self.live.as_ref()?;
        let width = width().unwrap_or(usize::MAX);
        let narrow = width < NARROW;
        let room = width.saturating_sub(SAID + if narrow { 0 } else { BAR });
        let [long, short] = names;
        let bar = ProgressBar::new(1).with_prefix(if long.chars().count() <= room { long } else { short });
        set_style(&bar, if narrow { "  {prefix} {msg}" } else { "  {prefix} [{bar:20}] {msg}" }, 0);
        // Drawn only now, when it is complete: the first epoch may be long.
        let bar = live.lines.insert_before(&live.overall, bar);
        bar.tick();
        Some(bar)
    }

    /// A cell ended.
    pub fn count(&self) {
        if let Some(live) = &self.live {
            live.overall.inc(1);
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.line.end();
        if let Some(live) = &self.live {
            live.overall.finish_and_clear();
        }
    }
}

fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some(_) => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
        None => text.to_owned(),
    }
}

/// The style of a bar that began at `first`. `{left}` is the time left, as soon as something of it is done.
fn set_style(bar: &ProgressBar, template: &str, first: u64) {
    let left = move |state: &ProgressState, text: &mut dyn std::fmt::Write| {
        let done = state.pos().saturating_sub(first);
        let open = state.len().unwrap_or(0).saturating_sub(state.pos());
        if done > 0 {
            let left = state.elapsed().mul_f64(open as f64 / done as f64);
            // What cannot be written into memory is not there to be missed.
            let _ = write!(text, ", about {:#} left", HumanDuration(left));
        }
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> ").with_key("left", left));
    }
}
