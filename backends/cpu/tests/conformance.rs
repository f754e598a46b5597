//! The CPU backend agrees with the oracle, on any number of threads, the same way every time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use ff_backend::conformance::{Effort, run};
use ff_backend::{
    Backend, Delta, IndexSlice, Input, LabelCode, LabelFeatures, Normalization, Parameter, Peer, Rule,
    Tensor, Weights,
};
use ff_backend_cpu::{Cpu, InstructionSet, Scalar};

fn conforms<T: Scalar>(cpu: &Cpu<T>, effort: Effort) {
    let report = run(cpu, effort);
    println!("{}, {effort:?}\n{report}", T::NAME);
    assert!(report.passed(), "{report}");
}

#[test]
fn single_precision() {
    conforms(&Cpu::<f32>::new(2).unwrap(), Effort::Full);
}

#[test]
fn double_precision() {
    conforms(&Cpu::<f64>::new(2).unwrap(), Effort::Full);
}

#[test]
fn without_shortcuts() {
    conforms(&Cpu::<f32>::new(2).unwrap().with_exact_shortcuts(false), Effort::Quick);
    let trained = |on| trained(&Cpu::new(2).unwrap().with_exact_shortcuts(on));
    assert!(trained(true) == trained(false), "leaving zeros out changes numbers");
}

#[test]
fn any_number_of_threads() {
    for threads in [1, 3] {
        conforms(&Cpu::<f32>::new(threads).unwrap(), Effort::Quick);
    }
}

/// The instruction sets that this machine has by what its system says.
fn required() -> Vec<InstructionSet> {
    let described = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let flags: Vec<&str> = described
        .lines()
        .find_map(|line| line.strip_prefix("flags")?.split_once(':'))
        .map_or(Vec::new(), |(_, flags)| flags.split_whitespace().collect());
    let has = |needed: &[&str]| needed.iter().all(|flag| flags.contains(flag));
    let mut required = vec![InstructionSet::Portable];
    if has(&["avx2", "fma"]) {
        required.push(InstructionSet::Avx2);
    }
    if has(&["avx512f", "avx512vl", "avx512dq", "avx512bw", "avx2", "fma"]) {
        required.push(InstructionSet::Avx512);
    }
    required
}

/// Every instruction set that this machine has, dense and by lists.
#[test]
fn any_instructions() {
    let required = required();
    for set in InstructionSet::ALL {
        let Some(cpu) = Cpu::<f32>::new(2).unwrap().with_instructions(set) else {
            assert!(!required.contains(&set), "{} is not used, though this processor has it", set.name());
            println!("SKIPPED: this processor has no {}", set.name());
            continue;
        };
        conforms(&cpu.with_break_even(0.0), Effort::Quick);
        conforms(&Cpu::<f64>::new(2).unwrap().with_instructions(set).unwrap(), Effort::Quick);
    }
}

#[test]
fn every_product_by_lists() {
    conforms(&Cpu::<f32>::new(2).unwrap().with_break_even(1.0), Effort::Full);
}

/// Bits of a layer after three fused steps, wide enough for several tiles and threads.
fn trained(cpu: &Cpu) -> Vec<u32> {
    let (pairs, features, classes, width) = (21, 301, 10, 1201);
    let waves = |rows: usize, columns: usize, pace: f32| {
        let mut matrix = cpu.zeros(rows, columns).unwrap();
        let values: Vec<f32> = (0..rows * columns).map(|i| (i as f32 * pace).sin()).collect();
        cpu.upload(&mut matrix, &values).unwrap();
        matrix
    };
    fn parameter<T: Tensor<Cpu>>(cpu: &Cpu, values: &[f32], rows: usize, columns: usize) -> Parameter<T> {
        let zeros = || T::zeros(cpu, rows, columns).unwrap();
        let mut value = zeros();
        cpu.upload(&mut value, values).unwrap();
        Parameter { value, first: zeros(), second: Some(zeros()) }
    }
    let wave = |count: usize| -> Vec<f32> { (0..count).map(|i| (i as f32 * 0.37).sin()).collect() };
    let fan_in = classes + features;
    let mut layer = Weights {
        weight: parameter(cpu, &wave(fan_in * width), fan_in, width),
        bias: Some(parameter(cpu, &wave(width), 1, width)),
    };
    let mut labels = cpu.indices(2 * pairs).unwrap();
    cpu.upload_indices(&mut labels, &(0..2 * pairs as u32).map(|r| r % 10).collect::<Vec<_>>()).unwrap();
    let (images, mut squares) = (waves(pairs, features, 0.11), cpu.zeros(1, pairs).unwrap());
    cpu.upload(&mut squares, &vec![150.0; pairs]).unwrap();
    let label = LabelFeatures {
        code: LabelCode::Each(IndexSlice { indices: &labels, offset: 0 }),
        classes,
        strength: 1.0,
        normalized: true,
    };
    let input =
        Input { features: &images, squares: &squares, normalization: Normalization::Rms, label: Some(label) };
    let (coefficients, mean) = (waves(1, 2 * pairs, 0.7), waves(1, width, 0.2));
    let mut product = cpu.zeros(pairs, width).unwrap();
    let (mut out, mut goodness) = (cpu.zeros(2 * pairs, width).unwrap(), cpu.zeros(1, 2 * pairs).unwrap());
    for step in 1..=3 {
        cpu.product(&images, &layer.weight.value, classes, &mut product).unwrap();
        cpu.activate(&product, &input, &layer, &mut out, &mut goodness).unwrap();
        let peer = Peer { mean: &mean, strength: 0.03, rows: pairs };
        let delta = Delta { coefficients: &coefficients, outputs: &out, peer: Some(peer) };
        cpu.learn(&input, &delta, &mut layer, Rule::Adam { rate: 0.01, step, idle: 1 }).unwrap();
    }
    let bias = layer.bias.unwrap();
    let weights = [&layer.weight.value, &layer.weight.first].map(|weight| cpu.download(weight).unwrap());
    let matrices = [&bias.value, &out, &goodness].map(|matrix| cpu.download(matrix).unwrap());
    weights.into_iter().chain(matrices).flatten().map(f32::to_bits).collect()
}

#[test]
fn same_bits_on_any_number_of_threads() {
    let one = trained(&Cpu::new(1).unwrap());
    for threads in [1, 2, 3, 5] {
        assert!(one == trained(&Cpu::new(threads).unwrap()), "one thread and {threads} threads differ");
    }
}
