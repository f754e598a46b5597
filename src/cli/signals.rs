//! Ctrl-C and its kin: end the running epoch, write, and say how to go on.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};

/// A flag that [`watch`] lets signals set.
pub fn new_flag() -> Arc<AtomicBool> {
    Arc::new(AtomicBool::new(false))
}

/// From now on SIGINT, SIGTERM and SIGUSR1 set the flag. A second SIGINT or SIGTERM ends the process at once.
pub fn watch(stop: &Arc<AtomicBool>) {
    for signal in [SIGINT, SIGTERM] {
        // Order matters: the shutdown looks at the flag before this signal sets it. Where a handler
        // cannot be installed the signal keeps its default, which is to end the process.
        let _ = signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(stop));
        let _ = signal_hook::flag::register(signal, Arc::clone(stop));
    }
    let _ = signal_hook::flag::register(SIGUSR1, Arc::clone(stop));
}

/// A flag that SIGINT, SIGTERM and SIGUSR1 set.
pub fn stop_flag() -> Arc<AtomicBool> {
    let stop = new_flag();
    watch(&stop);
    stop
}

/// Lets a closed stdout end the process quietly, as every other filter does.
pub fn end_on_closed_pipe() {
    // `emulate_default_handler` runs in a signal handler's place only if the signal is not ignored;
    // Rust's runtime ignores SIGPIPE, and registering anything replaces that.
    // SAFETY: the handler calls only async-signal-safe functions.
    let _ = unsafe {
        signal_hook::low_level::register(signal_hook::consts::SIGPIPE, || {
            let _ = signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGPIPE);
        })
    };
}
