//! A backend of one's own: multiplies and adds in its own way, passes the conformance suite, and trains.
//! `cargo run --release --example backend`

use std::error::Error;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use ff_backend::conformance::{self, Effort, Report};
use ff_backend::oracle::Arithmetic;
use forward_forward::config::ConfigBuilder;
use forward_forward::data::{Dataset, Splits};
use forward_forward::run::{Ownership, RunDirectory};
use forward_forward::training::{self, Options};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).unwrap_or("runs/own-backend".into());
    println!("{}", conform());
    let (accuracy, terms) = train(Path::new(&folder))?;
    println!("test accuracy {:.1} % after {terms} multiplications", 100.0 * accuracy);
    Ok(())
}

/// Multiplies and adds with one rounding instead of two, and counts how often.
///
/// All else (memory, activation, objective, optimizer, labels) are the loops of `ff_backend::oracle`. A device with
/// memory of its own implements each operation of `ff_backend::Backend` instead, as `backends/openblas` does.
#[derive(Default)]
pub struct Fused {
    terms: AtomicU64,
}

impl Arithmetic for Fused {
    const NAME: &'static str = "fused";

    fn multiply_add(&self, sum: f64, a: f64, b: f64) -> f64 {
        self.terms.fetch_add(1, Ordering::Relaxed);
        a.mul_add(b, sum)
    }
}

/// Every operation beside the f64 oracle.
pub fn conform() -> Report {
    conformance::run(&Fused::default(), Effort::Quick)
}

/// Trains a run on this backend; its accuracy, and how many multiplications it took.
pub fn train(folder: &Path) -> Result<(f64, u64), Box<dyn Error>> {
    let sets =
        ["recipe=contrast", "dataset=digits", "layer_sizes=[32]", "num_epochs=3", "training.batch_size=16"];
    let config = sets.into_iter().fold(ConfigBuilder::new(), ConfigBuilder::set).build()?;
    let dataset = Dataset::load(&config.data.dataset.parse()?, &config.data.data_dir, false)?;
    let splits = Splits::new(dataset, config.data.validation_size, config.training.seed)?;
    let (directory, _) = RunDirectory::open(folder, Ownership::New)?;
    let backend = Fused::default();
    let summary = training::run(&backend, &config, &splits, &directory, Options::default())?;
    Ok((summary.accuracy.unwrap_or(0.0), backend.terms.into_inner()))
}
