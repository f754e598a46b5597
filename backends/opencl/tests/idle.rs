//! Adam's idle steps: more than one launch holds.
#![allow(clippy::unwrap_used)]

use ff_backend::oracle::Oracle;
use ff_backend::{Backend, Parameter, Real, Rule};
use ff_backend_opencl::{OpenCl, Options, devices};

const COUNT: usize = 40;

fn after<B: Backend>(backend: &B, idle: u32) -> Vec<f64> {
    let filled = |f: fn(f64) -> f64| {
        let mut matrix = backend.zeros(1, COUNT).unwrap();
        let values: Vec<B::Real> = (0..COUNT).map(|i| B::Real::from_f64(f(i as f64))).collect();
        backend.upload(&mut matrix, &values).unwrap();
        matrix
    };
    let second = Some(filled(|i| 1.0 + (i * 0.3).cos().powi(2)));
    let mut parameter = Parameter { value: filled(f64::sin), first: filled(f64::cos), second };
    let gradient = filled(|i| (i * 0.7).sin());
    backend.update(&mut parameter, &gradient, Rule::Adam { rate: 0.01, step: 3, idle }).unwrap();
    let Parameter { value, first, second } = parameter;
    let all = [value, first, second.unwrap()];
    all.iter().flat_map(|matrix| backend.download(matrix).unwrap()).map(Real::to_f64).collect()
}

#[test]
fn any_number_of_idle_steps_is_taken() {
    let Some(candidate) = devices().ok().and_then(|found| found.into_iter().next()) else {
        println!("skipped: no OpenCL platform");
        return;
    };
    let backend = OpenCl::new(candidate, Options::default()).unwrap();
    for idle in [0, 6, 7, 8, 15, 30] {
        for (got, expected) in after(&backend, idle).into_iter().zip(after(&Oracle, idle)) {
            assert!((got - expected).abs() <= 1e-5, "{idle} idle steps: {got} is not {expected}");
        }
    }
}
