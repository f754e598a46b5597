//! The backends there are. The table names each of them once: what `--backend` takes, what `ff devices` lists and
//! the messages follow from it, and no other module names a concrete one.

mod cpu;
#[cfg(feature = "openblas")]
mod openblas;
#[cfg(feature = "opencl")]
mod opencl;
mod settings;
mod table;

pub use settings::{Listing, OnBackend, Remark, Settings};
pub use table::{Row, TABLE, auto, choices, has_tf32, is_device, on_backend, tune};
