//! `ff devices`.

use clap::Args;
use ff_backend::DeviceInfo;
use serde::Serialize;

use super::{CliError, report};
use crate::backends;

/// List the devices there are and which one `auto` takes.
#[derive(Args)]
pub struct Devices {
    /// One JSON object on stdout
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Listing {
    devices: Vec<Listed>,
    auto: String,
    why: &'static str,
    notes: Vec<String>,
}

#[derive(Serialize)]
struct Listed {
    backend: String,
    device: String,
    driver: String,
    units: usize,
    memory_bytes: u64,
}

impl From<DeviceInfo> for Listed {
    fn from(info: DeviceInfo) -> Self {
        let DeviceInfo { backend, device, driver, units, memory_bytes, .. } = info;
        Listed { backend, device, driver, units, memory_bytes }
    }
}

impl Devices {
    /// Lists.
    pub fn run(self) -> Result<(), CliError> {
        let (mut devices, mut notes) = (Vec::new(), Vec::new());
        for row in backends::TABLE {
            let found = row.devices();
            devices.extend(found.devices.into_iter().map(Listed::from));
            notes.extend(found.failures);
        }
        let (auto, why) = backends::auto();
        let listing = Listing { devices, auto, why, notes };
        if self.json {
            return report::print_json(&listing);
        }
        let mut text = String::new();
        for device in &listing.devices {
            let gib = device.memory_bytes as f64 / f64::from(1 << 30);
            text += &format!(
                "{:12} {}, {} units, {gib:.1} GiB\n{:12} {}\n",
                device.backend, device.device, device.units, "", device.driver
            );
        }
        for note in &listing.notes {
            text += &format!("{note}\n");
        }
        report::print(&format!("{text}auto takes {}: {}\n", listing.auto, listing.why))
    }
}
