//! `ff man`.

use std::path::PathBuf;

use clap::Args;

use super::CliError;

/// Write the manual pages: ff.1, ff-train.1 and so on.
#[derive(Args)]
pub struct Man {
    /// The folder for them, such as ~/.local/share/man/man1; made if it is not there
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl Man {
    /// Writes a page for the program and one for each command.
    pub fn run(self, command: clap::Command) -> Result<(), CliError> {
        let failed = |error| CliError::failed(format!("{}: {error}", self.folder.display()));
        std::fs::create_dir_all(&self.folder).map_err(failed)?;
        clap_mangen::generate_to(command, &self.folder).map_err(failed)
    }
}
