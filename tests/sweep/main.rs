//! Sweeps as their users meet them: an experiment file in, runs and results out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod axes;
mod comparison;
mod experiment;
mod failures;
mod going_on;
mod halving;
mod many;
#[allow(dead_code)]
#[path = "../cli/place.rs"]
mod place;
mod plan;
mod results;
mod sharing;
mod slurm;
mod winners;
