//! Which backend runs: the only place that names concrete ones.

use ff_backend::Backend;
use ff_backend_cpu::Cpu;

use super::{CliError, opencl};
use crate::config::{BackendConfig, Precision};

/// Work that any backend can do.
pub trait OnBackend {
    /// What it gives.
    type Output;
    /// Does it.
    fn run<B: Backend>(self, backend: &B) -> Result<Self::Output, CliError>;
}

/// Makes the backend that a config asks for and hands it to `work`.
///
/// `auto` takes an OpenCL GPU if there is one, else the CPU; `say` hears which.
pub fn on_backend<W: OnBackend>(
    config: &BackendConfig,
    say: impl Fn(&str),
    work: W,
) -> Result<W::Output, CliError> {
    match config.name.as_str() {
        "cpu" => work.run(&Cpu::<f32>::new(config.threads)?),
        "auto" => match opencl::gpu() {
            Some(device) => {
                say(&format!("backend auto: {}, an OpenCL GPU", opencl::label(&device)));
                opencl::run(device, config.precision, say, work)
            }
            None if config.precision == Precision::Tf32 => Err(CliError::request(
                "backend.precision: tf32 needs an NVIDIA GPU, and there is no OpenCL GPU",
            )),
            None => {
                say("backend auto: cpu, since there is no OpenCL GPU");
                work.run(&Cpu::<f32>::new(config.threads)?)
            }
        },
        name if name == "opencl" || name.starts_with("opencl:") => {
            opencl::run(opencl::choose(name)?, config.precision, say, work)
        }
        name => Err(CliError::request(format!(
            "--backend: {name} is not a backend; cpu, opencl, opencl:P.D or auto"
        ))),
    }
}
