//! The library call: a run directory, trained.

use ff_backend::{Backend, DeviceInfo};
use toml::{Table, Value};

use super::trainer::Trainer;
use super::{Limits, TrainError};
use crate::config::Config;
use crate::data::Splits;
use crate::observers::{Figures, Observer, TensorBoard};
use crate::run::{RunDirectory, Summary};
use crate::spec;

/// How to train a run: by default from the start to the end, and nobody watches.
#[derive(Default)]
pub struct Options<'a> {
    /// Go on from the directory's last checkpoint.
    pub resume: bool,
    /// Go on even if the data are no longer those that the run was begun on.
    pub accept_changed_data: bool,
    /// Who watches, beside TensorBoard and figures, which the config asks for.
    pub observers: Vec<Box<dyn Observer + 'a>>,
    /// When to end early.
    pub limits: Limits<'a>,
}

/// Trains a network on `splits` and writes everything that a run writes into `directory`: config.toml, metrics.jsonl,
/// checkpoints, TensorBoard events, summary.json, evaluation.json, figures.
///
/// What the config leaves to the data and the device (`label = "auto"`, `backend.name = "auto"`, `threads = 0`) is
/// resolved first; config.toml says to what, so that it repeats the run bit for bit. Until the network is on the
/// device and, with `resume`, the checkpoint is read, the directory is left as it is. The summary on disk says how the
/// run went, whatever happens afterwards.
///
/// # Errors
/// A config that does not fit the data; a loss or weight that diverged; a device, a checkpoint, the run directory or
/// an observer that failed. Finished epochs stay on disk.
pub fn run<B: Backend>(
    backend: &B,
    config: &Config,
    splits: &Splits,
    directory: &RunDirectory,
    options: Options,
) -> Result<Summary, TrainError> {
    let Options { resume, accept_changed_data, mut observers, limits } = options;
    let device = backend.device();
    let mut config = config.clone();
    config.validate()?;
    spec::resolve(&mut config, &splits.shape())?;
    spec::make_absolute(&mut config);
    config.backend.name.clone_from(&device.backend);
    if device.backend == "cpu" {
        config.backend.threads = device.units;
    }
    let mut trainer = Trainer::new(backend, &config, splits, directory)?;
    if resume {
        for warning in trainer.resume(accept_changed_data)? {
            observers.iter_mut().for_each(|observer| observer.warned(&warning));
        }
    }
    directory.write_config(&config, &facts(device))?;
    if config.logging.tensorboard {
        observers.push(Box::new(TensorBoard::create(directory.path())?));
    }
    if config.logging.figures {
        observers.push(Box::new(Figures::new(directory.path())));
    }
    trainer.run(&mut observers, &limits)
}

/// Table `run` of config.toml: what ran it.
fn facts(device: DeviceInfo) -> Table {
    let commit = env!("FF_COMMIT");
    let commit = (!commit.is_empty()).then(|| ("commit".to_owned(), Value::String(commit.into())));
    let version = [("version".to_owned(), Value::String(env!("CARGO_PKG_VERSION").into()))];
    let device = [
        ("device".to_owned(), Value::String(device.device)),
        ("driver".to_owned(), Value::String(device.driver)),
        // Not always what was asked for.
        ("precision".to_owned(), Value::String(device.precision)),
        ("units".to_owned(), Value::Integer(device.units as i64)),
    ];
    Table::from_iter(version.into_iter().chain(commit).chain(device))
}
