//! Update rules, element by element.

use super::Matrix;
use crate::{Parameter, Real, Rule};

/// One step of `rule` for every element of a parameter.
pub(super) fn step(parameter: &mut Parameter<Matrix>, gradient: &Matrix, rule: Rule) {
    let Parameter { value, first, second } = parameter;
    for (i, &g) in gradient.values.iter().enumerate() {
        let (w, first) = (&mut value.values[i], &mut first.values[i]);
        match rule {
            Rule::Momentum { rate, momentum, decay } => {
                *first = (momentum * *first - (1.0 - momentum) * g).flushed();
                *w += rate * (*first - decay * *w);
            }
            Rule::Adam { rate, step, idle } => {
                let Some(second) = second.as_mut().map(|second| &mut second.values[i]) else { continue };
                for k in 0..=u64::from(idle) {
                    let g = if k == 0 { g } else { 0.0 };
                    let t = (step + k) as f64;
                    *first = (Rule::BETA1 * *first + (1.0 - Rule::BETA1) * g).flushed();
                    *second = (Rule::BETA2 * *second + (1.0 - Rule::BETA2) * g * g).flushed();
                    let m = *first / (1.0 - Rule::BETA1.powf(t));
                    let v = *second / (1.0 - Rule::BETA2.powf(t));
                    *w -= rate * m / (v.sqrt() + Rule::EPSILON);
                }
            }
        }
    }
}
