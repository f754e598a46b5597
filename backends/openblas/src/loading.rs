//! One thread from the moment that OpenBLAS is loaded.
//!
//! While it is loaded, before `main`, OpenBLAS starts a thread for each core; where a limit of memory denies it one
//! (`ulimit -v`), it tries again for ever, and even `ff --version` never ends. `OPENBLAS_NUM_THREADS=1` in the
//! environment prevents that, but so early a process cannot add a variable. It can lend a place: the last variable
//! is `OPENBLAS_NUM_THREADS=1` until all libraries are initialized, and then again what it was.

use std::ffi::{CStr, c_char, c_int};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

const ONE_THREAD: &CStr = c"OPENBLAS_NUM_THREADS=1";

/// The variable whose place is lent.
static LENT: AtomicPtr<c_char> = AtomicPtr::new(null_mut());

/// What the loader calls with the arguments and the environment, a list of pointers that ends with null.
type Initializer = extern "C" fn(c_int, *mut *mut c_char, *mut *mut c_char);

unsafe extern "C" {
    static environ: *mut *mut c_char;
}

extern "C" fn lend(_: c_int, _: *mut *mut c_char, variables: *mut *mut c_char) {
    let (mut place, mut next) = (null_mut(), variables);
    // SAFETY: the loader's list ends with null; no other thread is there yet.
    unsafe {
        while !(*next).is_null() {
            place = next;
            if CStr::from_ptr(*next).to_bytes().starts_with(b"OPENBLAS_NUM_THREADS=") {
                break;
            }
            next = next.add(1);
        }
        if !place.is_null() {
            LENT.store(place.replace(ONE_THREAD.as_ptr().cast_mut()), Relaxed);
        }
    }
}

extern "C" fn give_back(_: c_int, _: *mut *mut c_char, _: *mut *mut c_char) {
    let lent = LENT.load(Relaxed);
    // SAFETY: as in `lend`. A library may have copied the list: it is the current one that is put right.
    unsafe {
        let mut place = environ;
        while !lent.is_null() && !place.is_null() && !(*place).is_null() {
            if std::ptr::eq(*place, ONE_THREAD.as_ptr()) {
                return place.write(lent);
            }
            place = place.add(1);
        }
    }
}

// SAFETY: the loader calls this once, before it initializes any library.
#[used]
#[unsafe(link_section = ".preinit_array")]
static BEFORE_LIBRARIES: Initializer = lend;

// SAFETY: the loader calls this once, after it has initialized all libraries and before `main`.
#[used]
#[unsafe(link_section = ".init_array")]
static AFTER_LIBRARIES: Initializer = give_back;
