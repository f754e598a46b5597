//! What a backend is made by, and what is done with it.

use ff_backend::{Backend, DeviceInfo, Result};

/// What a backend is made by.
#[derive(Clone, Debug)]
pub struct Settings {
    /// A name in the table, `NAME:P.D`, or `auto`.
    pub name: String,
    /// Threads, where that is up to the caller; 0: one per core.
    pub threads: usize,
    /// Whether products may round their operands to tf32.
    pub tf32: bool,
    /// Whether work that changes no number may be left out.
    pub exact_shortcuts: bool,
}

/// Work that any backend can do.
pub trait OnBackend {
    /// What it gives.
    type Output;
    /// Does it.
    fn run<B: Backend>(self, backend: &B) -> Self::Output;
}

/// What there is to tell of the backend that was made.
#[derive(Clone, Copy, Debug)]
pub enum Remark<'a> {
    /// Which one `auto` took.
    Choice(&'a str),
    /// What was asked for and is not to be had: the results are of something else.
    Warning(&'a str),
}

/// Devices of a backend, and why others cannot be used.
#[derive(Debug, Default)]
pub struct Listing {
    /// Those that can be used.
    pub devices: Vec<DeviceInfo>,
    /// A line for each that cannot.
    pub failures: Vec<String>,
}

/// What a backend that is built in can do.
pub(super) struct Built {
    /// Its devices.
    pub devices: fn() -> Listing,
    /// The name of its GPU, and what people call it.
    pub gpu: fn() -> Option<(String, String)>,
    /// Measures how to cut kernels to a device and remembers the best; what was measured, as text.
    pub tune: Option<fn(&str) -> Result<String>>,
}

/// A backend without a choice of devices, or kernels to tune.
pub(super) const fn on_host(devices: fn() -> Listing) -> Built {
    Built { devices, gpu: || None, tune: None }
}
