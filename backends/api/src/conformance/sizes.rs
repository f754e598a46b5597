//! Which shapes and how many.

use super::draw::Draw;

/// How much of the suite to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Every operation and option, each size once, small where it stands beside a large one.
    Quick,
    /// Quick, and larger shapes in seeded combinations.
    Full,
}

/// One, primes, powers of two, their neighbours, and the width of Hinton's layers: in every position.
const SIZES: [usize; 7] = [1, 7, 61, 64, 93, 128, 2000];

/// How many combinations of sizes `Full` draws for each operation.
const COMBINATIONS: usize = 12;

impl Effort {
    /// Shapes of `D` dimensions: each varied alone, and for `Full` a sample of all combinations
    /// that cost at most `cost` steps of the oracle.
    pub(super) fn shapes<const D: usize>(self, cost: usize) -> Vec<[usize; D]> {
        let mut shapes = vec![[7; D]];
        let mut add = |shape| {
            let new = !shapes.contains(&shape);
            if new {
                shapes.push(shape);
            }
            new
        };
        let bases: &[usize] = if self == Effort::Quick { &[7] } else { &[7, 61] };
        for &base in bases {
            for position in 0..D {
                for size in SIZES {
                    let mut shape = [base; D];
                    shape[position] = size;
                    add(shape);
                }
            }
        }
        let mut draw = Draw::seeded(D as u64);
        // One dimension has no other combinations.
        let mut missing = if self == Effort::Quick || D == 1 { 0 } else { COMBINATIONS };
        while missing > 0 {
            let shape = [(); D].map(|()| SIZES[draw.below(SIZES.len())]);
            if shape.iter().product::<usize>() <= cost && add(shape) {
                missing -= 1;
            }
        }
        shapes
    }

    /// `shapes` for `Full` alone.
    pub(super) fn large<T>(self, shapes: Vec<T>) -> Vec<T> {
        if self == Effort::Full { shapes } else { Vec::new() }
    }
}
