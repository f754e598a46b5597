//! A configuration as TOML, and as a fingerprint.

use std::sync::LazyLock;

use sha2::{Digest, Sha256};
use toml::Table;

use super::knobs::{Config, KNOBS};
use super::names;
use crate::data::checksum::hex;

/// The built-in configuration as TOML.
pub(crate) fn defaults() -> &'static Table {
    static DEFAULTS: LazyLock<Table> = LazyLock::new(|| Config::default().to_table());
    &DEFAULTS
}

impl Config {
    /// Every knob, table by table, always in the same order. Read back as a file it gives the same
    /// configuration.
    pub fn to_toml(&self) -> String {
        self.to_table().to_string()
    }

    /// Fingerprint of everything that a run's numbers depend on, in hexadecimal digits: SHA-256 of its TOML
    /// without the knobs that change no number, such as the run directory or the number of threads.
    pub fn hash(&self) -> String {
        let mut table = self.to_table();
        let others = KNOBS.iter().filter(|knob| !knob.changes_numbers);
        others.for_each(|knob| names::remove(&mut table, knob.name));
        hex(&Sha256::digest(table.to_string()))
    }

    /// The same as a TOML table. Empty for a configuration that TOML cannot hold: one with a whole
    /// number of 2^63 or more, which [`Config::validate`] refuses.
    pub(crate) fn to_table(&self) -> Table {
        Table::try_from(self).unwrap_or_default()
    }
}
