//! What is promised when the machine fails: no more epochs are lost than was said, nothing is taken for what it is not, nobody
//! else's files are touched, and every message names a path.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, dead_code)]

mod faults;
mod fuzz;
mod kills;
mod limits;
mod ownership;
#[path = "../cli/place.rs"]
mod place;
mod signals;
