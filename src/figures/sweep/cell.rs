//! One run of a sweep, as results.csv and its own directory tell.

use super::super::results::Run;
use crate::run::Status;

/// How far a cell is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Done,
    /// Ended early by halving.
    Pruned,
    Failed,
    Running,
    /// Cut short.
    Interrupted,
    Pending,
}

impl State {
    /// All of them, in the order in which they are told.
    pub const ALL: [State; 6] =
        [Self::Done, Self::Pruned, Self::Failed, Self::Running, Self::Interrupted, Self::Pending];

    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Pruned => "pruned",
            Self::Failed => "failed",
            Self::Running => "running",
            Self::Interrupted => "stopped",
            Self::Pending => "not begun",
        }
    }

    /// As results.csv has it.
    pub fn of_word(word: &str) -> Option<Self> {
        match word {
            "interrupted" => Some(Self::Interrupted),
            "pending" => Some(Self::Pending),
            _ => Self::ALL.into_iter().find(|state| state.words() == word),
        }
    }

    fn of_run(status: Status) -> Self {
        match status {
            Status::Running => Self::Running,
            Status::Done => Self::Done,
            Status::Interrupted => Self::Interrupted,
            Status::Failed => Self::Failed,
            Status::Pruned => Self::Pruned,
        }
    }
}

/// One row: a run.
#[derive(Clone, Debug)]
pub struct Cell {
    /// One value per key of the table, as written.
    pub values: Vec<String>,
    pub state: State,
    /// Accuracy in percent, if it is done or pruned: the best on held-out rows, or that of the test set after its last
    /// epoch.
    pub accuracy: Option<f64>,
    /// What its run directory holds; none where that is damaged.
    pub run: Option<Run>,
}

impl Cell {
    /// The accuracy of a cell with all its epochs: of pruned ones it would mean something else.
    pub fn final_accuracy(&self) -> Option<f64> {
        self.accuracy.filter(|_| self.state == State::Done)
    }

    /// Seconds that all epochs of training took, evaluation apart.
    pub fn training_seconds(&self) -> Option<f64> {
        let summary = self.run.as_ref().filter(|_| self.state == State::Done)?.summary.as_ref()?;
        summary.seconds.train
    }

    /// The accuracy of a cell that halving ended.
    pub fn pruned_accuracy(&self) -> Option<f64> {
        self.accuracy.filter(|_| self.state == State::Pruned)
    }

    /// What results.csv did not know yet when it was written.
    pub fn catch_up(&mut self) {
        let Some(run) = self.run.as_ref().filter(|_| !matches!(self.state, State::Done | State::Pruned))
        else {
            return;
        };
        if run.summary.is_none() && run.epochs.is_empty() {
            return;
        }
        self.state = State::of_run(run.status());
        let chosen = run.split() == Some("validation");
        let last =
            run.epochs.last().and_then(|epoch| if chosen { epoch.best_accuracy } else { epoch.accuracy });
        let is_final = matches!(self.state, State::Done | State::Pruned);
        self.accuracy = last.filter(|_| is_final).map(|fraction| 100.0 * fraction);
    }
}
