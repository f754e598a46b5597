//! Trains every cell of an experiment, and prints the table: `cargo run --release --example sweep`.

use std::error::Error;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use ff_backend_cpu::Cpu;
use forward_forward::config::Experiment;
use forward_forward::data::{Dataset, Splits};
use forward_forward::run::Summary;
use forward_forward::sweep::{CellError, Engine, Spec, SweepDirectory, Task, Work};
use forward_forward::training::{self, Limits, Options};

const EXPERIMENT: &str = "name = 'example'
data.dataset = 'digits'
training.num_epochs = 2
logging.figures = false
[sweep]
width = [16, 32]
seed = [1, 2]
";

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).unwrap_or("runs/example-sweep".into());
    print!("{}", sweep(Path::new(&folder))?);
    Ok(())
}

/// All cells learn from the same rows; another process may train other cells of the same directory.
struct Cells {
    backend: Cpu<f32>,
    splits: Splits,
    stop: AtomicBool,
}

impl Work for Cells {
    fn train(&self, task: &Task) -> Result<Summary, CellError> {
        let limits = Limits { stop: &self.stop, until: task.until };
        let options = Options { resume: task.resume, limits, ..Options::default() };
        Ok(training::run(&self.backend, &task.cell.config, &self.splits, task.directory, options)?)
    }
}

/// Trains what is not done yet; results.md of all cells.
pub fn sweep(folder: &Path) -> Result<String, Box<dyn Error>> {
    std::fs::create_dir_all(folder)?;
    let file = folder.with_extension("toml");
    std::fs::write(&file, EXPERIMENT)?;
    let experiment = Experiment::load(&file, &[], &[])?;
    let dataset = Dataset::load(&"digits".parse()?, "", false)?;
    let splits = Splits::new(dataset, 0, 0)?;
    let work = Cells { backend: Cpu::new(1)?, splits, stop: AtomicBool::new(false) };
    let directory = SweepDirectory::new(folder);
    directory.adopt(&Spec::new(&experiment, 1), false)?;
    let (experiment, stop) = (&experiment, &work.stop);
    Engine { experiment, directory: &directory, work: &work, jobs: 2, fail_fast: true, stop }.run()?;
    directory.gather(experiment, false)?;
    Ok(std::fs::read_to_string(folder.join("results.md"))?)
}
