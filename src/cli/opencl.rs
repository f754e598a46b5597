//! The OpenCL backend behind the command line; without the feature `opencl`, a clear answer instead.

pub use imp::{Device, choose, failures, gpu, label, list, make, selector, tune};

#[cfg(feature = "opencl")]
mod imp {
    use std::path::PathBuf;

    use ff_backend::{BackendError, DeviceInfo};
    use ff_backend_opencl::{Candidate, OpenCl, Options, Precision, recall, remember};

    use crate::cli::CliError;
    use crate::cli::backend::Remark;
    use crate::config::{self, Config};

    /// An OpenCL device.
    pub type Device = Candidate;

    /// The GPU that `auto` takes, if there is one.
    pub fn gpu() -> Option<Device> {
        ff_backend_opencl::gpu()
    }

    /// The device that `opencl` or `opencl:P.D` names.
    pub fn choose(name: &str) -> Result<Device, CliError> {
        Ok(ff_backend_opencl::choose(name)?)
    }

    /// Its name on the command line.
    pub fn selector(device: &Device) -> String {
        device.selector()
    }

    /// Its name for people.
    pub fn label(device: &Device) -> String {
        format!("{} ({})", device.selector(), device.name)
    }

    /// All devices there are.
    pub fn list() -> Result<Vec<DeviceInfo>, CliError> {
        let describe = |device: Candidate| DeviceInfo {
            backend: device.selector(),
            driver: format!("{}, {}", device.platform_name, device.driver),
            units: device.units,
            memory_bytes: device.memory_bytes,
            precision: "fp32".into(),
            device: device.name,
        };
        Ok(ff_backend_opencl::devices()?.into_iter().map(describe).collect())
    }

    /// A backend on an OpenCL device.
    pub type Made = OpenCl;

    /// Platforms and devices that cannot be used, with the driver's reasons.
    pub fn failures() -> Vec<String> {
        ff_backend_opencl::failures()
    }

    /// Makes the backend on a device; `say` hears what its start-up found.
    pub fn make(device: Device, config: &Config, say: impl Fn(Remark)) -> Result<Made, BackendError> {
        let precision = match config.backend.precision {
            config::Precision::Fp32 => Precision::Fp32,
            config::Precision::Tf32 => Precision::Tf32,
        };
        let tuning = tuning_folder().and_then(|folder| recall(&folder, &device));
        let exact_shortcuts = config.training.exact_shortcuts;
        let options = Options { precision, exact_shortcuts, tuning, ..Options::default() };
        let backend = OpenCl::new(device, options)?;
        backend.notes().iter().for_each(|note| say(Remark::Warning(note)));
        Ok(backend)
    }

    /// Where tunings are remembered, each under its device's name.
    fn tuning_folder() -> Option<PathBuf> {
        let folders = directories::ProjectDirs::from("", "", "forward-forward")?;
        Some(folders.cache_dir().join("tuning"))
    }

    /// Measures ways to cut the kernels to a device and remembers the fastest; what was measured, as text.
    pub fn tune(device: &Device) -> Result<String, CliError> {
        let results = ff_backend_opencl::tune(device)?;
        let mut text =
            format!("{}: milliseconds of a layer's forward pass and learning step\n", label(device));
        for result in &results {
            text += &format!("{:9.3}  {:?}\n", result.milliseconds, result.tuning);
        }
        let (Some(best), Some(folder)) = (results.first(), tuning_folder()) else {
            return Err(CliError::failed("--tune: no way to cut the kernels passed the conformance suite"));
        };
        remember(&folder, device, &best.tuning)
            .map_err(|error| CliError::failed(format!("{}: {error}", folder.display())))?;
        Ok(text + &format!("remembered in {}\n", folder.display()))
    }
}

#[cfg(not(feature = "opencl"))]
mod imp {
    use ff_backend::{BackendError, DeviceInfo};
    use ff_backend_cpu::Cpu;

    use crate::cli::CliError;
    use crate::cli::backend::Remark;
    use crate::config::Config;

    /// There are none.
    pub enum Device {}

    /// There is none.
    pub fn gpu() -> Option<Device> {
        None
    }

    /// Says that there is none.
    pub fn choose(_: &str) -> Result<Device, CliError> {
        Err(CliError::request(
            "--backend: this ff was built without OpenCL; build it with `--features opencl`, or use cpu",
        ))
    }

    /// Cannot be called.
    pub fn selector(device: &Device) -> String {
        match *device {}
    }

    /// Cannot be called.
    pub fn label(device: &Device) -> String {
        match *device {}
    }

    /// Says why there are none.
    pub fn list() -> Result<Vec<DeviceInfo>, CliError> {
        Err(CliError::request("this ff was built without OpenCL"))
    }

    /// Any backend stands for those that cannot be made.
    pub type Made = Cpu<f32>;

    /// There are none.
    pub fn failures() -> Vec<String> {
        Vec::new()
    }

    /// Cannot be called.
    pub fn make(device: Device, _: &Config, _: impl Fn(Remark)) -> Result<Made, BackendError> {
        match device {}
    }

    /// Cannot be called.
    pub fn tune(device: &Device) -> Result<String, CliError> {
        match *device {}
    }
}
