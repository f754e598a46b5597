//! `ff devices`.

use clap::Args;
use ff_backend::{Backend, DeviceInfo};
use ff_backend_cpu::Cpu;
use serde::Serialize;

use super::{CliError, opencl, report};

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
    why: String,
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
        let mut devices = vec![Listed::from(Cpu::<f32>::new(0)?.device())];
        let mut notes = Vec::new();
        match opencl::list() {
            Ok(found) => devices.extend(found.into_iter().map(Listed::from)),
            Err(reason) => notes.push(reason.to_string()),
        }
        notes.extend(opencl::failures());
        let gpu = opencl::gpu().map(|device| opencl::selector(&device));
        let (auto, why) = match gpu {
            Some(name) => (name, "it is an OpenCL GPU".to_owned()),
            None => ("cpu".to_owned(), "there is no OpenCL GPU".to_owned()),
        };
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
