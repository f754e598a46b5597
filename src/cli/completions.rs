//! `ff completions`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{CliError, report};

/// Print a completion script for a shell.
#[derive(Args)]
pub struct Completions {
    /// bash, elvish, fish, powershell or zsh
    shell: Shell,
}

impl Completions {
    /// Prints the script.
    pub fn run<C: CommandFactory>(self) -> Result<(), CliError> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut C::command(), "ff", &mut script);
        report::print(&String::from_utf8_lossy(&script))
    }
}
