//! A research toolkit for Hinton's Forward-Forward algorithm (arXiv 2212.13345): networks trained
//! layer by layer with a positive and a negative forward pass instead of backpropagation.
//!
//! # What to call
//!
//! ```
//! use ff_backend_cpu::Cpu;
//! use forward_forward::config::ConfigBuilder;
//! use forward_forward::data::{Dataset, Splits};
//! use forward_forward::run::{Ownership, RunDirectory};
//! use forward_forward::training::{self, Options};
//!
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path().join("run");
//! let config = ConfigBuilder::new().set("dataset=digits").set("layer_sizes=[32, 32]").set("num_epochs=2").build()?;
//! let dataset = Dataset::load(&config.data.dataset.parse()?, &config.data.data_dir, false)?;
//! let splits = Splits::new(dataset, config.data.validation_size, config.training.seed)?;
//! let (directory, _) = RunDirectory::open(&folder, Ownership::New)?;
//! let summary = training::run(&Cpu::<f32>::new(1)?, &config, &splits, &directory, Options::default())?;
//! assert_eq!(summary.epochs, 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The rooms, from the top
//!
//! [`cli`] turns arguments into a checked [`config`] and calls what follows. [`training::run`] trains a run directory
//! with every observer; [`sweep::Engine`] does so for every cell of a [`config::Experiment`]. [`spec::Spec`] is the
//! config, resolved: layers with their objective, optimizers, sources of negatives. [`batching`] draws an epoch,
//! [`network`] holds layers and passes through them, [`evaluation`] measures, [`metrics`] counts, [`observers`] and
//! [`figures`] show, [`run`] and [`checkpoint`] are what lies on disk. Everything is generic over
//! [`ff_backend::Backend`]; [`backends`] names the concrete ones.
//!
//! `examples/` has programs that train, sweep and observe; `docs/extending.md` adds a goodness.

pub mod backends;
pub mod batching;
pub mod checkpoint;
pub mod cli;
pub mod comparison;
pub mod config;
pub mod data;
pub mod evaluation;
pub mod figures;
pub mod files;
pub mod metrics;
pub mod network;
pub mod observers;
pub mod run;
pub mod spec;
pub mod sweep;
pub mod training;
