//! Watches a run: an observer of one's own beside metrics, TensorBoard and figures.
//! `cargo run --release --example observe`

use std::error::Error;
use std::path::Path;

use ff_backend_cpu::Cpu;
use forward_forward::config::ConfigBuilder;
use forward_forward::data::{Dataset, Splits};
use forward_forward::observers::{EpochReport, Observer, ObserverError};
use forward_forward::run::{Ownership, RunDirectory};
use forward_forward::training::{self, Options};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).unwrap_or("runs/observed".into());
    for (epoch, share) in observe(Path::new(&folder))?.iter().enumerate() {
        println!("epoch {}: {:.1} % of the first layer's weights are negative", epoch + 1, 100.0 * share);
    }
    Ok(())
}

/// The share of negative weights in the first layer, after each epoch.
struct NegativeWeights<'a>(&'a mut Vec<f64>);

impl Observer for NegativeWeights<'_> {
    fn epoch(&mut self, report: &EpochReport) -> Result<(), ObserverError> {
        let (weights, _bias) = (report.weights)(0)?;
        let negative = weights.iter().filter(|weight| **weight < 0.0).count();
        self.0.push(negative as f64 / weights.len() as f64);
        Ok(())
    }
}

/// Trains into a new run directory; what the observer saw.
pub fn observe(folder: &Path) -> Result<Vec<f64>, Box<dyn Error>> {
    let sets = ["dataset=digits", "layer_sizes=[32, 32]", "num_epochs=3", "logging.figures=false"];
    let config = sets.into_iter().fold(ConfigBuilder::new(), ConfigBuilder::set).build()?;
    let dataset = Dataset::load(&config.data.dataset.parse()?, &config.data.data_dir, false)?;
    let splits = Splits::new(dataset, config.data.validation_size, config.training.seed)?;
    let (directory, _) = RunDirectory::open(folder, Ownership::New)?;
    let mut shares = Vec::new();
    let options = Options { observers: vec![Box::new(NegativeWeights(&mut shares))], ..Options::default() };
    training::run(&Cpu::<f32>::new(1)?, &config, &splits, &directory, options)?;
    Ok(shares)
}
