//! Trains the cells of a sweep, side by side, beside other processes.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::claim::{Claim, claim};
use super::directory::SweepDirectory;
use super::error::{CellError, Failure, SweepError};
use super::halving::{prune, rungs, survivors};
use super::ranking::winners;
use super::results::{Tally, read_rows};
use crate::config::{Cell, Experiment};
use crate::run::{RunDirectory, RunError, Status, Summary};

/// Between two looks at a cell that another process trains.
const PATIENCE: Duration = Duration::from_millis(200);
/// Between two writes of the results while cells are still trained.
const GATHER_EVERY: Duration = Duration::from_secs(5);

/// One cell to train, in a directory that is locked for it.
pub struct Task<'a> {
    /// The cell.
    pub cell: &'a Cell,
    /// Its run directory.
    pub directory: &'a RunDirectory,
    /// Whether to go on from its last checkpoint.
    pub resume: bool,
    /// Epochs after which to end, even if more are to come.
    pub until: usize,
    /// Whether the test set is left for the cells that held-out rows choose.
    pub keeps_test_set: bool,
}

/// What the engine leaves to its caller: to train a cell, and to tell people.
pub trait Work: Sync {
    /// Trains a cell until the task's limit or until told to stop.
    fn train(&self, task: &Task) -> Result<Summary, CellError>;
    /// A cell was trained, or could not be: why, as people read it.
    fn ended(&self, _cell: &Cell, _result: Result<&Summary, &str>) {}
    /// A chosen cell was measured on the test set.
    fn tested(&self, _cell: &Cell, _summary: &Summary) {}
    /// Nothing is left to do but wait for this cell of another process.
    fn waiting(&self, _cell: &Cell) {}
}

/// Trains cells until all that were asked for are done, here or elsewhere.
pub struct Engine<'a, W> {
    /// The cells.
    pub experiment: &'a Experiment,
    /// Where they are.
    pub directory: &'a SweepDirectory,
    /// Who trains them.
    pub work: &'a W,
    /// Cells trained side by side.
    pub jobs: usize,
    /// End at the first failure.
    pub fail_fast: bool,
    /// Set to end after the running epochs.
    pub stop: &'a AtomicBool,
}

/// Cells to look at: those that another process was seen training come last.
#[derive(Default)]
struct Queue<'a> {
    fresh: VecDeque<&'a Cell>,
    elsewhere: VecDeque<&'a Cell>,
}

/// What the workers of a pass share.
struct Pass<'a> {
    queue: Mutex<Queue<'a>>,
    failures: Mutex<Vec<Failure>>,
    gathered: Mutex<Instant>,
    until: usize,
    /// Workers that are at work.
    active: AtomicUsize,
}

/// What becomes of a worker after a cell.
#[derive(PartialEq, Eq)]
enum Next {
    /// It takes the next cell.
    Cell,
    /// It ends, so that the others have what it took from the machine.
    Retire,
}

impl<W: Work> Engine<'_, W> {
    /// Trains every cell, as far as halving lets it.
    pub fn run(&self) -> Result<Vec<Failure>, SweepError> {
        let mut alive: Vec<&Cell> = self.experiment.cells().iter().collect();
        let Some(halving) = self.experiment.halving else {
            return self.train(&alive, usize::MAX);
        };
        let most = alive.iter().map(|cell| cell.config.training.num_epochs).max().unwrap_or(0);
        let mut failures = Vec::new();
        for rung in rungs(halving, most) {
            failures.extend(self.train(&alive, rung)?);
            if rung == most || self.is_stopped() {
                break;
            }
            let (best, unreadable) = survivors(self.directory, &alive, rung, halving.factor);
            failures.extend(unreadable);
            for cell in alive.iter().filter(|cell| !best.iter().any(|other| other.index == cell.index)) {
                if let Err(error) = prune(self.directory, cell) {
                    failures.push(Failure { cell: cell.index, message: error.to_string() });
                }
            }
            alive = best;
        }
        Ok(failures)
    }

    /// Trains these cells for `until` epochs, or all of theirs. Those that other processes train are
    /// waited for, and taken over if their process dies.
    pub fn train(&self, cells: &[&Cell], until: usize) -> Result<Vec<Failure>, SweepError> {
        let pass = Pass {
            queue: Mutex::new(Queue { fresh: cells.iter().copied().collect(), ..Queue::default() }),
            failures: Mutex::default(),
            gathered: Mutex::new(Instant::now()),
            until,
            active: AtomicUsize::new(1),
        };
        thread::scope(|scope| {
            let mut workers = Vec::new();
            for _ in 1..self.jobs.clamp(1, cells.len().max(1)) {
                pass.active.fetch_add(1, Ordering::SeqCst);
                match thread::Builder::new().spawn_scoped(scope, || self.work_off(&pass)) {
                    Ok(worker) => workers.push(worker),
                    // The system has no more threads: those that there are do the work.
                    Err(_) => {
                        pass.active.fetch_sub(1, Ordering::SeqCst);
                        break;
                    }
                }
            }
            let own = self.work_off(&pass);
            let ends: Vec<_> = workers.into_iter().map(|worker| worker.join()).collect();
            ends.into_iter().try_for_each(|end| end.unwrap_or(Err(SweepError::Worker)))?;
            own
        })?;
        Ok(pass.failures.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Measures the cells that a search chose on the test set, which it kept for them, once no cell is left to train.
    pub fn test_winners(&self) -> Result<Vec<Failure>, SweepError> {
        let mut failures = Vec::new();
        if !self.experiment.keeps_test_set() || self.is_stopped() {
            return Ok(failures);
        }
        let rows = read_rows(self.experiment, self.directory);
        let tally = Tally::new(&rows);
        if tally.finished() < tally.cells {
            return Ok(failures);
        }
        for winner in winners(&self.experiment.varying(), &rows) {
            let Some(cell) = self.experiment.cells().get(winner) else { continue };
            match self.test(cell) {
                Ok(Some(summary)) => self.work.tested(cell, &summary),
                Ok(None) => {}
                Err(message) => failures.push(Failure { cell: cell.index, message }),
            }
        }
        Ok(failures)
    }

    /// Measures a finished cell on the test set, unless that is done or another process does it.
    fn test(&self, cell: &Cell) -> Result<Option<Summary>, String> {
        let path = self.directory.cell(cell);
        let directory = match RunDirectory::claim(&path) {
            Ok(directory) => directory,
            Err(RunError::Busy { .. }) => return Ok(None),
            Err(error) => return Err(error.to_string()),
        };
        let summary = RunDirectory::read_summary(&path).map_err(|error| error.to_string())?;
        if summary.is_none_or(|summary| summary.test_accuracy.is_some()) {
            return Ok(None);
        }
        let task =
            Task { cell, directory: &directory, resume: true, until: usize::MAX, keeps_test_set: false };
        self.work.train(&task).map(Some).map_err(|error| error.message)
    }

    fn work_off(&self, pass: &Pass) -> Result<(), SweepError> {
        while !self.is_stopped() {
            let (cell, known_busy) = {
                let mut queue = locked(&pass.queue);
                match queue.fresh.pop_front() {
                    Some(cell) => (cell, false),
                    None => match queue.elsewhere.pop_front() {
                        Some(cell) => (cell, true),
                        None => {
                            pass.active.fetch_sub(1, Ordering::SeqCst);
                            return Ok(());
                        }
                    },
                }
            };
            if known_busy {
                self.work.waiting(cell);
                thread::sleep(PATIENCE);
            }
            let alone = pass.active.load(Ordering::SeqCst) == 1;
            let result = self.attempt(pass, cell);
            let Some(result) = result else { continue };
            if self.note(pass, cell, result, alone)? == Next::Retire {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Trains a cell unless it is over or another process's.
    fn attempt<'a>(&self, pass: &Pass<'a>, cell: &'a Cell) -> Option<Result<Summary, CellError>> {
        let until = pass.until.min(cell.config.training.num_epochs);
        match claim(&self.directory.cell(cell), until) {
            Ok(Claim::Finished) => None,
            Ok(Claim::Busy) => {
                locked(&pass.queue).elsewhere.push_back(cell);
                None
            }
            Ok(Claim::Mine { directory, resume }) => {
                let keeps_test_set = self.experiment.keeps_test_set();
                let task = Task { cell, directory: &directory, resume, until, keeps_test_set };
                let result = self.work.train(&task);
                if let Err(error) = &result
                    && !error.is_of_environment
                {
                    write_failure(&task, &error.message);
                }
                Some(result)
            }
            Err(error) => Some(Err(error.into())),
        }
    }

    /// Notes how a cell ended. Where the machine is the cause of a failure, the worker retires and leaves the cell to
    /// the others, who then have more of it; the last one, which failed alone, stops the sweep.
    fn note<'a>(
        &self,
        pass: &Pass<'a>,
        cell: &'a Cell,
        result: Result<Summary, CellError>,
        alone: bool,
    ) -> Result<Next, SweepError> {
        let mut next = Next::Cell;
        match result {
            Err(error) if error.is_of_environment && !alone => {
                locked(&pass.queue).fresh.push_front(cell);
                let before = pass.active.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |active| {
                    (active > 1).then(|| active - 1)
                });
                return Ok(if before.is_ok() { Next::Retire } else { Next::Cell });
            }
            Err(error) => {
                self.work.ended(cell, Err(&error.message));
                locked(&pass.failures).push(Failure { cell: cell.index, message: error.message });
                if self.fail_fast || error.is_of_environment {
                    self.stop.store(true, Ordering::Relaxed);
                    next = Next::Retire;
                }
            }
            Ok(summary) => self.work.ended(cell, Ok(&summary)),
        }
        // Results can be looked at while the rest is trained.
        if let Ok(mut gathered) = pass.gathered.try_lock()
            && gathered.elapsed() > GATHER_EVERY
        {
            self.directory.gather(self.experiment, false)?;
            *gathered = Instant::now();
        }
        Ok(next)
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// Makes a failure lasting that the run could not write down itself. A run that was done before, say, its
/// figures failed stays done.
fn write_failure(task: &Task, message: &str) {
    let told = RunDirectory::read_summary(task.directory.path()).ok().flatten();
    let mut summary = match told {
        Some(summary) if matches!(summary.status, Status::Done | Status::Failed) => return,
        Some(summary) => summary,
        None => Summary::failed(&task.cell.config, String::new()),
    };
    summary.status = Status::Failed;
    summary.error = Some(message.into());
    // If this fails too, the failure is at least told.
    let _ = task.directory.write_summary(&summary);
}

/// A worker that panicked leaves nothing half done behind a lock.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
