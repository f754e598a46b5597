//! Writes the programs of the GPU tunings for other compilers to check: `DIR/NAME.cl` and `DIR/NAME.options`.
//!
//! `cargo run -p ff-backend-opencl --example programs -- DIR`

use std::path::PathBuf;

use ff_backend_opencl::{KernelPath, Source, Tuning};

fn main() -> std::io::Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "programs".into()));
    std::fs::create_dir_all(&folder)?;
    let tensor_cores = Tuning { path: KernelPath::TensorCores, ..Tuning::GPU };
    for (name, tuning) in [("gpu", Tuning::GPU), ("gpu-32k", Tuning::SMALL_GPU), ("gpu", tensor_cores)] {
        for source in Source::of(&tuning) {
            let path = folder.join(format!("{name}-{}", source.name));
            std::fs::write(path.with_extension("cl"), source.text)?;
            std::fs::write(path.with_extension("options"), source.options)?;
        }
    }
    Ok(())
}
