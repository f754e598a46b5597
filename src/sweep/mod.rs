//! Sweeps: the cells of an experiment, trained by any number of processes, none of them twice.
//!
//! A sweep is a directory of run directories. Whoever holds the lock of a cell's directory trains the
//! cell; the system releases the lock however its holder ends. What is done, and how well, is read from
//! the cells' own files, so processes need nothing but the directory to agree.

mod arithmetic;
mod claim;
mod directory;
mod engine;
mod error;
mod gather;
mod halving;
mod ranking;
mod results;
mod slurm;
mod spec;

pub use arithmetic::Arithmetic;
pub use claim::{Claim, claim, forget_failure};
pub use directory::SweepDirectory;
pub use engine::{Engine, Task, Work};
pub use error::{CellError, Failure, SweepError};
pub use ranking::{Column, Criterion, cells, table, to_markdown, told, winners};
pub use results::{CellStatus, Row, Tally, read_rows, to_csv};
pub use slurm::{ArrayJob, Submission, array, is_time, shell_word};
pub use spec::Spec;
