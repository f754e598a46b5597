//! The elementwise loops that follow a product.

use ff_backend::Rule;

use crate::Scalar;
use crate::vector::{Loop, widest};

/// Partial sums kept side by side, so that a sum can use vectors and still has one order.
pub const LANES: usize = 16;

/// h ← max(0, scale · p + factor · label + bias), the product p already in `out`.
#[inline(always)]
pub fn activate<T: Scalar>(scale: T, label: Option<(&[T], T)>, bias: Option<&[T]>, out: &mut [T]) {
    if let Some((label, factor)) = label {
        for (out, &add) in out.iter_mut().zip(label) {
            *out = scale * *out + factor * add;
        }
    } else {
        for out in out.iter_mut() {
            *out = scale * *out;
        }
    }
    rectify(bias, out);
}

/// h ← max(0, h + bias).
#[inline(always)]
pub fn rectify<T: Scalar>(bias: Option<&[T]>, out: &mut [T]) {
    if let Some(bias) = bias {
        for (out, &bias) in out.iter_mut().zip(bias) {
            *out += bias;
        }
    }
    for out in out.iter_mut() {
        // −0 becomes 0; what is not a number stays so, and is noticed.
        *out = if *out <= T::zero() { T::zero() } else { *out };
    }
}

/// out += factor · x.
#[inline(always)]
pub fn add_scaled<T: Scalar>(factor: T, x: &[T], out: &mut [T]) {
    for (out, &x) in out.iter_mut().zip(x) {
        *out += factor * x;
    }
}

/// out ← factor · out.
#[inline(always)]
pub fn multiply_by<T: Scalar>(factor: T, out: &mut [T]) {
    for out in out.iter_mut() {
        *out = factor * *out;
    }
}

struct SumOfSquares<'a, T>(&'a [T]);

impl<T: Scalar> Loop for SumOfSquares<'_, T> {
    type Output = T;
    #[inline(always)]
    fn run(self) -> T {
        dot(self.0, self.0)
    }
}

/// Σ x y, of as many elements each: element j belongs to lane j mod 16, each lane is added up in order.
#[inline(always)]
pub fn dot<T: Scalar>(x: &[T], y: &[T]) -> T {
    let mut lanes = [T::zero(); LANES];
    let ((xs, x_rest), (ys, y_rest)) = (x.as_chunks::<LANES>(), y.as_chunks::<LANES>());
    for (x, y) in xs.iter().zip(ys) {
        for (lane, (&x, &y)) in lanes.iter_mut().zip(x.iter().zip(y)) {
            *lane += x * y;
        }
    }
    for (lane, (&x, &y)) in lanes.iter_mut().zip(x_rest.iter().zip(y_rest)) {
        *lane += x * y;
    }
    fold_lanes(lanes)
}

/// The sum of the lanes: halves are added until one is left.
#[inline(always)]
pub fn fold_lanes<T: Scalar>(mut lanes: [T; LANES]) -> T {
    for half in [8, 4] {
        for i in 0..half {
            lanes[i] += lanes[i + half];
        }
    }
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])
}

/// Sums over a row in the order of [`dot`].
#[inline(always)]
pub fn lane_sums<T: Scalar, const N: usize>(row: &[T], terms: impl Fn(T) -> [T; N]) -> [T; N] {
    let mut lanes = [[T::zero(); LANES]; N];
    for chunk in row.chunks(LANES) {
        for (lane, &h) in chunk.iter().enumerate() {
            for (lanes, term) in lanes.iter_mut().zip(terms(h)) {
                lanes[lane] += term;
            }
        }
    }
    lanes.map(fold_lanes)
}

/// Σ x², in the order of [`dot`].
pub fn sum_of_squares<T: Scalar>(x: &[T]) -> T {
    widest(SumOfSquares(x))
}

/// An update rule with all that its steps have in common worked out.
pub enum Prepared<T> {
    /// v ← μ v − rest · g, flushed, w ← w + rate · (v − decay · w).
    Momentum {
        /// μ.
        mu: T,
        /// 1 − μ.
        rest: T,
        /// Step size.
        rate: T,
        /// Weight decay.
        decay: T,
    },
    /// Adam: rate / (1 − β₁ᵗ) and 1 / sqrt(1 − β₂ᵗ) of the step, then of each idle step.
    Adam {
        /// Of the step itself.
        now: (T, T),
        /// Of the steps on a zero gradient that follow.
        idle: Vec<(T, T)>,
    },
}

impl<T: Scalar> Prepared<T> {
    /// Works out the constants of a step.
    pub fn new(rule: Rule) -> Self {
        match rule {
            Rule::Momentum { rate, momentum, decay } => Prepared::Momentum {
                mu: T::from_f64(momentum),
                rest: T::from_f64(1.0 - momentum),
                rate: T::from_f64(rate),
                decay: T::from_f64(decay),
            },
            Rule::Adam { rate, step, idle } => {
                let corrected = |t: u64| {
                    let first = 1.0 - Rule::BETA1.powf(t as f64);
                    let second = 1.0 - Rule::BETA2.powf(t as f64);
                    (T::from_f64(rate / first), T::from_f64(second.sqrt().recip()))
                };
                let idle = (1..=u64::from(idle)).map(|k| corrected(step + k)).collect();
                Prepared::Adam { now: corrected(step), idle }
            }
        }
    }

    /// One step over a stretch of a parameter; the momentum rule does not look at `second`.
    #[inline(always)]
    pub fn step(&self, values: &mut [T], first: &mut [T], second: &mut [T], gradient: &[T]) {
        for at in (0..gradient.len()).step_by(LANES) {
            let g = lanes_at(gradient, at);
            let (mut w, mut m) = (lanes_at(values, at), lanes_at(first, at));
            match self {
                &Prepared::Momentum { mu, rest, rate, decay } => {
                    for i in 0..LANES {
                        m[i] = (mu * m[i] - rest * g[i]).flushed();
                        w[i] += rate * (m[i] - decay * w[i]);
                    }
                }
                Prepared::Adam { now, idle } => {
                    let mut v = lanes_at(second, at);
                    let (beta1, beta2) = (T::from_f64(Rule::BETA1), T::from_f64(Rule::BETA2));
                    let (rest1, rest2) = (T::from_f64(1.0 - Rule::BETA1), T::from_f64(1.0 - Rule::BETA2));
                    let epsilon = T::from_f64(Rule::EPSILON);
                    for i in 0..LANES {
                        m[i] = (beta1 * m[i] + rest1 * g[i]).flushed();
                        v[i] = (beta2 * v[i] + rest2 * g[i] * g[i]).flushed();
                        w[i] -= now.0 * m[i] / (v[i].sqrt() * now.1 + epsilon);
                    }
                    for (rate, root) in idle {
                        for i in 0..LANES {
                            m[i] = (beta1 * m[i]).flushed();
                            v[i] = (beta2 * v[i]).flushed();
                            w[i] -= *rate * m[i] / (v[i].sqrt() * *root + epsilon);
                        }
                    }
                    put_lanes(v, second, at);
                }
            }
            put_lanes(w, values, at);
            put_lanes(m, first, at);
        }
    }
}

/// Elements `at..at + 16`, 0 beyond the end. What is held in lanes cannot overlap with anything: the compiler
/// need not check.
#[inline(always)]
fn lanes_at<T: Scalar>(x: &[T], at: usize) -> [T; LANES] {
    let x = x.get(at..).unwrap_or_default();
    x.first_chunk().copied().unwrap_or_else(|| {
        let mut lanes = [T::zero(); LANES];
        lanes[..x.len()].copy_from_slice(x);
        lanes
    })
}

/// Writes back what [`lanes_at`] has read.
#[inline(always)]
fn put_lanes<T: Scalar>(lanes: [T; LANES], x: &mut [T], at: usize) {
    let x = x.get_mut(at..).unwrap_or_default();
    match x.first_chunk_mut() {
        Some(chunk) => *chunk = lanes,
        None => x.copy_from_slice(&lanes[..x.len()]),
    }
}
