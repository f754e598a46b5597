//! `ff verify`.

use clap::Args;
use ff_backend::Backend;
use ff_backend::conformance::{self, Effort, Report};

use super::on_backend::{OnBackend, on_backend};
use super::source::Knobs;
use super::{CliError, report};
use crate::config::{ConfigBuilder, Precision};

/// Prove that a device computes what the f64 reference does.
#[derive(Args)]
pub struct Verify {
    #[command(flatten)]
    knobs: Knobs,
    /// Fewer sizes: seconds instead of a minute
    #[arg(long)]
    quick: bool,
}

impl Verify {
    /// Runs the conformance suite and prints its table.
    pub fn run(self) -> Result<(), CliError> {
        let config = self.knobs.apply(ConfigBuilder::new()).build()?;
        let effort = if self.quick { Effort::Quick } else { Effort::Full };
        let report =
            on_backend(&config, report::tell(false), Suite { effort, precision: config.backend.precision })?;
        report::print(&format!("{report}\n"))?;
        if report.passed() {
            Ok(())
        } else {
            Err(CliError::failed("verify: the device does not compute what it should"))
        }
    }
}

struct Suite {
    effort: Effort,
    precision: Precision,
}

impl OnBackend for Suite {
    type Output = Report;

    fn run<B: Backend>(self, backend: &B) -> Result<Report, CliError> {
        let device = backend.device();
        report::print(&format!(
            "{} on {} ({}), {}\n",
            device.backend, device.device, device.driver, device.precision
        ))?;
        if self.precision == Precision::Tf32 && device.precision != "tf32" {
            return Err(CliError::failed(format!(
                "verify: --precision tf32 was not tested, since {} computes products in {}",
                device.backend, device.precision
            )));
        }
        Ok(conformance::run(backend, self.effort))
    }
}
