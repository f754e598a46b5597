//! Networks too large for their device are refused before anything is written.

use ff_backend::DeviceInfo;

use super::CliError;
use crate::config::{Config, Invalid, Origins};
use crate::data::Splits;
use crate::spec::Spec;

/// Refuses a network whose parameters and moments alone are more than the device's memory.
/// `origins` says who asked for it.
pub fn refuse_oversize(
    device: &DeviceInfo,
    config: &Config,
    origins: &Origins,
    splits: &Splits,
) -> Result<(), CliError> {
    const GIB: f64 = (1 << 30) as f64;
    let spec = Spec::new(config, splits.image, splits.classes);
    let parameters: f64 = spec.layers.iter().map(|layer| layer.fan_in() as f64 * layer.units as f64).sum();
    let copies = (1 + spec.optimizer.moments()) as f64;
    let (needed, there) = (parameters * copies * 4.0 / GIB, device.memory_bytes as f64 / GIB);
    // 0: unknown.
    if device.memory_bytes == 0 || needed < there {
        return Ok(());
    }
    let reason = format!(
        "is {parameters:.0} weights, which with their moments need {needed:.1} GiB; {} has {there:.1} GiB",
        device.device
    );
    Err(origins.blame(&Invalid { knob: "network.layer_sizes", with: None, reason }).into())
}
