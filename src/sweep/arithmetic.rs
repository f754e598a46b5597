//! What computes a cell: results of different arithmetic do not belong in one table.

use std::fmt;
use std::path::Path;

use ff_backend::DeviceInfo;
use toml::Table;

use crate::run::{RunDirectory, Summary};

/// What the last digits of a result depend on beside its config. The number of threads is not among it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arithmetic {
    /// `cpu` or `opencl:P.D`.
    pub backend: String,
    /// The device's own name; empty where unknown.
    pub device: String,
    /// `fp32` or `tf32`; empty where unknown.
    pub precision: String,
}

impl Arithmetic {
    /// That of a device.
    pub fn of(device: &DeviceInfo) -> Self {
        let DeviceInfo { backend, device, precision, .. } = device.clone();
        Arithmetic { backend, device, precision }
    }

    /// That of the cell in a run directory, if some of its epochs are done or on their way.
    pub fn of_cell(path: &Path) -> Option<Self> {
        // What cannot be read is told when the cell's turn comes.
        if let Ok(Some(summary)) = RunDirectory::read_summary(path) {
            let Summary { backend, device, precision, epochs, .. } = summary;
            return (epochs > 0).then_some(Arithmetic { backend, device, precision });
        }
        if !RunDirectory::is_begun(path) {
            return None;
        }
        let config: Table = std::fs::read_to_string(path.join("config.toml")).ok()?.parse().ok()?;
        let text = |table: &str, key: &str| Some(config.get(table)?.get(key)?.as_str()?.to_owned());
        Some(Arithmetic {
            backend: text("backend", "name")?,
            device: text("run", "device").unwrap_or_default(),
            precision: text("run", "precision").unwrap_or_default(),
        })
    }

    /// Whether both give the same numbers: two GPUs of one kind do, any two CPUs do.
    pub fn agrees(&self, other: &Arithmetic) -> bool {
        let alike = |a: &str, b: &str| a.is_empty() || b.is_empty() || a == b;
        self.agrees_with_name(&other.backend)
            && alike(&self.precision, &other.precision)
            && (self.backend == "cpu" || alike(&self.device, &other.device))
    }

    /// Whether a backend that is known by name only may give the same numbers.
    pub fn agrees_with_name(&self, backend: &str) -> bool {
        backend == "auto" || kind(backend) == kind(&self.backend)
    }
}

fn kind(backend: &str) -> &str {
    backend.split(':').next().unwrap_or(backend)
}

impl fmt::Display for Arithmetic {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.backend)?;
        if self.backend != "cpu" && !self.device.is_empty() {
            write!(f, " ({}, {})", self.device, self.precision)?;
        }
        Ok(())
    }
}
