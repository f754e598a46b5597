//! What is wrong with a request, and who asked for it.

use thiserror::Error;

use super::origin::{Origin, one_line};

/// A request that cannot be run. The first line of its text is the whole message; a code frame
/// follows where a file is to blame.
#[derive(Clone, Debug, Error)]
#[error("{origin}: {message}{}", origin.frame())]
pub struct ConfigError {
    origin: Origin,
    message: String,
}

impl ConfigError {
    pub(crate) fn new(origin: impl Into<Origin>, message: impl AsRef<str>) -> Self {
        ConfigError { origin: origin.into(), message: one_line(message.as_ref()) }
    }

    /// The same error, told of one cell of many.
    pub(crate) fn prefixed(mut self, title: &str) -> Self {
        self.message = format!("{}: {}", one_line(title), self.message);
        self
    }

    /// Who asked for it.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// What is wrong, without the origin.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl From<super::origin::Span> for Origin {
    fn from(span: super::origin::Span) -> Self {
        Origin::File(span)
    }
}

impl From<&Origin> for Origin {
    fn from(origin: &Origin) -> Self {
        origin.clone()
    }
}

/// A value that no run can have, whoever set it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{knob}` {reason}")]
pub struct Invalid {
    /// The knob at fault, by its dotted name.
    pub knob: &'static str,
    /// The knob it does not go with, if there is one: either may be the one to change.
    pub with: Option<&'static str>,
    /// The rest of the sentence that starts with the knob.
    pub reason: String,
}
