//! Trains a network as `ff train` does, then evaluates its best checkpoint: `cargo run --release --example train`.

use std::error::Error;
use std::path::Path;

use ff_backend_cpu::Cpu;
use forward_forward::checkpoint::Checkpoint;
use forward_forward::config::{ConfigBuilder, PredictKind};
use forward_forward::data::{Dataset, Splits};
use forward_forward::evaluation::Evaluator;
use forward_forward::metrics::ConfusionMatrix;
use forward_forward::network::Network;
use forward_forward::run::{Ownership, RunDirectory};
use forward_forward::spec::Spec;
use forward_forward::training::{self, Options};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).unwrap_or("runs/example".into());
    let accuracy = train_and_evaluate(Path::new(&folder))?;
    println!("test accuracy {:.1} %", 100.0 * accuracy);
    Ok(())
}

/// Trains into a new run directory; the accuracy of what lies there then.
pub fn train_and_evaluate(folder: &Path) -> Result<f64, Box<dyn Error>> {
    let sets = ["recipe=contrast", "dataset=digits", "layer_sizes=[64, 64]", "num_epochs=8"];
    let config = sets.into_iter().fold(ConfigBuilder::new(), ConfigBuilder::set);
    let config = config.set("training.batch_size=16").set("validation_size=142").build()?;
    let dataset = Dataset::load(&config.data.dataset.parse()?, &config.data.data_dir, false)?;
    let splits = Splits::new(dataset, config.data.validation_size, config.training.seed)?;
    let backend = Cpu::<f32>::new(1)?;

    let (directory, _) = RunDirectory::open(folder, Ownership::New)?;
    let summary = training::run(&backend, &config, &splits, &directory, Options::default())?;
    println!("best validation accuracy {:?} in epoch {}", summary.best_accuracy, summary.best_epoch);

    let checkpoint = Checkpoint::read(&directory.best_checkpoint())?;
    let (saved, _) = checkpoint.described()?.ok_or("a checkpoint of ff says how it was trained")?;
    let mut network = Network::new(&backend, Spec::new(&saved, splits.image, splits.classes))?;
    checkpoint.load_weights(&backend, &mut network)?;
    let mut evaluator = Evaluator::new(&backend, &network, &splits.test.pixels, 1000)?;
    let predictions = evaluator.predict(&backend, &network, PredictKind::Energy)?;
    Ok(ConfusionMatrix::new(splits.classes, &splits.test.labels, &predictions.energy).accuracy())
}
