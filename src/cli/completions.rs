//! `ff completions`.

use clap::Args;
use clap_complete::Shell;

use super::{CliError, report};

/// Print a completion script for a shell.
#[derive(Args)]
pub struct Completions {
    /// bash, elvish, fish, powershell or zsh
    shell: Shell,
}

impl Completions {
    /// Prints the script for a command line.
    pub fn run(self, command: &mut clap::Command) -> Result<(), CliError> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, command, "ff", &mut script);
        report::print(&String::from_utf8_lossy(&script))
    }
}
