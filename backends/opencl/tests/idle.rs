//! Adam's idle steps: more than one launch holds.
#![allow(clippy::unwrap_used)]

use ff_backend::oracle::Oracle;
use ff_backend::{Backend, Gradient, Parameter, Real, Rule, Tensor, Weights};
use ff_backend_opencl::{OpenCl, Options, devices};

const COUNT: usize = 40;

fn filled<B: Backend, T: Tensor<B>>(backend: &B, f: fn(f64) -> f64) -> T {
    let mut tensor = T::zeros(backend, 1, COUNT).unwrap();
    let values: Vec<B::Real> = (0..COUNT).map(|i| B::Real::from_f64(f(i as f64))).collect();
    backend.upload(&mut tensor, &values).unwrap();
    tensor
}

fn parameter<B: Backend, T: Tensor<B>>(backend: &B) -> Parameter<T> {
    let second = Some(filled(backend, |i| 1.0 + (i * 0.3).cos().powi(2)));
    Parameter { value: filled(backend, f64::sin), first: filled(backend, f64::cos), second }
}

fn after<B: Backend>(backend: &B, idle: u32) -> Vec<f64> {
    let mut layer = Weights { weight: parameter(backend), bias: Some(parameter(backend)) };
    let slope = |i: f64| (i * 0.7).sin();
    let gradient = Gradient { weight: filled(backend, slope), bias: Some(filled(backend, slope)) };
    backend.update(&mut layer, &gradient, Rule::Adam { rate: 0.01, step: 3, idle }).unwrap();
    let Parameter { value, first, second } = layer.weight;
    let weight = [value, first, second.unwrap()].map(|part| backend.download(&part).unwrap());
    let Parameter { value, first, second } = layer.bias.unwrap();
    let bias = [value, first, second.unwrap()].map(|part| backend.download(&part).unwrap());
    weight.into_iter().chain(bias).flatten().map(Real::to_f64).collect()
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
