//! Trains the cells of a sweep as `ff train` trains a run.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use ff_backend::{Backend, DeviceInfo};

use super::super::CliError;
use super::super::memory::refuse_oversize;
use super::super::on_backend::{OnBackend, Remark, on_backend};
use super::super::signals;
use super::super::source::command_line;
use super::dataset_cache::DatasetCache;
use super::display::Display;
use crate::checkpoint::read_newest;
use crate::config::{BackendConfig, Cell, Config, ConfigBuilder, Experiment, Origins};
use crate::data::Splits;
use crate::files::is_there;
use crate::observers::Observer;
use crate::run::{RunDirectory, Summary};
use crate::sweep::{Arithmetic, CellError, Task, Work};
use crate::training::{self, About, Limits, Options};

/// What all cells of a process share.
pub struct CellTrainer<'a> {
    experiment: &'a Experiment,
    threads: usize,
    stop: Arc<AtomicBool>,
    display: Display,
    datasets: DatasetCache,
    restart: bool,
}

impl<'a> CellTrainer<'a> {
    /// A trainer whose cells take `threads` threads each unless their own knob says how many.
    pub fn new(experiment: &'a Experiment, threads: usize, stop: Arc<AtomicBool>, display: Display) -> Self {
        CellTrainer { experiment, threads, stop, display, datasets: DatasetCache::default(), restart: false }
    }

    /// The same, where cells whose checkpoint cannot be resumed may start again.
    pub fn restart(self, restart: bool) -> Self {
        CellTrainer { restart, ..self }
    }

    /// Loads the data of cells, checks the cells against them, and makes sure that their backends are there
    /// and are those that cells were trained on before.
    pub fn prepare(&self, cells: &[&Cell], before: &[(&Cell, Arithmetic)]) -> Result<(), CliError> {
        let say = |remark: Remark| self.display.of_backend(&remark);
        let mut known: Vec<(BackendConfig, Arithmetic)> = Vec::new();
        let mut found = |config: Config| match known.iter().find(|(other, _)| *other == config.backend) {
            Some((_, arithmetic)) => Ok::<_, CliError>(arithmetic.clone()),
            None => {
                let arithmetic = Arithmetic::of(&on_backend(&config, say, Look)?);
                known.push((config.backend, arithmetic.clone()));
                Ok(arithmetic)
            }
        };
        for cell in cells {
            let mut config = self.config(cell);
            self.resolve(cell, &mut config, !self.display.is_quiet())?;
            found(config)?;
        }
        for (cell, earlier) in before {
            let now = found(self.config(cell))?;
            if !now.agrees(earlier) {
                return Err(foreign(self.experiment, cell, earlier, &now.to_string()));
            }
        }
        Ok(())
    }

    /// Resolves what only the data decide. An error names the cell if it is the cell's own doing.
    fn resolve(&self, cell: &Cell, config: &mut Config, progress: bool) -> Result<(), CliError> {
        let data = self.datasets.loaded(config, progress).map_err(|error| {
            let owner = ["data.dataset", "data.data_dir"].iter().find_map(|k| self.experiment.owner(cell, k));
            match owner {
                Some(title) => CliError::request(format!("{title}: {error}")),
                None => error,
            }
        })?;
        data.resolve(config).map_err(|invalid| self.experiment.blame(cell, &invalid).into())
    }

    fn config(&self, cell: &Cell) -> Config {
        let mut config = cell.config.clone();
        if config.backend.threads == 0 {
            config.backend.threads = self.threads;
        }
        config
    }

    fn train_cell(&self, task: &Task) -> Result<Summary, CliError> {
        match self.attempt(task) {
            // A checkpoint, say, that cannot be read.
            Err(CliError::Request(reason)) if task.resume && self.restart => {
                let reason = first_line(&reason);
                self.display.remark(task.cell, &format!("begins anew, since it cannot go on: {reason}"));
                task.directory.clear()?;
                self.attempt(&Task { resume: false, ..*task })
            }
            result => result,
        }
    }

    fn observers<'b>(&'b self, cell: &'b Cell) -> Vec<Box<dyn Observer + 'b>> {
        let mut observers: Vec<Box<dyn Observer + 'b>> =
            vec![Box::new(Warnings { display: &self.display, cell }), Box::new(signals::Rearm)];
        observers.extend(
            self.display.observers(cell).into_iter().map(|observer| observer as Box<dyn Observer + 'b>),
        );
        observers
    }

    fn attempt(&self, task: &Task) -> Result<Summary, CliError> {
        let mut config = self.config(task.cell);
        if task.resume {
            go_on_alike(&mut config, &task.cell.config.backend, task.directory)?;
        }
        self.resolve(task.cell, &mut config, false)?;
        let splits = self.datasets.splits(&config)?;
        let work = CellRun {
            config: &config,
            origins: self.experiment.origins(task.cell),
            splits: &splits,
            task,
            limits: Limits { stop: &self.stop, until: task.until },
            observers: self.observers(task.cell),
        };
        on_backend(&config, |_| (), work)
    }
}

/// Tells what people must know of a cell.
struct Warnings<'a> {
    display: &'a Display,
    cell: &'a Cell,
}

impl Observer for Warnings<'_> {
    fn warned(&mut self, warning: &str) {
        self.display.remark(self.cell, warning);
    }
}

/// Refuses to put results of another backend beside those of an earlier one.
pub fn foreign(experiment: &Experiment, cell: &Cell, earlier: &Arithmetic, now: &str) -> CliError {
    CliError::request(format!(
        "--backend: {} was begun on {earlier} (cell {}), and {now} gives other numbers; go on with --backend {}, or \
         mix them with --force-spec",
        experiment.log_dir, cell.index, earlier.backend
    ))
}

/// Without the place in a file, which is for people alone.
fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

/// A run goes on bit for bit only where it began: what `auto` came to then holds now.
fn go_on_alike(config: &mut Config, asked: &BackendConfig, directory: &RunDirectory) -> Result<(), CliError> {
    let path = directory.path().join("config.toml");
    let saved = match is_there(&path)? {
        true => ConfigBuilder::new().file(path).build()?,
        // What is lost, the checkpoint knows.
        false => {
            match read_newest(directory.path())?.map(|newest| newest.checkpoint.described()).transpose()? {
                Some(Some((config, _))) => config,
                _ => return Ok(()),
            }
        }
    };
    let saved = saved.backend;
    if asked.name == "auto" {
        config.backend.name = saved.name;
    }
    if asked.threads == 0 {
        config.backend.threads = saved.threads;
    }
    Ok(())
}

impl Work for CellTrainer<'_> {
    fn train(&self, task: &Task) -> Result<Summary, CellError> {
        self.train_cell(task).map_err(|error| CellError {
            message: first_line(&error.to_string()),
            is_of_environment: matches!(error, CliError::Environment(_)),
        })
    }

    fn ended(&self, cell: &Cell, result: Result<&Summary, &str>) {
        self.display.ended(cell, result);
    }

    fn tested(&self, cell: &Cell, summary: &Summary) {
        self.display.tested(cell, summary);
    }

    fn waiting(&self, cell: &Cell) {
        self.display.waiting(cell);
    }
}

/// Looks at a backend.
struct Look;

impl OnBackend for Look {
    type Output = DeviceInfo;

    fn run<B: Backend>(self, backend: &B) -> Result<DeviceInfo, CliError> {
        Ok(backend.device())
    }
}

struct CellRun<'a> {
    config: &'a Config,
    origins: Origins,
    splits: &'a Splits,
    task: &'a Task<'a>,
    limits: Limits<'a>,
    observers: Vec<Box<dyn Observer + 'a>>,
}

impl OnBackend for CellRun<'_> {
    type Output = Summary;

    fn run<B: Backend>(self, backend: &B) -> Result<Summary, CliError> {
        let copies = refuse_oversize(&backend.device(), self.config, &self.origins, self.splits)?;
        let Task { cell, directory, resume, keeps_test_set, .. } = *self.task;
        let Self { observers, limits, .. } = self;
        let swept = cell.varying.iter().map(|(key, _)| key.clone()).collect();
        let about = About { name: cell.label.clone(), command: Some(command_line()), ..About::default() };
        let options = Options {
            without_pictures: true,
            ..Options {
                resume,
                observers,
                limits,
                about,
                keeps_test_set,
                swept,
                copies,
                ..Options::default()
            }
        };
        Ok(training::run(backend, self.config, self.splits, directory, options)?)
    }
}
