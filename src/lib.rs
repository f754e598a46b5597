//! A research toolkit for Hinton's Forward-Forward algorithm (arXiv 2212.13345): networks trained
//! layer by layer with a positive and a negative forward pass instead of backpropagation.

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
