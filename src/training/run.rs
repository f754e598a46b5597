//! The library call: a run directory, trained.

use ff_backend::{Backend, DeviceInfo};
use toml::{Table, Value};

use super::trainer::Trainer;
use super::{Limits, TrainError};
use crate::config::Config;
use crate::data::Splits;
use crate::observers::{Figures, Observer, TensorBoard};
use crate::run::{RunDirectory, RunError, Summary};
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
    /// What people say of the run.
    pub about: About,
    /// Knobs that differ between the runs that this is one of.
    pub swept: Vec<String>,
    /// Draw no figures, and pictures in TensorBoard only where `logging.images_every` asks for them: drawing takes longer
    /// than the training of a small network, of which there may be hundreds. `figures::draw_run` draws them at any time.
    pub without_pictures: bool,
    /// Leave the test set unmeasured at the end, where held-out rows may choose another run.
    pub keeps_test_set: bool,
    /// There is memory for copies of the weights and of what the optimizer remembers, so that training need not wait
    /// while they are written. By default it waits.
    pub copies: bool,
}

/// What people say of a run; it stands in table `run` of config.toml.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// What to call it.
    pub name: Option<String>,
    /// What it is for.
    pub note: Option<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// The command line that started it.
    pub command: Option<String>,
}

impl About {
    /// What an earlier table says that this one does not.
    fn over(self, earlier: &Table) -> Self {
        let text = |key: &str| earlier.get(key).and_then(Value::as_str).map(str::to_owned);
        let tags = earlier.get("tags").and_then(Value::as_array).into_iter().flatten();
        let tags = tags.filter_map(|tag| tag.as_str().map(str::to_owned)).collect();
        About {
            name: self.name.or_else(|| text("name")),
            note: self.note.or_else(|| text("note")),
            tags: if self.tags.is_empty() { tags } else { self.tags },
            command: self.command,
        }
    }

    fn rows(self) -> impl Iterator<Item = (String, Value)> {
        let About { name, note, tags, command } = self;
        let tags: Vec<Value> = tags.into_iter().map(Value::String).collect();
        let texts = [("name", name), ("note", note), ("command", command)];
        let texts = texts.into_iter().filter_map(|(key, text)| Some((key.to_owned(), Value::String(text?))));
        texts.chain((!tags.is_empty()).then(|| ("tags".to_owned(), Value::Array(tags))))
    }
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
    let Options { resume, accept_changed_data, mut observers, limits, .. } = options;
    let Options { about, keeps_test_set, swept, without_pictures, copies, .. } = options;
    let device = backend.device();
    let mut config = config.clone();
    config.validate()?;
    spec::resolve(&mut config, &splits.shape())?;
    spec::make_absolute(&mut config);
    config.backend.name.clone_from(&device.backend);
    if device.backend == "cpu" {
        config.backend.threads = device.units;
    }
    let mut trainer = Trainer::new(backend, &config, splits, directory, copies)?;
    if resume {
        for warning in trainer.resume(accept_changed_data)? {
            observers.iter_mut().for_each(|observer| observer.warned(&warning));
        }
    }
    // A run that goes on keeps what was said of it.
    let about = if resume { about.over(&directory.read_facts()) } else { about };
    let mut facts = facts(device);
    facts.extend(about.rows());
    directory.write_config(&config, &facts)?;
    if config.logging.tensorboard {
        observers.push(Box::new(TensorBoard::create(directory.path(), &swept, !without_pictures)?));
    }
    if config.logging.figures && !without_pictures {
        observers.push(Box::new(Figures::new(directory.path())));
    }
    let ended = trainer.run(&mut observers, &limits, keeps_test_set);
    ended.map_err(|error| match directory.confirm() {
        // A file may be missing because the directory was moved a moment ago.
        Err(lost @ RunError::Lost { .. }) => lost.into(),
        _ => error,
    })
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
