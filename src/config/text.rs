//! A configuration as TOML, and as a fingerprint.

use sha2::{Digest, Sha256};
use toml::Table;

use super::knobs::RECIPE;
use super::schema::Config;

impl Config {
    /// Every knob, table by table, always in the same order. Read back as a file it gives the same
    /// configuration.
    pub fn to_toml(&self) -> String {
        self.to_table().to_string()
    }

    /// Fingerprint of everything that a run's numbers depend on, in hexadecimal: where the run is
    /// written, where the data lie, which device and how many threads compute it, and what its
    /// recipe was called are left out.
    pub fn hash(&self) -> String {
        let mut table = self.to_table();
        table.remove(RECIPE);
        table.remove("logging");
        remove(&mut table, "data", "data_dir");
        remove(&mut table, "backend", "name");
        remove(&mut table, "backend", "threads");
        let digest = Sha256::digest(table.to_string());
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The same as a TOML table. Empty for a configuration that TOML cannot hold: one with a whole
    /// number of 2^63 or more, which [`Config::validate`] refuses.
    pub(crate) fn to_table(&self) -> Table {
        Table::try_from(self).unwrap_or_default()
    }
}

fn remove(config: &mut Table, table: &str, key: &str) {
    if let Some(table) = config.get_mut(table).and_then(|value| value.as_table_mut()) {
        table.remove(key);
    }
}
