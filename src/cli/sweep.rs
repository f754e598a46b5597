//! `ff sweep`.

mod arguments;
mod cell_trainer;
mod dataset_cache;
mod display;
mod dry_run;
mod outcome;
mod queue;
mod screen;
mod slurm;

use std::sync::Arc;

use toml::Value;

use super::{CliError, signals};
use crate::config::{Cell, Experiment};
use crate::observers::Shown;
use crate::run::{RunDirectory, Status};
use crate::sweep::{Arithmetic, Engine, Row, Spec, SweepDirectory, Tally, forget_failure, read_rows};
pub use arguments::Sweep;
use cell_trainer::CellTrainer;
use display::{Before, Display};

impl Sweep {
    /// Plans, trains what is not done, gathers the results, reports.
    pub fn run(self) -> Result<(), CliError> {
        slurm::check(&self)?;
        let experiment = self.experiment()?;
        let directory = SweepDirectory::new(&experiment.log_dir);
        let cells = self.cells(&experiment)?;
        let spec = Spec::new(&experiment, self.threads());
        let spec = directory.check(&spec, self.force_spec || self.dry_run)?;
        if self.dry_run {
            return dry_run::print(&experiment, &directory, &cells, spec.threads, self.json);
        }
        if self.status {
            let rows = read_rows(&experiment, &directory);
            return outcome::print(&experiment, &rows, self.json);
        }
        if self.slurm.is_wanted() {
            slurm::check_paths(&directory)?;
            self.refuse_other_backends(&experiment, &directory)?;
            directory.adopt(&spec, self.force_spec)?;
            return slurm::submit(&self, &experiment, &directory, &cells);
        }
        self.train(&experiment, &directory, &cells, spec)
    }

    fn train(
        &self,
        experiment: &Experiment,
        directory: &SweepDirectory,
        cells: &[&Cell],
        spec: Spec,
    ) -> Result<(), CliError> {
        let stop = signals::new_flag();
        let (open, before) = self.open_cells(directory, cells);
        let display = Display::new(experiment, cells.len(), before, Arc::clone(&stop), self.shown());
        let trainer = CellTrainer::new(experiment, spec.threads, Arc::clone(&stop), display);
        let trainer = trainer.restart(self.retry_failed);
        // Whatever is wrong with the request shows now, before anything is written.
        let before = if open.is_empty() { Vec::new() } else { self.begun(experiment, directory) };
        trainer.prepare(&open, &before)?;
        // Only now: an OpenCL driver that is looked for takes SIGUSR1 for itself.
        signals::watch(&stop);
        directory.adopt(&spec, self.force_spec)?;
        self.forget_failures(directory, cells);
        // From now on the sweep can be looked at and drawn, even if this process is killed.
        directory.gather(experiment, false)?;
        let engine = Engine {
            experiment,
            directory,
            work: &trainer,
            jobs: self.jobs().into(),
            fail_fast: self.fail_fast,
            stop: &stop,
        };
        let mut failures = match self.cell {
            Some(_) => engine.train(cells, usize::MAX)?,
            None => engine.run()?,
        };
        failures.extend(engine.test_winners()?);
        drop(trainer);
        let rows = self.gather(experiment, directory)?;
        if self.json || !self.quiet {
            outcome::print(experiment, &rows, self.json)?;
        }
        let asked = |cell: usize| cells.iter().any(|other| other.index == cell);
        outcome::judge(&rows, &failures, asked)
    }

    /// Figures are drawn once there is nothing left to train.
    fn gather(&self, experiment: &Experiment, directory: &SweepDirectory) -> Result<Vec<Row>, CliError> {
        let rows = directory.gather(experiment, false)?;
        let tally = Tally::new(&rows);
        let wanted = experiment.cells().iter().any(|cell| cell.config.logging.figures);
        let complete = tally.finished() == tally.cells && tally.done > 0;
        if wanted && complete {
            directory.gather(experiment, true)?;
        }
        Ok(rows)
    }

    /// The experiment of a file, or that of the sweep in a directory.
    fn experiment(&self) -> Result<Experiment, CliError> {
        if !self.file.is_dir() {
            return Ok(Experiment::load(&self.file, &self.set, &self.flags())?);
        }
        let spec = SweepDirectory::new(&self.file).spec()?;
        let Some((spec, source)) = spec.and_then(|spec| Some((spec.clone(), spec.source?))) else {
            return Err(CliError::request(format!(
                "{}: no sweep lies there (sweep.toml); name its experiment file",
                self.file.display()
            )));
        };
        let mut flags = self.flags();
        if self.log_dir.is_none() {
            let here = Value::String(self.file.display().to_string());
            flags.push(("--log-dir".into(), "logging.log_dir".into(), here));
        }
        let shown = self.file.join("sweep.toml").display().to_string();
        Ok(Experiment::load_saved(&shown, &spec.name, &source, &self.set, &flags)?)
    }

    /// The cells asked for.
    fn cells<'a>(&self, experiment: &'a Experiment) -> Result<Vec<&'a Cell>, CliError> {
        let all = experiment.cells();
        if experiment.halving.is_some() && (self.cell.is_some() || self.slurm.is_wanted()) {
            let flag = if self.cell.is_some() { "--cell" } else { "--slurm" };
            return Err(CliError::request(format!(
                "{flag}: `halving` compares all cells as they go, so none can be trained alone; leave out \
                 `halving`, or run the sweep as a whole"
            )));
        }
        match self.cell {
            None => Ok(all.iter().collect()),
            Some(index) => match all.get(index) {
                Some(cell) => Ok(vec![cell]),
                None => Err(CliError::request(format!(
                    "--cell {index}: {} has cells 0 to {}",
                    self.file.display(),
                    all.len().saturating_sub(1)
                ))),
            },
        }
    }

    fn flags(&self) -> Vec<(String, String, Value)> {
        let flags = [
            ("--log-dir", "logging.log_dir", &self.log_dir),
            ("--backend", "backend.name", &self.backend),
            ("--data-dir", "data.data_dir", &self.data_dir),
        ];
        let given = flags.into_iter().filter_map(|(flag, knob, text)| Some((flag, knob, text.as_ref()?)));
        given.map(|(flag, knob, text)| (flag.into(), knob.into(), Value::String(text.clone()))).collect()
    }

    /// Threads of a cell, if this is the first invocation for its directory.
    fn threads(&self) -> usize {
        if self.slurm.is_wanted() {
            return self.slurm.cpus();
        }
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        (cores / usize::from(self.jobs())).max(1)
    }

    /// How progress is shown.
    fn shown(&self) -> Shown {
        if self.quiet { Shown::Nothing } else { self.progress.shown() }
    }

    fn jobs(&self) -> u16 {
        self.jobs.unwrap_or(1)
    }

    /// What computed the cells that are begun, unless it does not matter.
    fn begun<'a>(
        &self,
        experiment: &'a Experiment,
        directory: &SweepDirectory,
    ) -> Vec<(&'a Cell, Arithmetic)> {
        if self.force_spec {
            return Vec::new();
        }
        let begun = |cell: &'a Cell| Some((cell, Arithmetic::of_cell(&directory.cell(cell))?));
        experiment.cells().iter().filter_map(begun).collect()
    }

    /// Refuses a backend that was not the cells' so far, as far as names tell: tasks may find other devices.
    fn refuse_other_backends(
        &self,
        experiment: &Experiment,
        directory: &SweepDirectory,
    ) -> Result<(), CliError> {
        for (cell, earlier) in self.begun(experiment, directory) {
            let now = &cell.config.backend.name;
            if !earlier.agrees_with_name(now) {
                return Err(cell_trainer::foreign(experiment, cell, &earlier, now));
            }
        }
        Ok(())
    }

    /// The cells that will be trained, as things stand, and how the others ended.
    fn open_cells<'a>(&self, directory: &SweepDirectory, cells: &[&'a Cell]) -> (Vec<&'a Cell>, Before) {
        let (mut open, mut before) = (Vec::new(), Before::default());
        for &cell in cells {
            // What cannot be read is told when its turn comes.
            let Ok(summary) = RunDirectory::read_summary(&directory.cell(cell)) else { continue };
            match summary.map(|summary| summary.status) {
                Some(Status::Done | Status::Pruned) => before.done += 1,
                Some(Status::Failed) if !self.retry_failed => before.failed += 1,
                _ => open.push(cell),
            }
        }
        (open, before)
    }

    fn forget_failures(&self, directory: &SweepDirectory, cells: &[&Cell]) {
        if self.retry_failed {
            for cell in cells {
                // What cannot be forgotten stays that cell's failure, and is told as such.
                let _ = forget_failure(&directory.cell(cell));
            }
        }
    }
}
