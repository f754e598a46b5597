//! A product and a gradient on which two ways to multiply have to agree.

use ff_backend::{Backend, Delta, Gradient, Input, Normalization, Result};

use crate::{Matrix, OpenCl, Precision};

/// Sizes of the trial: none a multiple of a tile, more than one tile each.
const ROWS: usize = 150;
const FEATURES: usize = 201;
const UNITS: usize = 203;

impl OpenCl {
    /// A product and a gradient of noise.
    pub(crate) fn trial(&self) -> Result<Vec<f32>> {
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

/// Whether a trial's sums are those of single precision.
///
/// A product rounded to tf32 is off by at most 2⁻¹⁰ of itself, one in single precision by 2⁻²⁰, sums included;
/// products average to 1/16; wrong index maps are off by 1.
pub(crate) fn agree(
    values: &[f32],
    expected: &[f32],
    precision: Precision,
) -> std::result::Result<(), String> {
    let each = match precision {
        Precision::Fp32 => 1.0 / (1 << 20) as f32,
        Precision::Tf32 => 1.0 / 1024.0,
    };
    let allowed = ROWS.max(FEATURES) as f32 / 16.0 * each;
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
    use crate::{KernelPath, Options, devices};

    #[test]
    fn the_trial_passes_what_is_right_and_nothing_else() {
        let Some(candidate) = devices().ok().and_then(|found| found.into_iter().next()) else {
            println!("skipped: no OpenCL platform");
            return;
        };
        let on = |path| {
            let by_tiles = Options { exact_shortcuts: false, path: Some(path), ..Options::default() };
            OpenCl::new(candidate.clone(), by_tiles).unwrap()
        };
        let expected = on(KernelPath::Portable).trial().unwrap();
        let emulated = on(KernelPath::EmulatedTensorCores).trial().unwrap();
        assert_eq!(agree(&emulated, &expected, Precision::Tf32), Ok(()));
        assert!(agree(&emulated, &expected, Precision::Fp32).is_err(), "tf32 counts as single precision");
        assert_eq!(agree(&on(KernelPath::Tiled).trial().unwrap(), &expected, Precision::Fp32), Ok(()));
        let mut swapped = expected.clone();
        swapped.rotate_right(1);
        assert!(agree(&swapped, &expected, Precision::Tf32).is_err());
        assert!(agree(&vec![f32::NAN; expected.len()], &expected, Precision::Tf32).is_err());
    }
}
