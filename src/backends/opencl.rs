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
    let remembered = |of| tuning_folder().and_then(|folder| recall(&folder, &device, of));
    let (tuning, tensor_cores) = (remembered(Precision::Fp32), remembered(Precision::Tf32));
    let exact_shortcuts = settings.exact_shortcuts;
    let options = Options { precision, exact_shortcuts, tuning, tensor_cores, ..Options::default() };
    let backend = OpenCl::new(device, options)?;
    backend.notes().iter().for_each(|note| say(Remark::Warning(note)));
    Ok(backend)
}

/// Where tunings are remembered, each under its device's name.
fn tuning_folder() -> Option<PathBuf> {
    let folders = directories::ProjectDirs::from("", "", "forward-forward")?;
    Some(folders.cache_dir().join("tuning"))
}

/// Remembers the fastest tiles of the products, in tf32 too where the device has tensor cores.
fn tune(name: &str) -> Result<String> {
    let failed = |message: String| BackendError::Driver { operation: "--tune", message };
    let device = choose(name)?;
    let folder = tuning_folder().ok_or_else(|| failed("there is no home folder to remember in".into()))?;
    let mut text = format!("{}: milliseconds of a layer's forward pass and learning step\n", label(&device));
    for (precision, word) in [(Precision::Fp32, "fp32"), (Precision::Tf32, "tf32")] {
        let results = match ff_backend_opencl::tune(&device, precision) {
            Err(BackendError::Unsupported(reason)) if precision == Precision::Tf32 => {
                text += &format!("tf32: {reason}\n");
                continue;
            }
            results => results?,
        };
        for result in &results {
            text += &format!("{word} {:9.3}  {:?}\n", result.milliseconds, result.tuning);
        }
        let Some(best) = results.first() else {
            return Err(failed(format!("{word}: no way to cut the products gives the right sums")));
        };
        let remembered = remember(&folder, &device, &best.tuning);
        remembered.map_err(|error| failed(format!("{}: {error}", folder.display())))?;
    }
    Ok(text + &format!("remembered in {}\n", folder.display()))
}
