//! What the command line does with a backend, whichever it is.

use ff_backend::Backend;

use super::CliError;

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
