//! The elementwise loops that follow a product.

use ff_backend::{BackendError, Result, Rule};

use crate::Scalar;
use crate::vector::{Loop, widest};

/// Partial sums kept side by side, so that a sum can use vectors and still has one order.
const LANES: usize = 16;

/// h ← max(0, scale · p + factor · label + bias), returning Σ h².
pub fn activate<T: Scalar>(
    product: &[T],
    scale: T,
    label: Option<(&[T], T)>,
    bias: Option<&[T]>,
    out: &mut [T],
) -> T {
    out.copy_from_slice(product);
    activate_in_place(scale, label, bias, out)
}

/// As [`activate`], with the product already in `out`.
pub fn activate_in_place<T: Scalar>(
    scale: T,
    label: Option<(&[T], T)>,
    bias: Option<&[T]>,
    out: &mut [T],
) -> T {
    if let Some((label, factor)) = label {
        widest(AddScaled { scale, add: label, factor, out });
        widest(Rectify { scale: T::one(), bias, out })
    } else {
        widest(Rectify { scale, bias, out })
    }
}

struct AddScaled<'a, T> {
    scale: T,
    add: &'a [T],
    factor: T,
    out: &'a mut [T],
}

impl<T: Scalar> Loop for AddScaled<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (out, &add) in self.out.iter_mut().zip(self.add) {
            *out = self.scale * *out + self.factor * add;
        }
    }
}

struct Rectify<'a, T> {
    scale: T,
    bias: Option<&'a [T]>,
    out: &'a mut [T],
}

impl<T: Scalar> Loop for Rectify<'_, T> {
    type Output = T;
    #[inline(always)]
    fn run(self) -> T {
        match self.bias {
            Some(bias) => {
                for (out, &bias) in self.out.iter_mut().zip(bias) {
                    let a = self.scale * *out + bias;
                    *out = if a > T::zero() { a } else { T::zero() };
                }
            }
            None => {
                for out in self.out.iter_mut() {
                    let a = self.scale * *out;
                    *out = if a > T::zero() { a } else { T::zero() };
                }
            }
        }
        SumOfSquares(self.out).run()
    }
}

struct SumOfSquares<'a, T>(&'a [T]);

impl<T: Scalar> Loop for SumOfSquares<'_, T> {
    type Output = T;
    #[inline(always)]
    fn run(self) -> T {
        let mut lanes = [T::zero(); LANES];
        let chunks = self.0.chunks_exact(LANES);
        let mut sum = T::zero();
        for &x in chunks.remainder() {
            sum += x * x;
        }
        for chunk in chunks {
            for (lane, &x) in lanes.iter_mut().zip(chunk) {
                *lane += x * x;
            }
        }
        lanes.into_iter().fold(sum, |sum, lane| sum + lane)
    }
}

/// Σ x².
pub fn sum_of_squares<T: Scalar>(x: &[T]) -> T {
    widest(SumOfSquares(x))
}

/// out += factor · x.
pub fn add_scaled<T: Scalar>(factor: T, x: &[T], out: &mut [T]) {
    widest(AddScaled { scale: T::one(), add: x, factor, out });
}

/// One step of an update rule over a stretch of a parameter, its gradient given.
pub fn update<T: Scalar>(
    values: &mut [T],
    first: &mut [T],
    second: Option<&mut [T]>,
    gradient: &[T],
    rule: Rule,
) -> Result<()> {
    match rule {
        Rule::Momentum { rate, momentum, decay } => {
            let (mu, rate, decay) = (T::from_f64(momentum), T::from_f64(rate), T::from_f64(decay));
            widest(Follow { velocity: first, gradient, mu });
            widest(Step { values, velocity: first, rate, decay });
        }
        Rule::Adam { rate, step, idle } => {
            let second =
                second.ok_or_else(|| BackendError::Unsupported("Adam needs a second moment".into()))?;
            let corrected = |t: u64| {
                let first = 1.0 - Rule::BETA1.powf(t as f64);
                let second = 1.0 - Rule::BETA2.powf(t as f64);
                (T::from_f64(rate / first), T::from_f64(second.sqrt().recip()))
            };
            widest(Adam { values, first, second, gradient, corrected: corrected(step) });
            for k in 1..=u64::from(idle) {
                widest(IdleAdam { values, first, second, corrected: corrected(step + k) });
            }
        }
    }
    Ok(())
}

/// w ← w + rate · (v − decay · w): what is left of the momentum rule once the product has added to v.
pub fn momentum_step<T: Scalar>(values: &mut [T], velocity: &[T], rate: T, decay: T) {
    widest(Step { values, velocity, rate, decay });
}

struct Follow<'a, T> {
    velocity: &'a mut [T],
    gradient: &'a [T],
    mu: T,
}

impl<T: Scalar> Loop for Follow<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (v, &g) in self.velocity.iter_mut().zip(self.gradient) {
            *v = self.mu * *v - (T::one() - self.mu) * g;
        }
    }
}

struct Step<'a, T> {
    values: &'a mut [T],
    velocity: &'a [T],
    rate: T,
    decay: T,
}

impl<T: Scalar> Loop for Step<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (w, &v) in self.values.iter_mut().zip(self.velocity) {
            *w += self.rate * (v - self.decay * *w);
        }
    }
}

struct Adam<'a, T> {
    values: &'a mut [T],
    first: &'a mut [T],
    second: &'a mut [T],
    gradient: &'a [T],
    /// rate / (1 − β₁ᵗ) and 1 / sqrt(1 − β₂ᵗ).
    corrected: (T, T),
}

impl<T: Scalar> Loop for Adam<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let (beta1, beta2) = (T::from_f64(Rule::BETA1), T::from_f64(Rule::BETA2));
        let (rest1, rest2) = (T::from_f64(1.0 - Rule::BETA1), T::from_f64(1.0 - Rule::BETA2));
        let epsilon = T::from_f64(Rule::EPSILON);
        let (rate, root) = self.corrected;
        let moments = self.first.iter_mut().zip(self.second.iter_mut());
        for ((w, (m, v)), &g) in self.values.iter_mut().zip(moments).zip(self.gradient) {
            *m = beta1 * *m + rest1 * g;
            *v = beta2 * *v + rest2 * g * g;
            *w -= rate * *m / (v.sqrt() * root + epsilon);
        }
    }
}

struct IdleAdam<'a, T> {
    values: &'a mut [T],
    first: &'a mut [T],
    second: &'a mut [T],
    corrected: (T, T),
}

impl<T: Scalar> Loop for IdleAdam<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let (beta1, beta2) = (T::from_f64(Rule::BETA1), T::from_f64(Rule::BETA2));
        let epsilon = T::from_f64(Rule::EPSILON);
        let (rate, root) = self.corrected;
        let moments = self.first.iter_mut().zip(self.second.iter_mut());
        for (w, (m, v)) in self.values.iter_mut().zip(moments) {
            *m = beta1 * *m;
            *v = beta2 * *v;
            *w -= rate * *m / (v.sqrt() * root + epsilon);
        }
    }
}
