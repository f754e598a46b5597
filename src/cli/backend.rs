//! Which backend runs: the only place that names concrete ones.

use ff_backend_cpu::Cpu;

pub use super::on_backend::{OnBackend, Remark};
use super::{CliError, opencl};
use crate::config::{Config, Precision};

/// Makes the backend that a config asks for and hands it to `work`.
///
/// `auto` takes an OpenCL GPU if there is one and it works, else the CPU; `say` hears which, and what could not be had.
pub fn on_backend<W: OnBackend>(
    config: &Config,
    say: impl Fn(Remark),
    work: W,
) -> Result<W::Output, CliError> {
    let shortcuts = config.training.exact_shortcuts;
    let cpu = || Ok::<_, CliError>(Cpu::<f32>::new(config.backend.threads)?.with_exact_shortcuts(shortcuts));
    match config.backend.name.as_str() {
        "cpu" => work.run(&cpu()?),
        "auto" => match opencl::gpu() {
            Some(device) => {
                let label = opencl::label(&device);
                match opencl::make(device, config, &say) {
                    Ok(backend) => {
                        say(Remark::Choice(&format!("backend auto: {label}, an OpenCL GPU")));
                        work.run(&backend)
                    }
                    Err(error) if config.backend.precision == Precision::Tf32 => Err(error.into()),
                    Err(error) => {
                        say(Remark::Warning(&format!("backend auto: cpu, since {label} fails: {error}")));
                        work.run(&cpu()?)
                    }
                }
            }
            None if config.backend.precision == Precision::Tf32 => Err(CliError::request(
                "backend.precision: tf32 needs an NVIDIA GPU, and there is no OpenCL GPU",
            )),
            None => {
                say(Remark::Choice("backend auto: cpu, since there is no OpenCL GPU"));
                work.run(&cpu()?)
            }
        },
        name if name == "opencl" || name.starts_with("opencl:") => {
            work.run(&opencl::make(opencl::choose(name)?, config, say)?)
        }
        name => Err(CliError::request(format!(
            "--backend: {name} is not a backend; cpu, opencl, opencl:P.D or auto"
        ))),
    }
}
