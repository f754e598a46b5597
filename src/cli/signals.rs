//! Ctrl-C and its kin: the first asks a run to end after its epoch, a second ends the process at once.
//!
//! The handlers are put in place with `sigaction` alone. Crates that chain to the handlers they find would call those
//! of an OpenCL driver (LLVM's, inside PoCL, which come with the first look for devices and end the process). So
//! [`watch`] replaces whatever is there, and [`Rearm`] does so again while kernels are still being built.

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use libc::{SIGABRT, SIGHUP, SIGINT, SIGPIPE, SIGTERM, SIGUSR1, SIGXFSZ, c_int};

use crate::observers::{EpochReport, Observer, ObserverError, Start};

/// What is set by a signal that asks to end.
static STOP: OnceLock<Arc<AtomicBool>> = OnceLock::new();
/// The signal that set it; 0: none did.
static FIRST: AtomicI32 = AtomicI32::new(0);
/// When it came, in milliseconds of the monotonic clock.
static SINCE: AtomicI64 = AtomicI64::new(0);
/// Signals that were ignored when the program began, a bit each.
static IGNORED: AtomicU32 = AtomicU32::new(0);

/// Signals that ask to end: from a terminal or a user, from a terminal that is closed, from a scheduler.
const ENDING: [c_int; 4] = [SIGINT, SIGTERM, SIGHUP, SIGUSR1];
/// A second signal within this time is the same request: `timeout` and some shells send two.
const SAME_REQUEST: i64 = 100;

/// For the start of the program: notes which signals it was told to ignore (`nohup`), and turns those that a write
/// can cause into errors of the write: a file larger than a limit (SIGXFSZ), a reader that went away (SIGPIPE). An
/// abort, of a driver that finds no memory, ends the process with exit 1, as failed work.
pub fn prepare() {
    let ignored = ENDING.into_iter().filter(|&signal| is_ignored(signal));
    IGNORED.store(ignored.fold(0, |bits, signal| bits | 1 << signal), Ordering::Relaxed);
    arm_failures();
}

/// A flag that [`watch`] lets signals set.
pub fn new_flag() -> Arc<AtomicBool> {
    Arc::new(AtomicBool::new(false))
}

/// From now on SIGINT, SIGTERM, SIGHUP and SIGUSR1 set the flag, the first that this is called with. A second SIGINT
/// or SIGTERM ends the process at once and says so. What was ignored stays ignored, but for SIGINT, which scripts
/// send to what they began with `&`.
pub fn watch(stop: &Arc<AtomicBool>) {
    let _ = STOP.set(Arc::clone(stop));
    arm();
}

/// A flag that signals set.
pub fn stop_flag() -> Arc<AtomicBool> {
    let stop = new_flag();
    watch(&stop);
    stop
}

/// The exit code of a run that was asked to end by a signal a user sends, as a shell expects it: 128 + its number.
/// `None` for SIGUSR1, with which a scheduler asks for the end of a run that will go on.
pub fn exit_code() -> Option<u8> {
    match FIRST.load(Ordering::SeqCst) {
        0 | SIGUSR1 => None,
        signal => u8::try_from(128 + signal).ok(),
    }
}

fn arm() {
    let ignored = IGNORED.load(Ordering::Relaxed);
    for signal in ENDING {
        let stays_ignored = signal != SIGINT && ignored & (1 << signal) != 0;
        let heard: extern "C" fn(c_int) = heard;
        install(signal, if stays_ignored { libc::SIG_IGN } else { heard as *const () as libc::sighandler_t });
    }
    arm_failures();
}

fn arm_failures() {
    let (nothing, fail): (extern "C" fn(c_int), extern "C" fn(c_int)) = (nothing, fail);
    install(SIGXFSZ, nothing as *const () as libc::sighandler_t);
    install(SIGPIPE, libc::SIG_IGN);
    install(SIGABRT, fail as *const () as libc::sighandler_t);
}

/// Runs in a signal's handler: only what is safe there, which are atomics, the clock, `poll`, `write` and `_exit`.
extern "C" fn heard(signal: c_int) {
    let now = milliseconds();
    if FIRST.compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
        SINCE.store(now, Ordering::SeqCst);
        if let Some(stop) = STOP.get() {
            stop.store(true, Ordering::SeqCst);
        }
        return;
    }
    let is_second = now - SINCE.load(Ordering::SeqCst) > SAME_REQUEST;
    // A terminal that is closed may tell so twice, and a scheduler asks as often as it likes.
    if is_second && (signal == SIGINT || signal == SIGTERM) {
        end_at_once(
            b"ff: a second signal: stopped at once; the epochs that were finished are kept\n",
            128 + signal,
        );
    }
}

/// Says a line, unless stderr would make it wait, and ends the process without running anything else. Neither needs
/// memory.
pub fn end_at_once(line: &[u8], code: c_int) -> ! {
    tell(line);
    // SAFETY: ends the process without running anything else.
    unsafe { libc::_exit(code) }
}

extern "C" fn nothing(_: c_int) {}

/// Whoever aborts has said why.
extern "C" fn fail(_: c_int) {
    // SAFETY: ends the process without running anything else.
    unsafe { libc::_exit(1) }
}

/// Writes to stderr unless that would wait.
fn tell(line: &[u8]) {
    let mut stderr = libc::pollfd { fd: 2, events: libc::POLLOUT, revents: 0 };
    // SAFETY: one valid pollfd, and as many bytes as the line has.
    unsafe {
        if libc::poll(&mut stderr, 1, 0) == 1 && stderr.revents & libc::POLLOUT != 0 {
            let _ = libc::write(2, line.as_ptr().cast(), line.len());
        }
    }
}

fn milliseconds() -> i64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes into a valid timespec.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now) };
    now.tv_sec * 1000 + now.tv_nsec / 1_000_000
}

fn is_ignored(signal: c_int) -> bool {
    // SAFETY: all zeros is a valid sigaction, and no new one is given.
    unsafe {
        let mut found: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &mut found) == 0 && found.sa_sigaction == libc::SIG_IGN
    }
}

/// Puts a handler in the place of whatever is there. One that cannot be installed leaves the signal as it was.
fn install(signal: c_int, handler: libc::sighandler_t) {
    // SAFETY: all zeros is a valid sigaction with an empty mask; `handler` is SIG_IGN or a function that does only what
    // is safe in a handler.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler;
        action.sa_flags = libc::SA_RESTART;
        libc::sigemptyset(&mut action.sa_mask);
        libc::sigaction(signal, &action, std::ptr::null_mut());
    }
}

/// Puts the handlers in place again where a driver may have replaced them: when a run begins, after its first steps,
/// for which kernels are built, and after every epoch.
pub struct Rearm;

impl Observer for Rearm {
    fn started(&mut self, _: &Start) -> Result<(), ObserverError> {
        arm();
        Ok(())
    }

    fn step(&mut self, _: usize, done: usize) {
        if done <= 2 {
            arm();
        }
    }

    fn epoch(&mut self, _: &EpochReport) -> Result<(), ObserverError> {
        arm();
        Ok(())
    }
}
