//! What is asked of OpenBLAS itself: one thread, and its version.

// ndarray calls BLAS by symbol alone: these crates are named so that they are linked.
extern crate blas_src;
extern crate openblas_src;

use std::ffi::{CStr, c_char, c_int};
use std::sync::OnceLock;

unsafe extern "C" {
    // Of the OpenBLAS that openblas-src links.
    fn openblas_set_num_threads(threads: c_int);
    fn openblas_get_config() -> *const c_char;
}

/// Sets OpenBLAS to one thread; its name and version.
///
/// Both are done once in a process: OpenBLAS writes its description anew at every call, into one buffer.
pub(crate) fn on_one_thread() -> &'static str {
    static VERSION: OnceLock<String> = OnceLock::new();
    VERSION.get_or_init(|| {
        // SAFETY: a setter without preconditions.
        unsafe { openblas_set_num_threads(1) };
        // SAFETY: a static, NUL-terminated text, which this process asks for only here.
        let version = unsafe { CStr::from_ptr(openblas_get_config()) };
        version.to_string_lossy().trim().to_owned()
    })
}
