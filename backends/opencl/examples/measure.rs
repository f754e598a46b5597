//! Milliseconds of one baseline training step (batch 128 + 128) on a kernel path, or on the CPU backend.
//!
//! `cargo run --release -p ff-backend-opencl --example measure -- [portable|tiled|tf32|cpu] [WIDTH]...`

use std::time::Instant;

use ff_backend::{
    Backend, Delta, IndexSlice, Input, LabelCode, LabelFeatures, Loss, Normalization, Objective, Parameter,
    Result, Rule, TALLY_ROWS, Tally, Tensor, Weights,
};
use ff_backend_cpu::Cpu;
use ff_backend_opencl::{KernelPath, OpenCl, Options, Precision, choose};

const PAIRS: usize = 128;
const PIXELS: usize = 784;
const CLASSES: usize = 10;
const DEPTH: usize = 4;

struct Step<'a, B: Backend> {
    backend: &'a B,
    images: B::Matrix,
    image_squares: B::Matrix,
    product: B::Matrix,
    labels: B::Indices,
    layers: Vec<Weights<B>>,
    hidden: Vec<B::Matrix>,
    squares: Vec<B::Matrix>,
    coefficients: B::Matrix,
    tally: B::Matrix,
}

/// Small pseudo-random numbers.
fn noise(count: usize, scale: f64) -> impl Iterator<Item = f64> {
    let hash = |i: usize| (i as u32).wrapping_mul(0x9E37_79B9) ^ (i as u32 >> 7).wrapping_mul(0x85EB_CA6B);
    (0..count).map(move |i| scale * (f64::from(hash(i)) / 4_294_967_296.0 - 0.5))
}

fn filled<B: Backend, T: Tensor<B>>(backend: &B, rows: usize, columns: usize, scale: f64) -> Result<T> {
    use ff_backend::Real;
    let mut tensor = T::zeros(backend, rows, columns)?;
    let values: Vec<B::Real> = noise(rows * columns, scale).map(B::Real::from_f64).collect();
    backend.upload(&mut tensor, &values)?;
    Ok(tensor)
}

fn parameter<B: Backend, T: Tensor<B>>(
    backend: &B,
    rows: usize,
    columns: usize,
    scale: f64,
) -> Result<Parameter<T>> {
    let zeros = || T::zeros(backend, rows, columns);
    Ok(Parameter { value: filled(backend, rows, columns, scale)?, first: zeros()?, second: Some(zeros()?) })
}

impl<'a, B: Backend> Step<'a, B> {
    fn new(backend: &'a B, width: usize) -> Result<Self> {
        let rows = 2 * PAIRS;
        let fan_in = |l: usize| if l == 0 { PIXELS } else { width };
        let layer = |l| {
            let weight = parameter(backend, fan_in(l), width, 0.1)?;
            Ok(Weights { weight, bias: Some(parameter(backend, 1, width, 0.1)?) })
        };
        let mut labels = backend.indices(rows)?;
        backend.upload_indices(&mut labels, &(0..rows as u32).map(|r| r % 10).collect::<Vec<_>>())?;
        let image_square = vec![<B::Real as ff_backend::Real>::from_f64(100.0); PAIRS];
        let mut image_squares = backend.zeros(1, PAIRS)?;
        backend.upload(&mut image_squares, &image_square)?;
        Ok(Step {
            backend,
            images: filled(backend, PAIRS, PIXELS - CLASSES, 1.0)?,
            image_squares,
            product: backend.zeros(PAIRS, width)?,
            labels,
            layers: (0..DEPTH).map(layer).collect::<Result<_>>()?,
            hidden: (0..DEPTH).map(|_| backend.zeros(rows, width)).collect::<Result<_>>()?,
            squares: (0..DEPTH).map(|_| backend.zeros(1, rows)).collect::<Result<_>>()?,
            coefficients: backend.zeros(1, rows)?,
            tally: backend.zeros(TALLY_ROWS, DEPTH)?,
        })
    }

    fn run(&mut self, step: u64, seconds: &mut [f64; 2], waits: bool) -> Result<()> {
        let backend = self.backend;
        let loss = Loss::Bce { threshold: 2.0, temperature: 1.0 };
        let objective = Objective { loss, factor: 1.0, gradient_scales: [1.0, 1.0] };
        let code = LabelCode::Each(IndexSlice { indices: &self.labels, offset: 0 });
        let label = LabelFeatures { code, classes: CLASSES, strength: 1.0, normalized: true };
        for l in 0..DEPTH {
            let start = Instant::now();
            let (below, above) = self.hidden.split_at_mut(l);
            let (squares_below, squares_above) = self.squares.split_at_mut(l);
            let (out, squares) = (&mut above[0], &mut squares_above[0]);
            let input = match below.last().zip(squares_below.last()) {
                None => Input {
                    features: &self.images,
                    squares: &self.image_squares,
                    normalization: Normalization::Unit,
                    label: Some(label),
                },
                Some((features, squares)) => {
                    Input { features, squares, normalization: Normalization::Unit, label: None }
                }
            };
            if l == 0 {
                let weight = &self.layers[0].weight.value;
                backend.product(&self.images, weight, CLASSES, &mut self.product)?;
                backend.activate(&self.product, &input, &self.layers[0], out, squares)?;
            } else {
                backend.project(&input, &self.layers[l], out, squares)?;
            }
            let tally = Tally { sums: &mut self.tally, layer: l };
            backend.coefficients(squares, &objective, &mut self.coefficients, tally)?;
            if waits {
                backend.synchronize()?;
                seconds[0] += start.elapsed().as_secs_f64();
            }
            let start = Instant::now();
            let delta = Delta { coefficients: &self.coefficients, outputs: out, peer: None };
            backend.learn(&input, &delta, &mut self.layers[l], Rule::Adam { rate: 1e-3, step, idle: 0 })?;
            if waits {
                backend.synchronize()?;
                seconds[1] += start.elapsed().as_secs_f64();
            }
        }
        Ok(())
    }
}

fn measure<B: Backend>(backend: &B, width: usize) -> Result<()> {
    let mut step = Step::new(backend, width)?;
    let steps = if width > 1000 { 5 } else { 20 };
    let start = Instant::now();
    step.run(1, &mut [0.0; 2], true)?;
    let first = start.elapsed().as_secs_f64();
    for t in 2..=3 {
        step.run(t, &mut [0.0; 2], true)?;
    }
    let mut best = f64::INFINITY;
    for round in 0..5 {
        let start = Instant::now();
        for t in 0..steps {
            step.run(4 + round * steps + t, &mut [0.0; 2], false)?;
        }
        backend.synchronize()?;
        best = best.min(start.elapsed().as_secs_f64() / steps as f64);
    }
    let mut parts = [0.0; 2];
    for t in 0..steps {
        step.run(100 + t, &mut parts, true)?;
    }
    let products = PAIRS * (PIXELS - CLASSES) * width + 2 * PAIRS * (DEPTH - 1) * width * width;
    let flops = 2.0 * products as f64;
    let [forward, learn] = parts.map(|seconds| seconds / steps as f64);
    println!(
        "{DEPTH} × {width}: {:.2} ms a step ({:.0} GFLOP/s); forward {:.2} ms ({:.0}), learn {:.2} ms ({:.0}); first step {first:.2} s",
        1e3 * best,
        2.0 * flops / best / 1e9,
        1e3 * forward,
        flops / forward / 1e9,
        1e3 * learn,
        flops / learn / 1e9
    );
    Ok(())
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap_or_else(|| "portable".into());
    let mut widths: Vec<usize> = arguments.filter_map(|width| width.parse().ok()).collect();
    if widths.is_empty() {
        widths = vec![500, 2000];
    }
    if path == "cpu" {
        let backend = Cpu::<f32>::new(0)?;
        println!("{}", backend.device().device);
        return widths.into_iter().try_for_each(|width| measure(&backend, width));
    }
    let options = Options {
        precision: if path == "tf32" { Precision::Tf32 } else { Precision::Fp32 },
        path: Some(if path == "portable" { KernelPath::Portable } else { KernelPath::Tiled }),
        ..Options::default()
    };
    let start = Instant::now();
    let backend = OpenCl::new(choose("opencl")?, options)?;
    println!("{}: kernels built in {:.2} s", backend.candidate(), start.elapsed().as_secs_f64());
    backend.notes().iter().for_each(|note| println!("{note}"));
    widths.into_iter().try_for_each(|width| measure(&backend, width))
}
