//! The reference backend: ndarray and OpenBLAS, in f32 and f64.
//!
//! Each operation is a few plain lines that a reader holds against the formula in [`ff_backend::Backend`]: products
//! are OpenBLAS's, everything else is a loop over rows. Nothing is fused, nothing is left out. OpenBLAS runs on one
//! thread: the same seed gives the same bits on the same processor.
//!
//! Matrices hold `T`; what is added up over a row, and every formula of a single number, is worked out in f64 and
//! rounded once.

mod backend;
mod blas;
mod formulas;
// glibc calls initializers with the environment.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod loading;
mod matrix;

use std::marker::PhantomData;

use ff_backend::Real;
use ndarray::{LinalgScalar, NdFloat};

pub use matrix::Matrix;

/// f32, or f64 for gradient checks.
pub trait Scalar: Real + LinalgScalar + NdFloat {
    /// The name of the precision.
    const PRECISION: &'static str;
}

impl Scalar for f32 {
    const PRECISION: &'static str = "fp32";
}

impl Scalar for f64 {
    const PRECISION: &'static str = "fp64";
}

/// The reference backend.
pub struct OpenBlas<T: Scalar = f32> {
    version: &'static str,
    scalar: PhantomData<T>,
}

impl<T: Scalar> OpenBlas<T> {
    /// The backend on one thread.
    pub fn new() -> Self {
        OpenBlas { version: blas::on_one_thread(), scalar: PhantomData }
    }
}

impl<T: Scalar> Default for OpenBlas<T> {
    fn default() -> Self {
        OpenBlas::new()
    }
}
