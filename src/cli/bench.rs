//! `ff bench`: a training step beside the floor of the device it runs on.

use std::time::Instant;

use clap::Args;
use ff_backend::{Backend, Result, host};
use serde::Serialize;
use toml::Value;

use super::limits::peak_bytes;
use super::memory::{reckoned_bytes, refuse_oversize};
use super::on_backend::{OnBackend, on_backend};
use super::source::{Knobs, flag, value};
use super::train::text_flag;
use super::{CliError, report};
use crate::backends;
use crate::batching::EpochPlan;
use crate::config::{Config, ConfigBuilder, Invalid, NegativeKind, Origins, Resolved};
use crate::data::{Dataset, ImageShape, Split, Splits};
use crate::evaluation::Evaluator;
use crate::network::Network;
use crate::spec::Spec;
use crate::training::Stepper;

/// Time a training step beside the floor of the device: its products alone, and its optimizer's memory
/// traffic alone.
#[derive(Args)]
pub struct Bench {
    /// Units of each hidden layer [default: 2000 2000 2000 2000]
    #[arg(value_name = "LAYER_SIZES", allow_negative_numbers = true)]
    layer_sizes: Vec<String>,
    /// Positive rows of a batch
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    batch_size: Option<String>,
    /// Timed steps
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    steps: u32,
    /// Train on real data for this many epochs first: rows that need no work are then left out as in a real run
    #[arg(long, value_name = "N", default_value_t = 0)]
    warm_up_epochs: usize,
    /// Data of the warm-up and the steps [default: random images, 28×28 with 10 classes]
    #[arg(long, value_name = "NAME")]
    dataset: Option<String>,
    /// Folder of IDX files
    #[arg(long, value_name = "DIR")]
    data_dir: Option<String>,
    /// Measure ways to cut the kernels to the OpenCL device first, and remember the fastest
    #[arg(long)]
    tune: bool,
    #[command(flatten)]
    knobs: Knobs,
    /// One JSON object on stdout
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Milliseconds {
    min: f64,
    median: f64,
    max: f64,
}

#[derive(Serialize)]
struct Floor {
    products: f64,
    optimizer: f64,
}

#[derive(Serialize)]
struct Timing {
    backend: String,
    device: String,
    precision: String,
    recipe: String,
    layer_sizes: Vec<usize>,
    batch_size: usize,
    steps: usize,
    milliseconds_per_step: Milliseconds,
    floor_milliseconds: Floor,
    /// Share of units that are on, of the images and of each layer, in the last step.
    density: Vec<f64>,
    /// The same floor with products of that density: a backend that leaves zeros out can reach it.
    sparse_floor_milliseconds: Floor,
    gflops: f64,
    evaluation_images_per_second: f64,
    memory_bytes: Memory,
}

#[derive(Serialize)]
struct Memory {
    /// The most that training and evaluation had in use, the program with it; null where the system does not tell.
    peak: Option<u64>,
    /// What training is reckoned to hold, the program not counted.
    reckoned: u64,
}

impl Bench {
    /// Measures and reports.
    pub fn run(self) -> std::result::Result<(), CliError> {
        super::hints::refuse_habits(&self.layer_sizes)?;
        let mut builder = self.knobs.apply(ConfigBuilder::new());
        if !self.layer_sizes.is_empty() {
            let sizes = self.layer_sizes.iter().map(|size| value(size)).collect();
            builder = builder.flag("LAYER_SIZES", "network.layer_sizes", Value::Array(sizes));
        }
        builder = flag(builder, "--batch-size", "training.batch_size", &self.batch_size);
        builder = text_flag(builder, "--dataset", "data.dataset", self.dataset.as_deref());
        builder = text_flag(builder, "--data-dir", "data.data_dir", self.data_dir.as_deref());
        let mut resolved = builder.resolve()?;
        let dataset = match (&self.dataset, self.warm_up_epochs) {
            (None, 0) => random_images(resolved.config.training.batch_size)
                .map_err(|invalid| resolved.origins.blame(&invalid))?,
            _ => super::source::load(&resolved.config, !self.json)?,
        };
        super::source::resolve_on(&mut resolved, &dataset)?;
        let Resolved { config, origins } = resolved;
        if config.training.negatives == NegativeKind::Hybrid && !self.json {
            report::say("unsupervised: hybrids instead of labels");
        }
        let splits = Splits::new(dataset, 0, config.training.seed)?;
        if self.tune {
            let tuned = backends::tune(&config.backend.name)?;
            if !self.json {
                report::say(&tuned);
            }
        }
        let work = Measure {
            config: &config,
            origins: &origins,
            splits: &splits,
            steps: self.steps as usize,
            warm_up: self.warm_up_epochs,
        };
        let timing = on_backend(&config, report::tell(self.json), work)?;
        if self.json { report::print_json(&timing) } else { report::print(&described(&timing)) }
    }
}

fn described(timing: &Timing) -> String {
    let Milliseconds { min, median, max } = timing.milliseconds_per_step;
    let Floor { products, optimizer } = timing.floor_milliseconds;
    let sparse = &timing.sparse_floor_milliseconds;
    let density: Vec<String> = timing.density.iter().map(|share| format!("{share:.3}")).collect();
    format!(
        "{} {:?}, batch {}+{} on {} ({}, {})\nstep      {median:.3} ms (median of {}; {min:.3} to {max:.3}), {:.0} GFLOP/s of dense work\n\
         floor     {:.3} ms: products {products:.3}, optimizer's memory traffic {optimizer:.3}\n\
         ratio     {:.2}\n\
         density   {} (images, then layers)\n\
         sparse    {:.3} ms: products of that density {:.3}, optimizer's memory traffic {:.3}\n\
         evaluate  {:.0} images/s\n\
         memory    {} at most; {:.0} MB reckoned for training\n",
        timing.recipe,
        timing.layer_sizes,
        timing.batch_size,
        timing.batch_size,
        timing.device,
        timing.backend,
        timing.precision,
        timing.steps,
        timing.gflops,
        products + optimizer,
        median / (products + optimizer),
        density.join(" "),
        sparse.products + sparse.optimizer,
        sparse.products,
        sparse.optimizer,
        timing.evaluation_images_per_second,
        timing.memory_bytes.peak.map_or("unknown".into(), |peak| format!("{:.0} MB", peak as f64 / 1e6)),
        timing.memory_bytes.reckoned as f64 / 1e6,
    )
}

/// Batches of random images.
const BATCHES: usize = 8;

/// Noise of MNIST's shape: time does not depend on what the images show, save for rows that need no work.
fn random_images(batch_size: usize) -> std::result::Result<Dataset, Invalid> {
    let image = ImageShape::gray(28, 28);
    let rows = BATCHES.saturating_mul(batch_size);
    let (needed, there) = (rows.saturating_mul(image.pixels()) as u64, host::memory_bytes());
    // 0: unknown.
    if there > 0 && needed >= there {
        let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
        let (needed, there) = (gib(needed), gib(there));
        let reason = format!(
            "is {batch_size}: {BATCHES} batches of images need {needed:.0} GiB, this machine has {there:.0} GiB"
        );
        return Err(Invalid { knob: "training.batch_size", with: None, reason });
    }
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 24
    };
    let split = |rows: usize, next: &mut dyn FnMut() -> u32| {
        let noise: Vec<u8> = (0..rows * image.pixels()).map(|_| next() as u8).collect();
        // Blank under the label, as MNIST is.
        let blank = |(at, pixel): (usize, u8)| if at % image.pixels() < 28 { 0 } else { pixel };
        Split {
            pixels: noise.into_iter().enumerate().map(blank).collect::<Vec<_>>().into(),
            labels: (0..rows).map(|row| row as u32 % 10).collect(),
        }
    };
    Ok(Dataset {
        name: "random".into(),
        image,
        classes: 10,
        class_names: Vec::new(),
        train: split(rows, &mut next),
        test: split(1000, &mut next),
    })
}

struct Measure<'a> {
    config: &'a Config,
    origins: &'a Origins,
    splits: &'a Splits,
    steps: usize,
    warm_up: usize,
}

impl OnBackend for Measure<'_> {
    type Output = Timing;

    fn run<B: Backend>(self, backend: &B) -> std::result::Result<Timing, CliError> {
        let Measure { config, origins, splits, steps, warm_up } = self;
        refuse_oversize(&backend.device(), config, origins, splits)?;
        let spec = Spec::new(config, splits.image, splits.classes);
        let mut network = Network::new(backend, spec)?;
        let (mut times, density) = time_steps(backend, &mut network, splits, steps, warm_up)?;
        times.sort_by(f64::total_cmp);
        let median = f64::midpoint(times[(times.len() - 1) / 2], times[times.len() / 2]);

        let spec = &network.spec;
        let mut evaluator = Evaluator::new(backend, &network, &splits.test.pixels, spec.evaluation_rows)?;
        evaluator.predict(backend, &network, spec.predict)?;
        let began = Instant::now();
        evaluator.predict(backend, &network, spec.predict)?;
        let images_per_second = splits.test.len() as f64 / began.elapsed().as_secs_f64();

        // Before the floor is measured, which has buffers of its own.
        let memory = Memory { peak: peak_bytes(), reckoned: reckoned_bytes(spec, splits, &backend.device()) };
        let dense = vec![1.0; density.len()];
        let (floor, sparse_floor) = (floor(backend, spec, &dense)?, floor(backend, spec, &density)?);
        let device = backend.device();
        Ok(Timing {
            backend: device.backend,
            device: device.device,
            precision: device.precision,
            recipe: config.recipe.clone(),
            layer_sizes: config.network.layer_sizes.clone(),
            batch_size: config.training.batch_size,
            steps,
            gflops: dense_flops(spec) / median / 1e6,
            milliseconds_per_step: Milliseconds {
                min: times.first().copied().unwrap_or(0.0),
                median,
                max: times.last().copied().unwrap_or(0.0),
            },
            floor_milliseconds: floor,
            density,
            sparse_floor_milliseconds: sparse_floor,
            evaluation_images_per_second: images_per_second,
            memory_bytes: memory,
        })
    }
}

/// Milliseconds of each step, and the density of images and layers in the last one. Steps are timed a few at a time
/// where one is too short to time.
fn time_steps<B: Backend>(
    backend: &B,
    network: &mut Network<B>,
    splits: &Splits,
    steps: usize,
    warm_up: usize,
) -> Result<(Vec<f64>, Vec<f64>)> {
    let (spec, labels) = (network.spec.clone(), &splits.train.labels);
    let images = backend.images(&splits.train.pixels, splits.image.height, splits.image.columns())?;
    let mut stepper = Stepper::new(backend, &spec)?;
    let mut plan = EpochPlan::new(backend, &stepper.plan(labels, 1), spec.batch_size)?;
    let mut count = 0;
    let mut step = |stepper: &mut Stepper<B>, plan: &EpochPlan<B>, index: usize, epoch: usize| {
        let rules = (spec.layer_rule(epoch, count), spec.head_rule(epoch, count));
        count += 1;
        stepper.step(backend, network, &images, &plan.batch(index), rules.0, rules.1)
    };
    for epoch in 1..=warm_up {
        plan.upload(backend, &stepper.plan(labels, epoch))?;
        (0..plan.batches).try_for_each(|index| step(&mut stepper, &plan, index, epoch))?;
    }
    let epoch = warm_up + 1;
    plan.upload(backend, &stepper.plan(labels, epoch))?;
    for index in 0..3 {
        step(&mut stepper, &plan, index % plan.batches, epoch)?;
    }
    backend.synchronize()?;
    let began = Instant::now();
    step(&mut stepper, &plan, 3 % plan.batches, epoch)?;
    backend.synchronize()?;
    // Groups of about 5 ms: waiting for a device after every step would be part of the time.
    let group = ((0.005 / began.elapsed().as_secs_f64()) as usize).clamp(1, 50);
    let mut times = Vec::with_capacity(steps);
    for first in 0..steps {
        let began = Instant::now();
        for k in 0..group {
            step(&mut stepper, &plan, (first * group + k) % plan.batches, epoch)?;
        }
        backend.synchronize()?;
        times.push(began.elapsed().as_secs_f64() * 1e3 / group as f64);
    }
    let pixels = &splits.train.pixels;
    let inked = pixels.iter().filter(|pixel| **pixel > 0).count() as f64 / pixels.len().max(1) as f64;
    // Of an image minus its mean hardly a pixel is 0.
    let mut density = vec![if spec.center_images { 1.0 } else { inked }];
    density.extend(stepper.active_fractions(backend)?);
    Ok((times, density))
}

/// Floating-point operations of a step that takes no shortcut: forward and gradient products of all passes.
fn dense_flops(spec: &Spec) -> f64 {
    let weights: usize = spec.layers.iter().map(|layer| layer.weights_per_unit() * layer.units).sum();
    let (forward, back) = spec.rows_of_a_step();
    2.0 * (forward + back) as f64 * weights as f64
}

/// Best times of the products alone, with inputs of these densities, and of a copy of as many bytes as the optimizer
/// moves.
fn floor<B: Backend>(backend: &B, spec: &Spec, density: &[f64]) -> Result<Floor> {
    const TRIES: usize = 5;
    let (rows_forward, rows_back) = spec.rows_of_a_step();
    let mut products = 0.0;
    let mut bytes = 0.0;
    // Adam reads and writes weights and two moments, the momentum rule weights and velocity.
    let words = (2 * (1 + spec.optimizer.moments())) as f64;
    let density = |at: usize| density.get(at).copied().unwrap_or(1.0);
    let weights = spec.layers.iter().enumerate().flat_map(|(l, layer)| {
        let above = layer.above.as_ref().map(|above| (above.fan_in(), layer.units, density(l + 2)));
        [(layer.fan_in(), layer.units, density(l))].into_iter().chain(above)
    });
    for (fan_in, width, density) in weights {
        bytes += words * (spec.updates() * fan_in * width * size_of::<B::Real>()) as f64;
        let forward = best_product(backend, (rows_forward, fan_in, width), density, TRIES)?;
        let gradient = best_product(backend, (fan_in, rows_back, width), density, TRIES)?;
        // A gradient is as much work as a forward pass of as many rows, and no slower: it is not written down.
        let alike = forward * rows_back as f64 / rows_forward as f64;
        products += forward + gradient.min(alike);
    }
    let side = 2048;
    let source = backend.weight(side, side)?;
    let mut target = backend.weight(side, side)?;
    let moved = (2 * side * side * size_of::<B::Real>()) as f64;
    let copy = best_of(TRIES, || {
        for _ in 0..8 {
            backend.copy(&source, &mut target)?;
        }
        backend.synchronize()
    })? / 8.0;
    Ok(Floor { products, optimizer: copy * bytes / moved })
}

/// Milliseconds of an `m × k` by `k × n` product at its best, where this share of the left operand is not 0.
pub(super) fn best_product<B: Backend>(
    backend: &B,
    (m, k, n): (usize, usize, usize),
    density: f64,
    tries: usize,
) -> Result<f64> {
    let mut left = backend.zeros(m, k)?;
    let mut right = backend.weight(k, n)?;
    let mut out = backend.zeros(m, n)?;
    // Zeros may run faster than numbers do.
    let noise: Vec<f32> = (0..m.max(n) * k).map(|i| ((i * 7919) % 1013) as f32 / 1013.0 - 0.5).collect();
    let on = |i: usize| ((i as u32).wrapping_mul(2_654_435_769) >> 8) as f64 <= density * f64::from(1 << 24);
    let sparse: Vec<f32> = (0..m * k).map(|i| if on(i) { noise[i] } else { 0.0 }).collect();
    crate::network::upload(backend, &mut left, &sparse)?;
    crate::network::upload(backend, &mut right, &noise[..k * n])?;
    best_of(tries, || {
        backend.product(&left, &right, 0, &mut out)?;
        backend.synchronize()
    })
}

fn best_of(tries: usize, mut work: impl FnMut() -> Result<()>) -> Result<f64> {
    work()?;
    let mut best = f64::INFINITY;
    for _ in 0..tries {
        let began = Instant::now();
        work()?;
        best = best.min(began.elapsed().as_secs_f64() * 1e3);
    }
    Ok(best)
}
