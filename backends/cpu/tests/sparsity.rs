//! Products by lists have the bits of dense tiles, at any density, in any shape, with any instructions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use ff_backend::{
    Backend, Delta, Input, LabelCode, LabelFeatures, Normalization, Parameter, Peer, Rule, Tensor, Weights,
};
use ff_backend_cpu::{Cpu, InstructionSet};

/// Numbers that look random, the same in every call.
struct Draw(u32);

impl Draw {
    fn unit(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) as f32 / (1 << 24) as f32
    }

    /// An activity: 0, also −0, with a probability of 1 − density; otherwise of any size, some subnormal.
    fn activity(&mut self, density: f32) -> f32 {
        let (on, kind, value) = (self.unit() < density, self.unit(), self.unit());
        match on {
            false if kind < 0.1 => -0.0,
            false => 0.0,
            true if kind < 0.02 => 1e-41,
            true if kind < 0.04 => value * 1e-25,
            true => value,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Shape {
    rows: usize,
    features: usize,
    units: usize,
}

fn matrix(cpu: &Cpu, rows: usize, columns: usize, values: impl FnMut() -> f32) -> <Cpu as Backend>::Matrix {
    let mut matrix = cpu.zeros(rows, columns).unwrap();
    let values: Vec<f32> = std::iter::repeat_with(values).take(rows * columns).collect();
    cpu.upload(&mut matrix, &values).unwrap();
    matrix
}

fn parameter<T: Tensor<Cpu>>(cpu: &Cpu, rows: usize, columns: usize, draw: &mut Draw) -> Parameter<T> {
    let values: Vec<f32> = (0..rows * columns).map(|_| draw.unit() - 0.5).collect();
    let mut value = T::zeros(cpu, rows, columns).unwrap();
    value.upload(cpu, &values).unwrap();
    let zeros = || T::zeros(cpu, rows, columns).unwrap();
    Parameter { value, first: zeros(), second: Some(zeros()) }
}

/// Bits of everything that a layer of `shape` makes of an input of this density, in three steps.
fn bits(cpu: &Cpu, shape: Shape, density: f32) -> Vec<u32> {
    let Shape { rows, features, units } = shape;
    let (classes, draw) = (10, &mut Draw(7));
    let input = matrix(cpu, rows, features, || draw.activity(density));
    let squares = matrix(cpu, 1, rows, || 3.0);
    let mut layer = Weights {
        weight: parameter(cpu, classes + features, units, draw),
        bias: Some(parameter(cpu, 1, units, draw)),
    };
    let head: Parameter<<Cpu as Backend>::Weight> = parameter(cpu, features, classes, draw);
    let mean = matrix(cpu, 1, units, || draw.unit());
    // Rows with a coefficient of 0 are left out.
    let coefficients = matrix(cpu, 1, rows, || if draw.unit() < 0.3 { 0.0 } else { draw.unit() - 0.5 });
    let label = LabelFeatures { code: LabelCode::Same(3), classes, strength: 1.0, normalized: true };
    let read =
        Input { features: &input, squares: &squares, normalization: Normalization::Unit, label: Some(label) };
    let (mut product, mut out) = (cpu.zeros(rows, units).unwrap(), cpu.zeros(rows, units).unwrap());
    let (mut goodness, mut logits) = (cpu.zeros(1, rows).unwrap(), cpu.zeros(rows, classes).unwrap());
    let mut all = Vec::new();
    for step in 1..=3 {
        cpu.product(&input, &layer.weight.value, classes, &mut product).unwrap();
        cpu.project(&read, &layer, &mut out, &mut goodness).unwrap();
        cpu.read_out(&input, &squares, Normalization::Rms, &head.value, &mut logits, false).unwrap();
        let peer = (step == 2).then_some(Peer { mean: &mean, strength: 0.03, rows: rows / 2 + 1 });
        let delta = Delta { coefficients: &coefficients, outputs: &out, peer };
        let rule = match step {
            1 => Rule::Adam { rate: 0.01, step, idle: 3 },
            _ => Rule::Momentum { rate: 0.01, momentum: 0.9, decay: 0.001 },
        };
        cpu.learn(&read, &delta, &mut layer, rule).unwrap();
        for matrix in [&product, &out, &goodness, &logits] {
            all.extend(cpu.download(matrix).unwrap());
        }
    }
    let Parameter { value, first, second } = &layer.weight;
    for weight in [value, first, second.as_ref().unwrap()] {
        all.extend(cpu.download(weight).unwrap());
    }
    all.into_iter().map(f32::to_bits).collect()
}

#[test]
fn lists_have_the_bits_of_dense_tiles() {
    let shapes = [(1, 1, 1), (7, 33, 31), (64, 300, 65), (130, 513, 97), (400, 61, 32)];
    for set in InstructionSet::ALL {
        let cpu = |threads| Cpu::new(threads).unwrap().with_instructions(set);
        let Some(dense) = cpu(1) else {
            println!("SKIPPED: this processor has no {}", set.name());
            continue;
        };
        let dense = dense.with_exact_shortcuts(false);
        for (rows, features, units) in shapes {
            let shape = Shape { rows, features, units };
            for density in [0.0, 0.01, 0.05, 0.2, 0.4, 0.8, 1.0] {
                let expected = bits(&dense, shape, density);
                let ways =
                    [("lists", 2, 1.0), ("tiles without zeros", 2, 0.0), ("lists, three threads", 3, 1.0)];
                for (way, threads, break_even) in ways {
                    let cpu = cpu(threads).unwrap().with_break_even(break_even);
                    let found = bits(&cpu, shape, density);
                    assert!(found == expected, "{}, {way}, {shape:?}, density {density}", set.name());
                }
            }
        }
    }
}

/// What is not finite in an activity or in a weight that is read reaches the sums on both ways.
#[test]
fn what_is_no_number_is_not_hidden() {
    for poison in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for break_even in [0.0, 1.0] {
            let cpu = Cpu::new(2).unwrap().with_break_even(break_even);
            let draw = &mut Draw(3);
            let mut values = vec![0.0; 16 * 300];
            values[5 * 300 + 77] = poison;
            let mut input = cpu.zeros(16, 300).unwrap();
            cpu.upload(&mut input, &values).unwrap();
            let weight: Parameter<<Cpu as Backend>::Weight> = parameter(&cpu, 300, 40, draw);
            let mut out = cpu.zeros(16, 40).unwrap();
            cpu.product(&input, &weight.value, 0, &mut out).unwrap();
            let out = cpu.download(&out).unwrap();
            assert!(out[5 * 40..6 * 40].iter().all(|x| !x.is_finite()), "{poison} is lost");
            assert!(out[..5 * 40].iter().all(|x| x.is_finite()));
        }
    }
}
