//! When to end before the last epoch.

use std::sync::atomic::AtomicBool;

/// When to end before the last epoch.
#[derive(Clone, Copy)]
pub struct Limits<'a> {
    /// Set by a signal handler, say: end after the running epoch.
    pub stop: &'a AtomicBool,
    /// End after this many epochs; the run can be resumed.
    pub until: usize,
}

impl Default for Limits<'_> {
    /// All epochs.
    fn default() -> Self {
        static NEVER: AtomicBool = AtomicBool::new(false);
        Limits { stop: &NEVER, until: usize::MAX }
    }
}
