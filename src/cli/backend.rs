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

/// What there is to tell of the backend that was made.
pub enum Remark<'a> {
    /// Which one `auto` took.
    Choice(&'a str),
    /// What was asked for and is not to be had: the results are of something else.
    #[cfg_attr(not(feature = "opencl"), allow(dead_code))]
    Warning(&'a str),
}

/// Makes the backend that a config asks for and hands it to `work`.
///
/// `auto` takes an OpenCL GPU if there is one and it works, else the CPU; `say` hears which, and what could not be had.
pub fn on_backend<W: OnBackend>(
    config: &BackendConfig,
    say: impl Fn(Remark),
    work: W,
) -> Result<W::Output, CliError> {
    match config.name.as_str() {
        "cpu" => work.run(&Cpu::<f32>::new(config.threads)?),
        "auto" => match opencl::gpu() {
            Some(device) => {
                let label = opencl::label(&device);
                match opencl::make(device, config.precision, &say) {
                    Ok(backend) => {
                        say(Remark::Choice(&format!("backend auto: {label}, an OpenCL GPU")));
                        work.run(&backend)
                    }
                    Err(error) if config.precision == Precision::Tf32 => Err(error.into()),
                    Err(error) => {
                        say(Remark::Warning(&format!("backend auto: cpu, since {label} fails: {error}")));
                        work.run(&Cpu::<f32>::new(config.threads)?)
                    }
                }
            }
            None if config.precision == Precision::Tf32 => Err(CliError::request(
                "backend.precision: tf32 needs an NVIDIA GPU, and there is no OpenCL GPU",
            )),
            None => {
                say(Remark::Choice("backend auto: cpu, since there is no OpenCL GPU"));
                work.run(&Cpu::<f32>::new(config.threads)?)
            }
        },
        name if name == "opencl" || name.starts_with("opencl:") => {
            work.run(&opencl::make(opencl::choose(name)?, config.precision, say)?)
        }
        name => Err(CliError::request(format!(
            "--backend: {name} is not a backend; cpu, opencl, opencl:P.D or auto"
        ))),
    }
}
