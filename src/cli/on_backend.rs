//! What the command line does with a backend, whichever it is.

use ff_backend::Backend;

use super::CliError;
pub use crate::backends::Remark;
use crate::backends::{self, Settings};
use crate::config::{Config, Precision};

/// Work that any backend can do.
pub trait OnBackend {
    /// What it gives.
    type Output;
    /// Does it.
    fn run<B: Backend>(self, backend: &B) -> Result<Self::Output, CliError>;
}

/// Makes the backend that a config asks for and hands it to `work`; `say` hears what there is to tell of it.
pub fn on_backend<W: OnBackend>(
    config: &Config,
    say: impl Fn(Remark),
    work: W,
) -> Result<W::Output, CliError> {
    let settings = Settings {
        name: config.backend.name.clone(),
        threads: config.backend.threads,
        tf32: config.backend.precision == Precision::Tf32,
        exact_shortcuts: config.training.exact_shortcuts,
    };
    backends::on_backend(&settings, say, Told(work))?
}

/// Work of the command line, as the table of backends knows it.
struct Told<W>(W);

impl<W: OnBackend> backends::OnBackend for Told<W> {
    type Output = Result<W::Output, CliError>;
    fn run<B: Backend>(self, backend: &B) -> Self::Output {
        self.0.run(backend)
    }
}
