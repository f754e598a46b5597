//! OpenCL devices.

use std::path::PathBuf;

use ff_backend::{BackendError, DeviceInfo, Result};
use ff_backend_opencl::{Candidate, OpenCl, Options, Precision, choose, recall, remember};

use super::settings::{Built, Listing, Remark, Settings};

pub(super) const BUILT: Built = Built { devices, gpu, tune: Some(tune) };

fn devices() -> Listing {
    let describe = |device: &Candidate| DeviceInfo {
        backend: device.selector(),
        driver: format!("{}, {}", device.platform_name, device.driver),
        units: device.units,
        memory_bytes: device.memory_bytes,
        precision: "fp32".into(),
        device: device.name.clone(),
    };
    match ff_backend_opencl::devices() {
        Ok(found) => {
            let devices = found.iter().map(describe).collect();
            Listing { devices, failures: ff_backend_opencl::failures() }
        }
        Err(reason) => {
            let failures = [reason.to_string()].into_iter().chain(ff_backend_opencl::failures());
            Listing { devices: Vec::new(), failures: failures.collect() }
        }
    }
}

fn gpu() -> Option<(String, String)> {
    let device = ff_backend_opencl::gpu()?;
    Some((device.selector(), label(&device)))
}

/// A device's name for people.
fn label(device: &Candidate) -> String {
    format!("{} ({})", device.selector(), device.name)
}

/// Makes the backend on a device; `say` hears what its start-up found.
pub(super) fn make(settings: &Settings, say: impl Fn(Remark)) -> Result<OpenCl> {
    let device = choose(&settings.name)?;
    let precision = if settings.tf32 { Precision::Tf32 } else { Precision::Fp32 };
    let tuning = tuning_folder().and_then(|folder| recall(&folder, &device));
    let exact_shortcuts = settings.exact_shortcuts;
    let backend = OpenCl::new(device, Options { precision, exact_shortcuts, tuning, ..Options::default() })?;
    backend.notes().iter().for_each(|note| say(Remark::Warning(note)));
    Ok(backend)
}

/// Where tunings are remembered, each under its device's name.
fn tuning_folder() -> Option<PathBuf> {
    let folders = directories::ProjectDirs::from("", "", "forward-forward")?;
    Some(folders.cache_dir().join("tuning"))
}

fn tune(name: &str) -> Result<String> {
    let failed = |message: String| BackendError::Driver { operation: "--tune", message };
    let device = choose(name)?;
    let results = ff_backend_opencl::tune(&device)?;
    let mut text = format!("{}: milliseconds of a layer's forward pass and learning step\n", label(&device));
    for result in &results {
        text += &format!("{:9.3}  {:?}\n", result.milliseconds, result.tuning);
    }
    let (Some(best), Some(folder)) = (results.first(), tuning_folder()) else {
        return Err(failed("no way to cut the kernels passed the conformance suite".into()));
    };
    let remembered = remember(&folder, &device, &best.tuning);
    remembered.map_err(|error| failed(format!("{}: {error}", folder.display())))?;
    Ok(text + &format!("remembered in {}\n", folder.display()))
}
