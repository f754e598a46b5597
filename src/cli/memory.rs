//! Runs too large for their device are refused before anything is written.

use ff_backend::DeviceInfo;

use super::CliError;
use crate::config::{Config, Invalid, Origins};
use crate::data::Splits;
use crate::spec::{Estimate, Spec};

const GIB: f64 = (1 << 30) as f64;

/// Refuses a run whose weights, moments, activities and images are more than the device's memory; where that is the
/// host's, its copies of a layer count too. `origins` says who asked for it.
pub fn refuse_oversize(
    device: &DeviceInfo,
    config: &Config,
    origins: &Origins,
    splits: &Splits,
) -> Result<(), CliError> {
    let spec = Spec::new(config, splits.image, splits.classes);
    let estimate = Estimate::new(&spec, &splits.shape(), config.data.validation_size);
    let is_host = !device.backend.starts_with("opencl");
    let needed = estimate.bytes() + if is_host { estimate.host_bytes } else { 0.0 };
    // 0: unknown.
    if device.memory_bytes == 0 || needed < device.memory_bytes as f64 {
        return Ok(());
    }
    let rest = format!(
        "with activities and images a run needs {:.1} GiB; {} has {:.1} GiB",
        needed / GIB,
        device.device,
        device.memory_bytes as f64 / GIB
    );
    let invalid = if estimate.weight_bytes >= estimate.activity_bytes {
        let parameters = estimate.parameters;
        let reason =
            format!("is {parameters} weights, with their moments {}; {rest}", gib(estimate.weight_bytes));
        Invalid { knob: "network.layer_sizes", with: None, reason }
    } else {
        let evaluated = spec.evaluation_rows.min(splits.test.len().max(splits.held_out().len()));
        let is_training = spec.batch_size.saturating_mul(2) >= evaluated;
        let knob = if is_training { "training.batch_size" } else { "evaluation.batch_size" };
        let rows = if is_training { spec.batch_size } else { spec.evaluation_rows };
        let reason = format!("is {rows}, whose activities are {}; {rest}", gib(estimate.activity_bytes));
        Invalid { knob, with: Some("network.layer_sizes"), reason }
    };
    Err(origins.blame(&invalid).into())
}

fn gib(bytes: f64) -> String {
    format!("{:.1} GiB", bytes / GIB)
}
