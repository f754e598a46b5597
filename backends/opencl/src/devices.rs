//! Which OpenCL devices there are, and which one to take.

use std::sync::OnceLock;

use ff_backend::{BackendError, Result};
use ocl::core::DeviceId;

use crate::discovery::{Found, discover};

/// What an OpenCL device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A graphics processor.
    Gpu,
    /// The host's own processor.
    Cpu,
    /// Anything else.
    Accelerator,
}

/// A device that a backend could run on.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Place of its platform in the driver's list: P of `opencl:P.D`.
    pub platform: usize,
    /// Place in its platform: D of `opencl:P.D`.
    pub index: usize,
    /// The platform's name.
    pub platform_name: String,
    /// The device's own name.
    pub name: String,
    /// Who makes it.
    pub vendor: String,
    /// What it is.
    pub kind: Kind,
    /// Version of its driver.
    pub driver: String,
    /// OpenCL version it offers.
    pub version: String,
    /// Compute units.
    pub units: usize,
    /// Bytes of memory.
    pub memory_bytes: u64,
    /// Bytes of its largest buffer.
    pub largest_buffer_bytes: u64,
    /// Bytes of local memory of a work-group.
    pub local_bytes: u64,
    /// Most work-items of a work-group.
    pub largest_group: usize,
    /// Whether it shares the host's memory: an integrated GPU does.
    pub unified_memory: bool,
    /// NVIDIA's compute capability.
    pub compute_capability: Option<(u32, u32)>,
    pub(crate) id: DeviceId,
}

impl Candidate {
    /// `opencl:P.D`.
    pub fn selector(&self) -> String {
        format!("opencl:{}.{}", self.platform, self.index)
    }

    /// Which device to take where none is named: the lowest. A GPU of its own, one that shares the host's memory, others.
    fn rank(&self) -> u8 {
        match self.kind {
            Kind::Gpu if !self.unified_memory => 0,
            Kind::Gpu => 1,
            Kind::Accelerator => 2,
            Kind::Cpu => 3,
        }
    }

    /// Whether it is NVIDIA's.
    pub fn is_nvidia(&self) -> bool {
        self.vendor.contains("NVIDIA")
    }
}

impl std::fmt::Display for Candidate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} ({})", self.selector(), self.name, self.platform_name)
    }
}

/// Every device that can be used, of every platform, in the driver's order.
///
/// The driver is asked once in a process: asking it from several threads at once confuses some drivers,
/// and devices do not come and go.
///
/// # Errors
/// [`BackendError::NoPlatform`] if there is no OpenCL library, or no driver behind it.
pub fn devices() -> Result<Vec<Candidate>> {
    let found = found()
        .as_ref()
        .map_err(|hint| BackendError::NoPlatform { backend: "OpenCL", hint: hint.clone() })?;
    Ok(found.candidates.clone())
}

/// Platforms and devices that cannot be used, each with its driver's reason; empty where there is no platform.
pub fn failures() -> Vec<String> {
    found().as_ref().map_or_else(|_| Vec::new(), |found| found.failures.clone())
}

fn found() -> &'static std::result::Result<Found, String> {
    static FOUND: OnceLock<std::result::Result<Found, String>> = OnceLock::new();
    FOUND.get_or_init(discover)
}

/// The device that `name` asks for: `opencl:P.D`, or with `opencl` the best kind there is: a GPU before others, and
/// among GPUs one with memory of its own.
///
/// # Errors
/// [`BackendError::NoPlatform`] as [`devices`]; [`BackendError::NoDevice`] with what there is.
pub fn choose(name: &str) -> Result<Candidate> {
    let all = devices()?;
    let wanted = match name.strip_prefix("opencl") {
        Some("") => return best(&all).cloned().ok_or_else(|| missing(name, &all)),
        Some(rest) => rest.strip_prefix(':').and_then(|place| place.split_once('.')),
        None => None,
    };
    let place = wanted.and_then(|(p, d)| Some((p.parse().ok()?, d.parse().ok()?)));
    all.iter()
        .find(|candidate| Some((candidate.platform, candidate.index)) == place)
        .cloned()
        .ok_or_else(|| missing(name, &all))
}

/// The first of the best kind.
fn best(all: &[Candidate]) -> Option<&Candidate> {
    all.iter().min_by_key(|candidate| candidate.rank())
}

/// The best GPU, if there is one: what `auto` takes.
pub fn gpu() -> Option<Candidate> {
    let all = devices().ok()?;
    best(&all).filter(|candidate| candidate.kind == Kind::Gpu).cloned()
}

fn missing(name: &str, all: &[Candidate]) -> BackendError {
    let listed: Vec<String> = all.iter().map(ToString::to_string).collect();
    let listed = if listed.is_empty() { "no device".to_owned() } else { listed.join(", ") };
    let failed: String = failures().iter().map(|failure| format!("; {failure}")).collect();
    BackendError::NoDevice(format!("{name}; there is {listed}{failed}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_gpu_with_its_own_memory_comes_before_an_integrated_one_and_a_cpu() {
        let Some(device) = devices().ok().and_then(|found| found.into_iter().next()) else {
            println!("skipped: no OpenCL platform");
            return;
        };
        let like = |index, kind, unified_memory| Candidate { index, kind, unified_memory, ..device.clone() };
        let all = [
            like(0, Kind::Cpu, true),
            like(1, Kind::Gpu, true),
            like(2, Kind::Gpu, false),
            like(3, Kind::Gpu, false),
        ];
        let chosen = |upto: usize| best(&all[..upto]).map(|candidate| candidate.index);
        assert_eq!([chosen(0), chosen(1), chosen(2), chosen(4)], [None, Some(0), Some(1), Some(2)]);
    }
}
