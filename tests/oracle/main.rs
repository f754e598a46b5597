//! Numbers of two reference implementations, reproduced tensor by tensor.
//!
//! Taken are the files in this folder and those in the folder that `FF_ORACLE_DIR` names: any widths,
//! depths and batch sizes, told apart by the names of their tensors.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod comparison;
mod files;
mod official;
mod original;

use ff_backend::oracle::Oracle;
use ff_backend_cpu::Cpu;
#[cfg(feature = "openblas")]
use ff_backend_openblas::OpenBlas;

#[test]
fn a_batch_of_the_original_toolkit() {
    for file in files::having(original::MARK) {
        original::follow(&Cpu::<f32>::new(0).unwrap(), "cpu", &file).finish();
        original::follow(&Oracle, "oracle", &file).finish();
        #[cfg(feature = "openblas")]
        original::follow(&OpenBlas::<f32>::new(), "openblas", &file).finish();
    }
}

#[test]
fn the_trajectory_of_the_official_code() {
    for file in files::having(official::MARK) {
        official::follow(&Oracle, "oracle", &file, 1e-4).finish();
        official::follow(&Cpu::<f64>::new(0).unwrap(), "cpu in double precision", &file, 1e-4).finish();
        #[cfg(feature = "openblas")]
        {
            let openblas = OpenBlas::<f64>::new();
            official::follow(&openblas, "openblas in double precision", &file, 1e-4).finish();
        }
        // Training amplifies the roundings of single precision: in wide layers, beyond 1e-4 in four epochs.
        let later = if file.is_committed() { 1e-4 } else { 1e-3 };
        official::follow(&Cpu::<f32>::new(0).unwrap(), "cpu", &file, later).finish();
    }
}
