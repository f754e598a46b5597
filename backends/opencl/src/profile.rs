//! What each kernel costs on the device, by the driver's own clock.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use crate::driver::Event;

/// Launches whose events are kept before their times are read: the host is far fewer ahead of the device.
const KEPT: usize = 4096;

/// Times of every launch of one queue, written as CSV when the queue ends. Asked for by `FF_OPENCL_PROFILE=FILE` in
/// the environment; launches cost the host a little more then.
pub(crate) struct Profile {
    file: PathBuf,
    pending: RefCell<Vec<(Rc<str>, Rc<Event>)>>,
    kernels: RefCell<BTreeMap<Rc<str>, Times>>,
}

/// Launches of one kernel, in nanoseconds.
#[derive(Default)]
struct Times {
    each: Vec<u64>,
}

impl Profile {
    pub(crate) fn asked_for() -> Option<Self> {
        let file = PathBuf::from(std::env::var_os("FF_OPENCL_PROFILE")?);
        Some(Profile { file, pending: RefCell::default(), kernels: RefCell::default() })
    }

    /// Keeps a launch's event.
    pub(crate) fn note(&self, kernel: &Rc<str>, event: &Rc<Event>) {
        let mut pending = self.pending.borrow_mut();
        pending.push((Rc::clone(kernel), Rc::clone(event)));
        if pending.len() == 2 * KEPT {
            self.read(pending.drain(..KEPT));
        }
    }

    fn read(&self, events: impl Iterator<Item = (Rc<str>, Rc<Event>)>) {
        let mut kernels = self.kernels.borrow_mut();
        for (kernel, event) in events {
            // A driver that does not say leaves the launch out.
            if let Some(time) = event.nanoseconds() {
                kernels.entry(kernel).or_default().each.push(time);
            }
        }
    }

    /// Writes `kernel,launches,microseconds,median,min,max`: the sum, and of one launch. The costliest first.
    pub(crate) fn write(&self) {
        self.read(self.pending.borrow_mut().drain(..));
        let mut kernels = self.kernels.borrow_mut();
        let mut rows: Vec<(u64, String)> = kernels.iter_mut().map(|(name, times)| times.row(name)).collect();
        rows.sort_by_key(|(total, _)| std::cmp::Reverse(*total));
        let mut text = "kernel,launches,microseconds,median,min,max\n".to_owned();
        text.extend(rows.iter().map(|(_, row)| row.as_str()));
        if let Err(error) = std::fs::write(&self.file, text) {
            eprintln!("warning: FF_OPENCL_PROFILE={}: {error}", self.file.display());
        }
    }
}

impl Times {
    fn row(&mut self, name: &str) -> (u64, String) {
        self.each.sort_unstable();
        let total: u64 = self.each.iter().sum();
        let at = |index: usize| self.each.get(index).copied().unwrap_or(0) as f64 / 1e3;
        let count = self.each.len();
        let [median, min, max] = [count / 2, 0, count.saturating_sub(1)].map(at);
        let sum = total as f64 / 1e3;
        (total, format!("{name},{count},{sum:.1},{median:.1},{min:.1},{max:.1}\n"))
    }
}
