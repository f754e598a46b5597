//! Central differences.

use ff_backend::{Backend, Real, Tensor};

/// Small enough for the curvature, large enough for the rounding of f64.
const STEP: f64 = 1e-5;

/// The values of a matrix.
pub fn fetch<B: Backend>(backend: &B, source: &impl Tensor<B>) -> Vec<f64> {
    backend.download(source).unwrap().into_iter().map(Real::to_f64).collect()
}

/// Sets the values of a matrix.
pub fn send<B: Backend>(backend: &B, target: &mut impl Tensor<B>, values: &[f64]) {
    let values: Vec<B::Real> = values.iter().map(|&x| B::Real::from_f64(x)).collect();
    backend.upload(target, &values).unwrap();
}

/// The slope of `loss` along each of `values`.
pub fn slopes(values: &[f64], mut loss: impl FnMut(&[f64]) -> f64) -> Vec<f64> {
    let mut moved = values.to_vec();
    let slope = |i: usize| {
        let mut at = |x: f64| {
            moved[i] = x;
            loss(&moved)
        };
        let slope = (at(values[i] + STEP) - at(values[i] - STEP)) / (2.0 * STEP);
        moved[i] = values[i];
        slope
    };
    (0..values.len()).map(slope).collect()
}

/// ‖x − y‖ / ‖y‖.
pub fn relative_error(x: &[f64], y: &[f64]) -> f64 {
    assert_eq!(x.len(), y.len());
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>().sqrt();
    norm(&mut x.iter().zip(y).map(|(x, y)| x - y)) / norm(&mut y.iter().copied())
}
