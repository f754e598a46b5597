//! `ff sweep --dry-run`: the cells, and what they will take.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use ff_backend::Backend;
use serde::Serialize;
use serde_json::{Map, Value};

use super::super::bench::best_product;
use super::super::on_backend::{OnBackend, on_backend};
use super::super::{CliError, report};
use super::outcome::{aligned, values};
use crate::config::{Cell, Config, Experiment, Invalid};
use crate::data::{DataShape, Dataset, Source, Split};
use crate::spec::{self, Estimate, Spec};
use crate::sweep::{self, CellStatus, SweepDirectory, read_rows};

/// A step is more than its products: optimizer, goodness, gathering, reading back.
const BESIDE_PRODUCTS: f64 = 1.5;
/// Seconds that an epoch takes beside its arithmetic: plans, evaluation, files.
const PER_EPOCH: f64 = 0.02;

#[derive(Serialize)]
struct Plan<'a> {
    name: &'a str,
    log_dir: &'a str,
    estimated_seconds: f64,
    cells: Vec<PlannedCell<'a>>,
}

#[derive(Serialize)]
struct PlannedCell<'a> {
    cell: usize,
    status: CellStatus,
    values: Map<String, Value>,
    parameters: usize,
    memory_bytes: f64,
    estimated_seconds: f64,
    run_dir: &'a str,
}

/// Prints the plan of cells that take `threads` threads each; writes nothing.
pub fn print(
    experiment: &Experiment,
    directory: &SweepDirectory,
    cells: &[&Cell],
    threads: usize,
    json: bool,
) -> Result<(), CliError> {
    let rows = read_rows(experiment, directory);
    let mut known: HashMap<(&str, &str), Data> = HashMap::new();
    let mut planned = Vec::new();
    let mut rate = None;
    for cell in cells {
        let config = &cell.config;
        let name = (config.data.dataset.as_str(), config.data.data_dir.as_str());
        let data = match known.entry(name) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(Data::of(config)?),
        };
        let shape = data.shape;
        let mut resolved = config.clone();
        data.check(&mut resolved).map_err(|invalid| experiment.blame(cell, &invalid))?;
        let spec = Spec::new(&resolved, shape.image, shape.classes);
        let estimate = Estimate::new(&spec, &shape, config.data.validation_size);
        let rate = match rate {
            Some(rate) => rate,
            None => *rate.insert(measure(config, threads)?),
        };
        let epochs = config.training.num_epochs as f64;
        planned.push(PlannedCell {
            cell: cell.index,
            status: rows.get(cell.index).map_or(CellStatus::Pending, |row| row.status),
            values: values(cell),
            parameters: estimate.parameters,
            memory_bytes: estimate.bytes(),
            estimated_seconds: BESIDE_PRODUCTS * estimate.flops / rate + PER_EPOCH * epochs,
            run_dir: &cell.name,
        });
    }
    let is_open = |cell: &&PlannedCell| {
        !matches!(cell.status, CellStatus::Done | CellStatus::Failed | CellStatus::Pruned)
    };
    // The sum of no floats is -0.
    let total = planned.iter().filter(is_open).fold(0.0, |total, cell| total + cell.estimated_seconds);
    if json {
        let (name, log_dir) = (&experiment.name, &experiment.log_dir);
        return report::print_json(&Plan { name, log_dir, estimated_seconds: total, cells: planned });
    }
    let keys = experiment.varying();
    let mut header = vec!["cell"];
    header.extend(&keys);
    header.extend(["parameters", "memory", "time", "status"]);
    let mut table: Vec<Vec<String>> = vec![header.into_iter().map(str::to_owned).collect()];
    for (cell, plan) in cells.iter().zip(&planned) {
        let mut row = vec![cell.index.to_string()];
        row.extend(keys.iter().map(|key| cell.value(key)));
        row.push(plan.parameters.to_string());
        row.push(megabytes(plan.memory_bytes));
        row.push(duration(plan.estimated_seconds));
        row.push(plan.status.word().into());
        table.push(row);
    }
    let halving = match experiment.halving {
        Some(_) => " if nothing were pruned",
        None => "",
    };
    report::print(&format!(
        "{}\n{}; about {} one after another{halving} (time and memory are estimates)\nrun directories in {}\n",
        aligned(&table),
        sweep::cells(cells.len()),
        duration(total),
        experiment.log_dir
    ))
}

/// What is known of a data set: of a published one its shape, of another its rows too.
struct Data {
    shape: DataShape,
    train: Option<Split>,
}

impl Data {
    /// A published data set is not read for it.
    fn of(config: &Config) -> Result<Data, CliError> {
        let source: Source = config.data.dataset.parse()?;
        if let Some(shape) = DataShape::published(&source) {
            return Ok(Data { shape, train: None });
        }
        let dataset = Dataset::load(&source, &config.data.data_dir, false)?;
        Ok(Data { shape: DataShape::of(&dataset), train: Some(dataset.train) })
    }

    /// Resolves what only the data decide; what the sweep would refuse is refused here too.
    fn check(&self, config: &mut Config) -> Result<(), Invalid> {
        spec::resolve(config, &self.shape)?;
        self.train.as_ref().map_or(Ok(()), |train| spec::check_held_out(config, train))
    }
}

/// Operations a second of the backend on products as large as the first cell's.
fn measure(config: &Config, threads: usize) -> Result<f64, CliError> {
    let mut config = config.clone();
    if config.backend.threads == 0 {
        config.backend.threads = threads;
    }
    let widest = config.network.layer_sizes.iter().copied().max().unwrap_or(1);
    let side = widest.clamp(16, 512);
    let rows = (2 * config.training.batch_size).clamp(16, 512);
    on_backend(&config, |_| (), Product((rows, side, side)))
}

struct Product((usize, usize, usize));

impl OnBackend for Product {
    type Output = f64;

    fn run<B: Backend>(self, backend: &B) -> Result<f64, CliError> {
        let (m, k, n) = self.0;
        let milliseconds = best_product(backend, self.0, 1.0, 3)?;
        Ok(2.0 * (m * k * n) as f64 / (milliseconds / 1e3).max(1e-9))
    }
}

fn megabytes(bytes: f64) -> String {
    format!("{:.0} MB", (bytes / 1e6).ceil())
}

fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 90.0 => format!("{s:.1} s"),
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}
