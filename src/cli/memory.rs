//! Networks that do not fit the memory there is are refused before anything is written, with what would fit.

use ff_backend::DeviceInfo;

use super::CliError;
use super::limits::headroom;
use crate::config::{Config, Invalid, Origins};
use crate::data::Splits;
use crate::spec::Spec;

/// What a run holds at least, in bytes: a run that needs no more may still fail, one that is refused never fits.
#[derive(Clone, Copy, Debug)]
struct Needs {
    /// Weights and their moments.
    weights: f64,
    /// Activities of a training batch and of evaluation's rows.
    activities: f64,
    /// Images, once on the device, and the lists of an epoch.
    data: f64,
    /// What the host holds beside the device: images, and the largest tensor while it is written.
    host: f64,
}

impl Needs {
    fn new(spec: &Spec, splits: &Splits) -> Needs {
        let float = size_of::<f32>() as f64;
        let tensor = |fan_in: usize, units: usize| fan_in as f64 * units as f64 * float;
        let of_layers: Vec<f64> =
            spec.layers.iter().map(|layer| tensor(layer.fan_in(), layer.units)).collect();
        let units: f64 = spec.layers.iter().map(|layer| layer.units as f64).sum();
        // A row's activity and its gradient in every layer, for a pair each; once for each row of an evaluation.
        let rows = 4.0 * spec.batch_size as f64 + spec.evaluation_rows.min(splits.test.len()) as f64;
        let images = splits.train.pixels.len() + splits.held_out().pixels.len();
        let validation = splits.validation.as_ref().map_or(0, |split| split.pixels.len());
        // Rows, labels and wrong labels of an epoch, each a u32.
        let lists = 5 * size_of::<u32>() * splits.train.len();
        Needs {
            weights: of_layers.iter().sum::<f64>() * (1 + spec.optimizer.moments()) as f64,
            activities: rows * units * float,
            data: (images + lists) as f64,
            host: (splits.train.pixels.len() + splits.test.pixels.len() + validation + lists) as f64
                + of_layers.iter().copied().fold(0.0, f64::max),
        }
    }

    /// Of the device alone.
    fn device(&self) -> f64 {
        self.weights + self.activities + self.data
    }
}

/// Refuses a run that needs more than the device's memory, or than this process may have of the machine's: see
/// [`headroom`]. `origins` says who asked for it.
pub fn refuse_oversize(
    device: &DeviceInfo,
    config: &Config,
    origins: &Origins,
    splits: &Splits,
) -> Result<(), CliError> {
    let headroom = headroom();
    let on_host = !device.backend.starts_with("opencl");
    // The limit that a config breaks: what it needs there, what is there, what sets it.
    let broken = |config: &Config| -> Option<(Needs, f64, f64, &str)> {
        let needs = Needs::new(&Spec::new(config, splits.image, splits.classes), splits);
        // The images are in the host's memory already.
        let loaded = (splits.train.pixels.len() + splits.test.pixels.len()) as f64;
        let host = needs.host - loaded + if on_host { needs.device() } else { 0.0 };
        // 0: unknown.
        let of_device = (device.memory_bytes > 0).then_some(device.memory_bytes as f64);
        let of_device = of_device.map(|there| (needs.device(), there, device.device.as_str()));
        let of_host = headroom.as_ref().map(|room| (host, room.bytes as f64, room.limit.as_str()));
        let mut limits = of_device.into_iter().chain(of_host);
        let (needed, there, limit) = limits.find(|(needed, there, _)| needed > there)?;
        Some((needs, needed, there, limit))
    };
    let Some((needs, needed, there, limit)) = broken(config) else { return Ok(()) };
    let by_activities = needs.activities > needs.weights;
    let knob = match by_activities {
        true if config.evaluation.batch_size > 4 * config.training.batch_size => "evaluation.batch_size",
        true => "training.batch_size",
        false => "network.layer_sizes",
    };
    let sizes = &config.network.layer_sizes;
    let scaled = |thousandths: usize| {
        let mut config = config.clone();
        let scale = |&units: &usize| (units as u128 * thousandths as u128 / 1000).max(1) as usize;
        config.network.layer_sizes = sizes.iter().map(scale).collect();
        config
    };
    // Less always fits where more does.
    let (mut fits, mut does_not) = (0, 1000);
    while fits + 1 < does_not {
        let middle = (fits + does_not) / 2;
        if broken(&scaled(middle)).is_none() { fits = middle } else { does_not = middle }
    }
    let advice = match fits {
        0 => String::new(),
        fits => format!("; layers of {:?} would fit", scaled(fits).network.layer_sizes),
    };
    let reason = format!(
        "needs {} ({} of weights with their moments, {} of activities, {} of data); {limit}: {} left{advice}",
        told(needed),
        told(needs.weights),
        told(needs.activities),
        told(needs.data),
        told(there),
    );
    Err(origins.blame(&Invalid { knob, with: None, reason }).into())
}

fn told(bytes: f64) -> String {
    const MIB: f64 = (1 << 20) as f64;
    if bytes < 1024.0 * MIB {
        format!("{:.0} MiB", bytes / MIB)
    } else {
        format!("{:.1} GiB", bytes / MIB / 1024.0)
    }
}
