//! Networks that do not fit the memory there is are refused before anything is written, with what would fit.

use ff_backend::DeviceInfo;

use super::CliError;
use super::limits::headrooms;
use crate::config::{Config, Invalid, Origins};
use crate::data::Splits;
use crate::spec::{LayerSpec, Learning, Spec};

/// What a run holds, in bytes, as its buffers are made: see `training::Stepper`, `evaluation::Evaluator`,
/// `evaluation::ValidationLoss`. What a backend needs beside them for a moment is not counted: a run that needs no more
/// may still fail.
#[derive(Clone, Copy, Debug)]
struct Needs {
    /// Weights and their moments.
    weights: f64,
    /// Copies of the best weights, and of all weights with their moments, while they are written.
    copies: f64,
    /// Activities of a training batch and of a chunk of evaluation's rows.
    activities: f64,
    /// Room for the list of the activities that are on, which backend `cpu` makes of every batch.
    lists: f64,
    /// Images on a device that is not the host, and the draws of an epoch.
    data: f64,
    /// What the host holds beside the device: images, which a device that is the host shares, and the largest tensor
    /// while it is written.
    host: f64,
}

/// What is kept free beside a network that is said to fit: for threads, figures, the program's own code.
const SPARE: f64 = 128.0 * (1 << 20) as f64;

impl Needs {
    fn new(spec: &Spec, splits: &Splits, backend: &str) -> Needs {
        let float = size_of::<f32>() as f64;
        let tensor = |fan_in: usize, units: usize| fan_in as f64 * units as f64 * float;
        let of_layers: Vec<f64> =
            spec.layers.iter().map(|layer| tensor(layer.weights_per_unit(), layer.units)).collect();
        // Maps of activities, as large as the layers are wide.
        let maps = spec.layers.iter().filter(|_| spec.learning.is_mapped());
        let of_maps: Vec<f64> = maps.map(|layer| tensor(layer.units, layer.units)).collect();
        let held_out = splits.held_out().labels.len();
        let in_chunk = |rows: usize, chunk: usize| rows.min(chunk.max(1)) as f64;
        // Rows of images, and of activities with what is as large: of a training batch, and of the chunks that held-out
        // losses and predictions are measured in, one after the other.
        let (batch, kept) = (spec.batch_size as f64, spec.kept_of_units() as f64);
        let (trained, measured) = match spec.learning {
            Learning::Goodness => {
                let pairs = in_chunk(held_out, spec.evaluation_rows / 2);
                let neutral = if spec.head.is_some() { batch } else { 0.0 };
                ((batch, 2.0 * batch * kept + neutral), (pairs, 2.0 * pairs * kept))
            }
            // Slopes are as large as activities; of held-out rows, only similarities have some.
            Learning::Local { .. } | Learning::EndToEnd => {
                let rows = in_chunk(held_out, spec.evaluation_rows);
                // With a map also what it makes of the activities, and in training the slopes of that.
                let (matched, mapped) = (spec.learning.similarity() > 0.0, spec.learning.is_mapped());
                let (of_batch, of_rows) = match (matched, mapped) {
                    (false, _) => (2.0, 1.0),
                    (true, false) => (2.0, 2.0),
                    (true, true) => (4.0, 3.0),
                };
                ((batch, of_batch * batch), (rows, of_rows * rows))
            }
        };
        let tested = splits.validation.as_ref().map_or(0, |_| splits.test.len());
        let evaluated = in_chunk(held_out.max(tested), spec.evaluation_rows);
        // What goodness is measured by, if not by the activities, has slopes of their size.
        let of_units =
            |layer: &LayerSpec| layer.units as f64 * if layer.goodness.is_some() { 2.0 } else { 1.0 };
        let units: f64 = spec.layers.iter().map(of_units).sum();
        let first = spec.layers.first().map_or(0.0, |layer| (layer.features + layer.units) as f64);
        let listed: f64 = spec.layers.iter().map(|layer| layer.units as f64).sum();
        let entry = size_of::<u32>() as f64 + float;
        let of_rows = |(images, rows): (f64, f64)| rows * units + images * first;
        let chunk = [measured, (evaluated, evaluated * kept)];
        let chunk = chunk.into_iter().max_by(|a, b| of_rows(*a).total_cmp(&of_rows(*b))).unwrap_or(measured);
        let rows = trained.1 + chunk.1;
        let lists = if backend == "cpu" && spec.exact_shortcuts { rows * listed * entry } else { 0.0 };
        // What the places of a local layer see, side by side, of the most rows that are multiplied at once.
        let seen = spec.layers.iter().filter_map(|layer| layer.fields.as_ref());
        let seen = seen.map(|fields| fields.lists().len()).max().unwrap_or(0) as f64;
        let most = evaluated.max(2.0 * batch);

        // Turned images lie behind the others, which are put together in the host's memory.
        let both = if spec.flips { 2 * splits.train.pixels.len() } else { 0 };
        let images = match is_host(backend) {
            true => 0,
            false => both.max(splits.train.pixels.len()) + splits.held_out().pixels.len(),
        };
        let validation = splits.validation.as_ref().map_or(0, |split| split.pixels.len());
        // Rows, labels and wrong labels of an epoch, each a u32.
        let draws = 5 * size_of::<u32>() * splits.train.len();
        let (weights, moments) = (of_layers.iter().sum::<f64>(), spec.optimizer.moments() as f64);
        // Weights that training goes on from, their mean, and the mean before; those of the epoch before while they are written.
        let of_average = if spec.average_from > 0 { weights } else { 0.0 };
        // What places of local layers send back.
        let is_sent_back = |&(l, _): &(usize, &LayerSpec)| l > 0 && spec.learning == Learning::EndToEnd;
        let sent_back = spec.layers.iter().enumerate().filter(is_sent_back);
        let sent_back: usize =
            sent_back.filter_map(|(_, layer)| Some(layer.fields.as_ref()?.lists().len())).sum();
        let maps = of_maps.iter().sum::<f64>() * (1.0 + moments);
        Needs {
            weights: weights * (1.0 + moments) + maps,
            copies: weights * (2.0 + moments) + maps + of_average,
            activities: (of_rows(trained) + of_rows(chunk) + most * seen + batch * sent_back as f64) * float,
            lists,
            data: (images + draws) as f64,
            host: (splits.train.pixels.len() + splits.test.pixels.len() + validation + draws + both) as f64
                + 3.0 * of_average
                + of_layers.iter().chain(&of_maps).copied().fold(0.0, f64::max),
        }
    }

    /// Of the device alone, without copies.
    fn device(&self) -> f64 {
        self.weights + self.activities + self.lists + self.data
    }

    /// What is written to: half of the units are on at first, and of what is kept free for the others nothing is.
    fn touched(self) -> Needs {
        Needs { lists: self.lists / 2.0, ..self }
    }

    /// Of the host's memory, where the device may be the host itself.
    fn in_host(&self, backend: &str) -> f64 {
        self.host + if is_host(backend) { self.device() } else { 0.0 }
    }
}

/// Whether a backend's device is the host, whose images it shares.
fn is_host(backend: &str) -> bool {
    !backend.starts_with("opencl")
}

/// What a training of this size is reckoned to hold in the host's memory, in bytes: weights with their moments, activities,
/// lists, data and copies. The program itself is not counted.
pub fn reckoned_bytes(spec: &Spec, splits: &Splits, device: &DeviceInfo) -> u64 {
    Needs::new(spec, splits, &device.backend).touched().in_host(&device.backend) as u64
}

/// Refuses a run that needs more than the device's memory, or than this process may have of the machine's: see
/// [`headrooms`]. `origins` says who asked for it. Whether there is memory for copies of the network too, so that
/// training need not wait while they are written.
pub fn refuse_oversize(
    device: &DeviceInfo,
    config: &Config,
    origins: &Origins,
    splits: &Splits,
) -> Result<bool, CliError> {
    let headrooms = headrooms();
    // The limit that a config breaks if so much has to be left beside it: what it needs, what is there, what sets it.
    let broken = |config: &Config, spare: f64| -> Option<(Needs, f64, f64, &str)> {
        let needs = Needs::new(&Spec::new(config, splits.image, splits.classes), splits, &device.backend);
        let touched = needs.touched();
        // The images are in the host's memory already.
        let loaded = (splits.train.pixels.len() + splits.test.pixels.len()) as f64;
        let host = |needs: &Needs| needs.in_host(&device.backend) - loaded;
        // 0: unknown.
        let of_device = (device.memory_bytes > 0).then_some(device.memory_bytes as f64);
        let of_device = of_device.map(|there| (touched, touched.device(), there, device.device.as_str()));
        let of_host = headrooms.iter().map(|room| {
            let needs = if room.counts_untouched { needs } else { touched };
            (needs, host(&needs), room.bytes as f64, room.limit.as_str())
        });
        // The narrowest.
        let limits = of_device.into_iter().chain(of_host);
        limits
            .filter(|(_, needed, there, _)| needed + spare > *there)
            .max_by(|a, b| (a.1 - a.2).total_cmp(&(b.1 - b.2)))
    };
    let Some((needs, needed, there, limit)) = broken(config, 0.0) else {
        let copies =
            Needs::new(&Spec::new(config, splits.image, splits.classes), splits, &device.backend).copies;
        return Ok(broken(config, copies + SPARE).is_none());
    };
    let by_activities = needs.activities + needs.lists > needs.weights;
    let knob = match by_activities {
        true if config.evaluation.batch_size > 4 * config.training.batch_size => "evaluation.batch_size",
        true => "training.batch_size",
        false if config.network.layers.is_empty() => "network.layer_sizes",
        false => "network.layers",
    };
    let sizes = &config.network.layer_sizes;
    let scaled = |thousandths: usize| {
        let mut config = config.clone();
        let scale = |&units: &usize| (units as u128 * thousandths as u128 / 1000).max(1) as usize;
        config.network.layer_sizes = sizes.iter().map(scale).collect();
        config
    };
    // Less always fits where more does.
    let local = !config.network.layers.is_empty();
    let (mut fits, mut does_not) = (0, if local { 1 } else { 1000 });
    while fits + 1 < does_not {
        let middle = (fits + does_not) / 2;
        if broken(&scaled(middle), SPARE).is_none() { fits = middle } else { does_not = middle }
    }
    let advice = match fits {
        0 => String::new(),
        fits => format!("; layers of {:?} would fit", scaled(fits).network.layer_sizes),
    };
    let reason = format!(
        "needs {} ({} of weights with their moments, {} of activities, {} of data, {} of the host's copies); {limit}: {} left{advice}",
        told(needed),
        told(needs.weights),
        told(needs.activities + needs.lists),
        told(needs.data),
        told(needs.host),
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
