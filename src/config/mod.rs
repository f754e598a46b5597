//! Experiments as data: schema, recipes, overrides, checks.
//!
//! A value may come from the built-in defaults, a recipe, a file, `--set` or a flag, each over the
//! one before. Every value remembers where it came from, so that whatever is found wrong later is
//! reported there.

mod against_data;
mod axes;
mod builder;
mod cell;
mod defaults;
mod difference;
mod document;
mod error;
mod experiment;
mod file;
mod halving;
mod knobs;
mod layers;
mod nearest;
mod origin;
mod range;
mod recipes;
mod rules;
pub mod schema;
mod text;

#[cfg(test)]
mod tests;

pub use against_data::resolve_label;
pub use builder::ConfigBuilder;
pub use cell::Cell;
pub use difference::first_difference;
pub use error::{ConfigError, Invalid};
pub use experiment::Experiment;
pub use halving::Halving;
pub use knobs::names as knob_names;
pub use layers::{Origins, Resolved};
pub use origin::{Origin, Place};
pub use recipes::RECIPES;
pub use schema::*;
