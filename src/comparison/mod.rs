//! Runs beside one another, read from what they saved: any runs and cells, whoever trained them and when.

mod difference;
mod filter;
mod find;
mod record;

pub use difference::{differing, shown_value};
pub use filter::{Condition, FilterError};
pub use find::{Found, find, is_run};
pub use record::{LEADING, Record, column, columns};
