//! Trains the cells of a sweep as `ff train` trains a run.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use ff_backend::{Backend, DeviceInfo};

use super::super::CliError;
use super::super::backend::{OnBackend, Remark, on_backend};
use super::super::memory::refuse_oversize;
use super::super::source::anchor;
use super::super::train::train;
use super::display::Display;
use super::shelf::Shelf;
use crate::config::{BackendConfig, Cell, Config, ConfigBuilder, Experiment, Origins};
use crate::data::Splits;
use crate::observers::Observer;
use crate::run::{RunDirectory, Summary};
use crate::sweep::{Arithmetic, Task, Work};
use crate::training::Limits;

/// What all cells of a process share.
pub struct Crew<'a> {
    experiment: &'a Experiment,
    threads: usize,
    stop: Arc<AtomicBool>,
    display: Display,
    shelf: Shelf,
    anew: bool,
}

impl<'a> Crew<'a> {
    /// A crew whose cells take `threads` threads each unless their own knob says how many.
    pub fn new(experiment: &'a Experiment, threads: usize, stop: Arc<AtomicBool>, display: Display) -> Self {
        Crew { experiment, threads, stop, display, shelf: Shelf::default(), anew: false }
    }

    /// The same, where cells that cannot be gone on with may begin anew.
    pub fn anew(self, anew: bool) -> Self {
        Crew { anew, ..self }
    }

    /// Loads the data of cells, checks the cells against them, and makes sure that their backends are there
    /// and are those that cells were trained on before.
    pub fn prepare(
        &self,
        cells: &[&Cell],
        before: &[(&Cell, Arithmetic)],
        say: impl Fn(Remark),
    ) -> Result<(), CliError> {
        let mut known: Vec<(BackendConfig, Arithmetic)> = Vec::new();
        let mut found = |backend: BackendConfig| match known.iter().find(|(other, _)| *other == backend) {
            Some((_, arithmetic)) => Ok::<_, CliError>(arithmetic.clone()),
            None => {
                let arithmetic = Arithmetic::of(&on_backend(&backend, &say, Look)?);
                known.push((backend, arithmetic.clone()));
                Ok(arithmetic)
            }
        };
        for cell in cells {
            let mut config = self.config(cell);
            self.settle(cell, &mut config, !self.display.is_quiet())?;
            found(config.backend)?;
        }
        for (cell, earlier) in before {
            let now = found(self.config(cell).backend)?;
            if !now.agrees(earlier) {
                return Err(foreign(self.experiment, cell, earlier, &now.to_string()));
            }
        }
        Ok(())
    }

    /// Fits a config to its data. An error names the cell if it is the cell's own doing.
    fn settle(&self, cell: &Cell, config: &mut Config, progress: bool) -> Result<(), CliError> {
        let data = self.shelf.loaded(config, progress).map_err(|error| {
            let owner = ["data.dataset", "data.data_dir"].iter().find_map(|k| self.experiment.owner(cell, k));
            match owner {
                Some(title) => CliError::request(format!("{title}: {error}")),
                None => error,
            }
        })?;
        data.settle(config).map_err(|invalid| self.experiment.blame(cell, &invalid).into())
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
            Err(CliError::Request(reason)) if task.resume && self.anew => {
                let reason = first_line(&reason);
                self.display.remark(task.cell, &format!("begins anew, since it cannot go on: {reason}"));
                task.directory.clear()?;
                self.attempt(&Task { resume: false, ..*task })
            }
            result => result,
        }
    }

    fn attempt(&self, task: &Task) -> Result<Summary, CliError> {
        let mut config = self.config(task.cell);
        if task.resume {
            go_on_alike(&mut config, &task.cell.config.backend, task.directory)?;
        }
        self.settle(task.cell, &mut config, false)?;
        let splits = self.shelf.splits(&config)?;
        anchor(&mut config);
        let backend = config.backend.clone();
        let work = CellRun {
            config: &mut config,
            origins: self.experiment.origins(task.cell),
            splits: &splits,
            task,
            limits: Limits { stop: &self.stop, until: task.until },
            observers: self.display.observers(task.cell),
        };
        on_backend(&backend, |_| (), work)
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
    let saved = ConfigBuilder::new().file(directory.path().join("config.toml")).build()?.backend;
    if asked.name == "auto" {
        config.backend.name = saved.name;
    }
    if asked.threads == 0 {
        config.backend.threads = saved.threads;
    }
    Ok(())
}

impl Work for Crew<'_> {
    fn train(&self, task: &Task) -> Result<Summary, String> {
        self.train_cell(task).map_err(|error| first_line(&error.to_string()))
    }

    fn ended(&self, cell: &Cell, result: &Result<Summary, String>) {
        self.display.ended(cell, result);
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
    config: &'a mut Config,
    origins: Origins,
    splits: &'a Splits,
    task: &'a Task<'a>,
    limits: Limits<'a>,
    observers: Vec<Box<dyn Observer>>,
}

impl OnBackend for CellRun<'_> {
    type Output = Summary;

    fn run<B: Backend>(self, backend: &B) -> Result<Summary, CliError> {
        refuse_oversize(&backend.device(), self.config, &self.origins, self.splits)?;
        let Task { directory, resume, .. } = *self.task;
        train(backend, self.config, self.splits, directory, resume, self.observers, &self.limits)
    }
}
