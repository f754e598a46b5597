//! Trains the cells of a sweep as `ff train` trains a run.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use ff_backend::Backend;

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
use crate::sweep::{Task, Work};
use crate::training::Limits;

/// What all cells of a process share.
pub struct Crew<'a> {
    experiment: &'a Experiment,
    threads: usize,
    stop: Arc<AtomicBool>,
    display: Display,
    shelf: Shelf,
}

impl<'a> Crew<'a> {
    /// A crew whose cells take `threads` threads each unless their own knob says how many.
    pub fn new(experiment: &'a Experiment, threads: usize, stop: Arc<AtomicBool>, display: Display) -> Self {
        Crew { experiment, threads, stop, display, shelf: Shelf::default() }
    }

    /// Loads the data of cells, checks the cells against them, and makes sure that their backends are there.
    pub fn prepare(&self, cells: &[&Cell], say: impl Fn(Remark)) -> Result<(), CliError> {
        let mut known: Vec<BackendConfig> = Vec::new();
        for cell in cells {
            let mut config = self.config(cell);
            self.shelf.settle(&mut config, &self.experiment.origins(cell), !self.display.is_quiet())?;
            if !known.contains(&config.backend) {
                on_backend(&config.backend, &say, Nothing)?;
                known.push(config.backend);
            }
        }
        Ok(())
    }

    fn config(&self, cell: &Cell) -> Config {
        let mut config = cell.config.clone();
        if config.backend.threads == 0 {
            config.backend.threads = self.threads;
        }
        config
    }

    fn train_cell(&self, task: &Task) -> Result<Summary, CliError> {
        let mut config = self.config(task.cell);
        if task.resume {
            go_on_alike(&mut config, &task.cell.config.backend, task.directory)?;
        }
        self.shelf.settle(&mut config, &self.experiment.origins(task.cell), false)?;
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
        self.train_cell(task).map_err(|error| error.to_string())
    }

    fn ended(&self, cell: &Cell, result: &Result<Summary, String>) {
        self.display.ended(cell, result);
    }

    fn waiting(&self, cell: &Cell) {
        self.display.waiting(cell);
    }
}

struct Nothing;

impl OnBackend for Nothing {
    type Output = ();

    fn run<B: Backend>(self, _: &B) -> Result<(), CliError> {
        Ok(())
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
