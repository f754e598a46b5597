//! The system's allocator, which ends the program with a line where nobody can do without the memory that is refused.

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Write;

use ff_backend::host;

use super::signals;

/// The program's allocator. Rust's own way to end is an abort with a backtrace, which reads like a fault of the
/// program; a limit of memory is not one. Whoever asks with [`host::reserve`] is told of a refusal instead.
pub struct Allocator;

// SAFETY: every call is passed on to the system's allocator as it is, and what it returns is returned.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the allocator's contract.
        granted(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the allocator's contract.
        granted(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller keeps the allocator's contract.
        granted(unsafe { System.realloc(memory, layout, size) }, size)
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the allocator's contract.
        unsafe { System.dealloc(memory, layout) }
    }
}

fn granted(memory: *mut u8, bytes: usize) -> *mut u8 {
    if memory.is_null() && !host::refusal_is_handled() {
        // On the stack: there is no memory to make a string of.
        let mut line = [0; 160];
        let mut rest = &mut line[..];
        let _ = writeln!(
            rest,
            "ff: out of memory: {bytes} bytes more are refused; see `ulimit -v`, the memory limit of the job or \
             container, and what other programs hold"
        );
        let unused = rest.len();
        signals::end_at_once(&line[..line.len() - unused], 1);
    }
    memory
}
