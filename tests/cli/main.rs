//! The program as its users meet it: arguments in; files, text and exit codes out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod bare_checkpoint;
mod color;
mod commands;
mod data_sets;
mod divergence;
mod effects;
mod evaluation;
mod files;
mod flushing;
mod front_door;
mod idx;
mod import;
mod knobs;
mod local;
mod mnist;
mod nvidia;
mod objectives;
mod opencl_driver;
mod options;
mod pictures;
mod place;
mod refusals;
mod repeat;
mod resume;
mod side_by_side;
mod strangers;
mod streams;
mod top_down;
#[path = "../python/venv.rs"]
mod venv;
mod views;
