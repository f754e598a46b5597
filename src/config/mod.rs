//! Experiments as data: the table of knobs, recipes, overrides, checks.
//!
//! A value may come from the built-in defaults, a recipe, a file, `--set` or a flag, each over the
//! one before. Every value remembers where it came from, so that whatever is found wrong later is
//! reported there.

mod against_data;
mod axes;
mod axis_sets;
mod builder;
mod cell;
mod check;
mod choices;
mod difference;
mod document;
mod error;
mod experiment;
mod file;
mod halving;
mod knobs;
mod layer_kinds;
mod layers;
mod names;
mod nearest;
mod origin;
mod range;
mod recipes;
mod request;
mod tables;
mod takes;
mod text;
mod tiling;
mod top_down;

#[cfg(test)]
mod tests;

pub use against_data::resolve_label;
pub use builder::{ConfigBuilder, number};
pub use cell::Cell;
pub use choices::*;
pub use difference::first_difference;
pub use error::{ConfigError, Invalid};
pub use experiment::{Experiment, Source as ExperimentSource};
pub use halving::Halving;
pub use knobs::{
    BackendConfig, Config, DataConfig, EvaluationConfig, GoodnessConfig, HeadConfig, KNOBS, Knob,
    LoggingConfig, Need, NetworkConfig, TrainingConfig, When,
};
pub use layer_kinds::{LayerKind, LocalKind, layers_in_short};
pub use layers::{Origins, Resolved};
pub use names::{all as knob_names, find as find_knob};
pub(crate) use nearest::{did_you_mean, known_elsewhere};
pub use origin::{Origin, Span};
pub use recipes::{RECIPES, about as about_recipe};
pub use takes::{Choice, Interval, Takes};
