//! The table of backends.

use std::cell::RefCell;

use ff_backend::{Backend, BackendError, Result};

use super::settings::{Built, Listing, OnBackend, Remark, Settings};

/// A row of the table.
pub struct Row {
    /// What `--backend` calls it: also the cargo feature that it is built by.
    pub name: &'static str,
    /// What it is.
    pub meaning: &'static str,
    /// What `NAME:P.D` is, where there are several devices.
    pub device_meaning: Option<&'static str>,
    /// Whether products can be tf32 on some device.
    pub tf32: bool,
    built: Option<Built>,
}

/// Declares the table, and how the backend of a name is made and handed to work.
macro_rules! backends {
    ($($built:meta, $name:literal, $module:ident, $meaning:literal, $device_meaning:expr, tf32 $tf32:literal;)*) => {
        /// The backends.
        pub const TABLE: &[Row] = &[$(Row {
            name: $name,
            meaning: $meaning,
            device_meaning: $device_meaning,
            tf32: $tf32,
            #[cfg($built)]
            built: Some(super::$module::BUILT),
            #[cfg(not($built))]
            built: None,
        }),*];

        fn on_named<W: OnBackend>(settings: &Settings, say: &impl Fn(Remark), work: W) -> Result<W::Output> {
            match row_of(&settings.name).map(|row| row.name) {
                $(
                    #[cfg($built)]
                    Some($name) => Ok(work.run(&super::$module::make(settings, say)?)),
                )*
                Some(name) => Err(not_built(name)),
                None => Err(unknown(&settings.name)),
            }
        }
    };
}

backends! {
    all(), "cpu", cpu, "the processor's vector instructions", None, tf32 false;
    feature = "openblas", "openblas", openblas, "the reference: ndarray and OpenBLAS, on one thread", None, tf32 false;
    feature = "opencl", "opencl", opencl, "the first OpenCL device, a GPU before others",
        Some("device D of OpenCL platform P, as `ff devices` lists them"), tf32 true;
}

/// What stands in where there is no GPU.
const ALWAYS: &str = "cpu";
const AUTO: &str = "auto";

impl Row {
    /// Its devices, and a line for each that cannot be used.
    pub fn devices(&self) -> Listing {
        match &self.built {
            Some(built) => (built.devices)(),
            None => Listing { devices: Vec::new(), failures: vec![not_built(self.name).to_string()] },
        }
    }
}

/// The row of `NAME` or `NAME:P.D`.
fn row_of(name: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.name == name || names_device_of(row, name))
}

fn names_device_of(row: &Row, name: &str) -> bool {
    let device = name.strip_prefix(row.name).and_then(|rest| rest.strip_prefix(':')?.split_once('.'));
    let is_number = |part: &str| part.parse::<usize>().is_ok();
    row.device_meaning.is_some() && device.is_some_and(|(p, d)| is_number(p) && is_number(d))
}

/// Whether a name is that of one of several devices: `NAME:P.D`.
pub fn is_device(name: &str) -> bool {
    TABLE.iter().any(|row| names_device_of(row, name))
}

/// Whether a backend, `auto` too, has tf32 on some device.
pub fn has_tf32(name: &str) -> bool {
    row_of(name).is_none_or(|row| row.tf32)
}

/// What `--backend` takes: names and their meanings.
pub fn choices() -> Vec<(String, String)> {
    let auto = (AUTO.to_owned(), format!("a GPU if there is one and it works, else {ALWAYS}"));
    let of_row = |row: &Row| {
        let device = row.device_meaning.map(|meaning| (format!("{}:P.D", row.name), meaning.to_owned()));
        [(row.name.to_owned(), row.meaning.to_owned())].into_iter().chain(device)
    };
    [auto].into_iter().chain(TABLE.iter().flat_map(of_row)).collect()
}

/// The first GPU: its name, and what people call it.
fn gpu() -> Option<(String, String)> {
    TABLE.iter().filter_map(|row| row.built.as_ref()).find_map(|built| (built.gpu)())
}

/// What `auto` takes, and why.
pub fn auto() -> (String, &'static str) {
    match gpu() {
        Some((name, _)) => (name, "it is a GPU"),
        None => (ALWAYS.into(), "there is no GPU"),
    }
}

/// Makes the backend that the settings ask for and hands it to `work`.
///
/// `auto` takes a GPU if there is one and it works, else the CPU; `say` hears which, and what could not be had.
///
/// # Errors
/// [`BackendError::Unsupported`] for a name that is not in the table or not in this build, and for tf32 without a
/// GPU; else what making the backend fails with.
pub fn on_backend<W: OnBackend>(settings: &Settings, say: impl Fn(Remark), work: W) -> Result<W::Output> {
    if settings.name != AUTO {
        return on_named(settings, &say, work);
    }
    let named = |name: &str| Settings { name: name.into(), ..settings.clone() };
    let Some((name, label)) = gpu() else {
        if settings.tf32 {
            return Err(BackendError::Unsupported("tf32 needs an NVIDIA GPU, and there is no GPU".into()));
        }
        say(Remark::Choice(&format!("backend auto: {ALWAYS}, since there is no GPU")));
        return on_named(&named(ALWAYS), &say, work);
    };
    let work = RefCell::new(Some(work));
    let choice = format!("backend auto: {label}, a GPU");
    let made = on_named(&named(&name), &say, Once { work: &work, before: || say(Remark::Choice(&choice)) });
    match (made, work.into_inner()) {
        (Err(error), Some(work)) if !settings.tf32 => {
            say(Remark::Warning(&format!("backend auto: {ALWAYS}, since {label} fails: {error}")));
            on_named(&named(ALWAYS), &say, work)
        }
        (made, _) => made.and_then(|output| output.ok_or_else(|| unknown(&name))),
    }
}

/// Work that stays where it is if its backend cannot be made.
struct Once<'a, W, F> {
    work: &'a RefCell<Option<W>>,
    before: F,
}

impl<W: OnBackend, F: Fn()> OnBackend for Once<'_, W, F> {
    type Output = Option<W::Output>;
    fn run<B: Backend>(self, backend: &B) -> Option<W::Output> {
        (self.before)();
        Some(self.work.take()?.run(backend))
    }
}

/// Measures how to cut a device's kernels and remembers the best; what was measured, as text.
///
/// # Errors
/// [`BackendError::Unsupported`] for a backend without kernels, else the device's failure.
pub fn tune(name: &str) -> Result<String> {
    let (name, _) = if name == AUTO { auto() } else { (name.to_owned(), "") };
    let row = row_of(&name).ok_or_else(|| unknown(&name))?;
    let built = row.built.as_ref().ok_or_else(|| not_built(row.name))?;
    let tune = built.tune.ok_or_else(|| {
        let tuned: Vec<&str> =
            TABLE.iter().filter(|row| row.device_meaning.is_some()).map(|row| row.name).collect();
        let tuned = tuned.join(" or ");
        BackendError::Unsupported(format!(
            "{name} has no kernels to tune; name a device with --backend {tuned}"
        ))
    })?;
    tune(&name)
}

fn not_built(name: &str) -> BackendError {
    BackendError::Unsupported(format!(
        "{name} is not in this build of ff; `cargo build --features {name}` has it"
    ))
}

fn unknown(name: &str) -> BackendError {
    let names: Vec<String> = choices().into_iter().map(|(name, _)| name).collect();
    BackendError::Unsupported(format!("{name} is not a backend; there are {}", names.join(", ")))
}
