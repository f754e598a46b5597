//! Figures of synthetic runs and sweeps: their sizes, their contents, their patience.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod comparison;
mod contents;
mod damage;
mod gallery;
mod golden;
mod hostile;
mod papers;
mod pixels;
mod sweeps;
mod synthetic;
mod words;
