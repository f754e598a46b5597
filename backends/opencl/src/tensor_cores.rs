//! Products on NVIDIA's tensor cores: only where there are some, and only if they agree with plain ones.

use ff_backend::{Backend, Delta, Gradient, Input, Normalization, Result};

use crate::program::Products;
use crate::{Candidate, KernelPath, Matrix, OpenCl, Tuning};

/// First compute capability with tf32.
const FIRST_CAPABILITY: (u32, u32) = (8, 0);

/// Sizes of the trial: none a multiple of a tile, more than one tile each.
const ROWS: usize = 150;
const FEATURES: usize = 201;
const UNITS: usize = 203;

impl OpenCl {
    /// Takes tensor cores for the products if they can be had; else leaves a note why not.
    pub(crate) fn adopt_tensor_cores(&mut self) {
        if let Err(reason) = self.try_tensor_cores() {
            self.notes.push(format!("tf32 cannot be had: {reason}; products are fp32"));
        }
    }

    fn try_tensor_cores(&mut self) -> std::result::Result<(), String> {
        available(&self.candidate)?;
        let cut_as = |tuning| Tuning { path: KernelPath::TensorCores, ..tuning };
        let same = Some(cut_as(self.tuning)).filter(|tuning| tuning.check(&self.candidate).is_ok());
        let tuning = same.unwrap_or(cut_as(Tuning::GPU));
        tuning.check(&self.candidate).map_err(|error| error.to_string())?;
        let products =
            Products::new(&self.context, &self.candidate, &tuning).map_err(|error| error.to_string())?;
        let expected = self.trial().map_err(|error| error.to_string())?;
        let plain = (std::mem::replace(&mut self.products, products), self.tuning);
        self.tuning = tuning;
        let agrees = match self.trial() {
            Ok(values) => agree(&values, &expected),
            Err(error) => Err(error.to_string()),
        };
        if agrees.is_err() {
            (self.products, self.tuning) = plain;
        }
        agrees
    }

    /// A product and a gradient of noise.
    fn trial(&self) -> Result<Vec<f32>> {
        let features = self.noise(ROWS, FEATURES, 1)?;
        let weight = self.noise(FEATURES, UNITS, 2)?;
        let outputs = self.noise(ROWS, UNITS, 3)?;
        let (squares, mut coefficients) = (self.zeros(1, ROWS)?, self.zeros(1, ROWS)?);
        self.upload(&mut coefficients, &[1.0; ROWS])?;
        let mut product = self.zeros(ROWS, UNITS)?;
        self.product(&features, &weight, 0, &mut product)?;
        let input =
            Input { features: &features, squares: &squares, normalization: Normalization::None, label: None };
        let delta = Delta { coefficients: &coefficients, outputs: &outputs, peer: None };
        let mut gradient = Gradient { weight: self.weight(FEATURES, UNITS)?, bias: None };
        self.gradient(&input, &delta, &mut gradient)?;
        let mut values = self.download(&product)?;
        values.extend(self.download(&gradient.weight)?);
        Ok(values)
    }

    /// Numbers between −1/2 and 1/2.
    fn noise(&self, rows: usize, columns: usize, seed: u32) -> Result<Matrix> {
        let hash = |i: u32| (i ^ seed << 24).wrapping_mul(0x9E37_79B9) ^ (i >> 5).wrapping_mul(0x85EB_CA6B);
        let values: Vec<f32> =
            (0..(rows * columns) as u32).map(|i| hash(i) as f32 / u32::MAX as f32 - 0.5).collect();
        let mut matrix = self.zeros(rows, columns)?;
        self.upload(&mut matrix, &values)?;
        Ok(matrix)
    }
}

fn available(candidate: &Candidate) -> std::result::Result<(), String> {
    match candidate.compute_capability {
        Some(capability) if capability >= FIRST_CAPABILITY => Ok(()),
        Some((major, minor)) => {
            Err(format!("{candidate} has compute capability {major}.{minor}, 8.0 is needed"))
        }
        None => Err(format!("{candidate} is not NVIDIA's")),
    }
}

/// Each term is off by at most 2⁻¹⁰ of itself, and terms average to 1/16; wrong index maps are off by 1.
fn agree(values: &[f32], expected: &[f32]) -> std::result::Result<(), String> {
    let allowed = ROWS.max(FEATURES) as f32 / 16.0 / 1024.0;
    // A NaN is not close.
    let close = values.iter().zip(expected).filter(|(a, b)| (*a - *b).abs() <= allowed).count();
    match expected.len() - close {
        0 => Ok(()),
        wrong => Err(format!("{wrong} of {} sums disagree with single precision", expected.len())),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{Options, devices};

    #[test]
    fn the_trial_passes_what_is_right_and_nothing_else() {
        let Some(candidate) = devices().ok().and_then(|found| found.into_iter().next()) else {
            println!("skipped: no OpenCL platform");
            return;
        };
        let on = |path| {
            OpenCl::new(candidate.clone(), Options { path: Some(path), ..Options::default() }).unwrap()
        };
        let expected = on(KernelPath::Portable).trial().unwrap();
        let emulated = on(KernelPath::EmulatedTensorCores).trial().unwrap();
        assert_eq!(agree(&emulated, &expected), Ok(()));
        assert_ne!(emulated, expected);
        let mut swapped = expected.clone();
        swapped.rotate_right(1);
        assert!(agree(&swapped, &expected).is_err());
        assert!(agree(&vec![f32::NAN; expected.len()], &expected).is_err());
    }
}
