//! Cases of `update` and `learn`.

use super::draw::Host;
use super::gradients::{Change, with_changes};
use super::layer::Layer;
use super::trial::{Precision, Scale, Trial};
use super::{Case, Effort, Tolerance};
use crate::{Backend, Gradient, Parameter, Result, Rule, Tensor, Weights, unfused};

const RULES: [Rule; 9] = [
    Rule::Adam { rate: 0.01, step: 1, idle: 0 },
    Rule::Adam { rate: 0.001, step: 1, idle: 3 },
    Rule::Adam { rate: 0.01, step: 10, idle: 1 },
    Rule::Adam { rate: 0.001, step: 1000, idle: 0 },
    Rule::Adam { rate: 0.001, step: 123_456, idle: 1 },
    Rule::Adam { rate: 0.001, step: 2_000_000_000, idle: 1 },
    Rule::Momentum { rate: 0.1, momentum: 0.9, decay: 0.01 },
    Rule::Momentum { rate: 1.0, momentum: 0.0, decay: 0.0 },
    Rule::Momentum { rate: 0.0, momentum: 0.5, decay: 0.5 },
];

/// What is known of a gradient: its least and largest magnitude, and the scale of its own rounding.
#[derive(Clone, Copy)]
struct Slope {
    least: f64,
    most: f64,
    scale: f64,
}

/// Scales of the roundings of a parameter, its first and its second moment.
struct Roundings([Vec<f64>; 3]);

impl Roundings {
    /// Those of one update.
    fn of(rule: Rule, value: &Host, first: &Host, second: &Host, slope: impl Fn(usize) -> Slope) -> Self {
        let mut scales = [Vec::new(), Vec::new(), Vec::new()];
        for (i, w) in value.values.iter().enumerate() {
            let (w, m, v) = (w.abs(), first.values[i].abs(), second.values[i]);
            let one = match rule {
                Rule::Momentum { rate, decay, .. } => {
                    let m = m + slope(i).scale;
                    [w + rate * (m + decay * w), m, 0.0]
                }
                Rule::Adam { rate, step, idle } => adam(rate, step, idle, w, m, v, slope(i)),
            };
            scales.iter_mut().zip(one).for_each(|(scales, scale)| scales.push(scale));
        }
        Roundings(scales)
    }

    /// Judges a parameter against the oracle's, or another's.
    fn judge<B: Backend, T: Tensor<B>>(
        &self,
        trial: &mut Trial<B>,
        names: [&'static str; 3],
        parameter: &Parameter<T>,
        other: Option<&Parameter<T>>,
    ) -> Result<()> {
        let mut one = |i: usize, matrix: &T, other: Option<&T>| {
            let scale = Scale::Each(self.0[i].clone());
            match other {
                None => trial.close(names[i], matrix, scale),
                Some(other) => trial.alike(names[i], matrix, other, scale),
            }
        };
        one(0, &parameter.value, other.map(|other| &other.value))?;
        one(1, &parameter.first, other.map(|other| &other.first))?;
        match &parameter.second {
            Some(second) => one(2, second, other.and_then(|other| other.second.as_ref())),
            None => Ok(()),
        }
    }
}

/// Adam's scales of |w|, |m| and v: w changes by m̂/√v̂, whose relative rounding is that of m and v.
fn adam(rate: f64, step: u64, idle: u32, w: f64, m: f64, v: f64, slope: Slope) -> [f64; 3] {
    let steps = 1.0 + f64::from(idle);
    let step = step.min(1 << 30) as i32;
    let rounding = v + 2.0 * (1.0 - Rule::BETA2) * slope.most * slope.scale;
    let least = v + (1.0 - Rule::BETA2) * slope.least * slope.least;
    let relative = rounding / least.max(f64::MIN_POSITIVE);
    let root = (least * Rule::BETA2.powi(idle as i32) / (1.0 - Rule::BETA2.powi(step))).sqrt();
    let change = m + slope.scale + (m + slope.most) * relative;
    let change = change / (1.0 - Rule::BETA1.powi(step)) / (root + Rule::EPSILON);
    [w + steps * rate * change, steps * (m + slope.scale), steps * rounding]
}

const WEIGHT: [&str; 3] = ["weight", "its first moment", "its second moment"];
const BIAS: [&str; 3] = ["bias", "first moment of the bias", "second moment of the bias"];

/// `update`.
#[derive(Debug)]
pub struct Update {
    rows: usize,
    columns: usize,
    rule: Rule,
    /// Weights of units that have been silent for long: no gradient, moments near the bound of flushing.
    fading: bool,
}

impl Case for Update {
    const OPERATION: &'static str = "update";

    fn tolerance(precision: Precision) -> Tolerance {
        let reason = "a few roundings of the terms, with 1 − β and 1 − βᵗ rounded once, from f64";
        Tolerance { relative: 0.0, absolute: 8.0 * precision.epsilon, reason }
    }

    fn cases(effort: Effort) -> Vec<Self> {
        let shapes = effort.shapes(500_000).into_iter().chain([[0, 7]]);
        let cases = shapes
            .flat_map(|[rows, columns]| RULES.map(|rule| Update { rows, columns, rule, fading: false }));
        cases.chain(RULES.map(|rule| Update { rows: 7, columns: 61, rule, fading: true })).collect()
    }

    fn run<B: Backend>(&self, trial: &mut Trial<B>) -> Result<()> {
        let (rows, columns) = (self.rows, self.columns);
        // Gradients and moments of all magnitudes, zeros among them.
        let mut magnitudes = || {
            trial.draw.matrix(rows, columns, |draw| {
                let zero = draw.chance(0.2);
                if zero { 0.0 } else { draw.between(-1.0, 1.0) * 10_f64.powi(1 - draw.below(10) as i32) }
            })
        };
        let (mut gradient, mut first, mut second) = (magnitudes(), magnitudes(), magnitudes());
        if self.fading {
            gradient.values.fill(0.0);
            (first, second) = (trial.draw.fading(rows, columns), trial.draw.fading(rows, columns));
        }
        second.values.iter_mut().for_each(|v| *v = v.abs());
        let value = trial.draw.signed(rows, columns);
        let slope = |i: usize| {
            let g = gradient.values[i].abs();
            Slope { least: g, most: g, scale: g }
        };
        let has_second = matches!(self.rule, Rule::Adam { .. });
        // The bias is the first row of the same numbers.
        let top = |host: &Host| Host {
            rows: 1,
            columns,
            values: host.values.iter().take(columns).copied().collect(),
        };
        let mut layer = Weights {
            weight: trial.weights(None, &value, &first, has_second.then_some(&second))?,
            bias: None,
        };
        let mut descent = Gradient { weight: trial.place(&gradient)?, bias: None };
        let biased = rows > 0;
        if biased {
            let second = has_second.then(|| top(&second));
            layer.bias = Some(trial.parameter(&top(&value), &top(&first), second.as_ref())?);
            descent.bias = Some(trial.place(&top(&gradient))?);
        }
        trial.backend.update(&mut layer, &descent, self.rule)?;
        trial.kept("gradient of the weight", &descent.weight, &gradient)?;
        let roundings = Roundings::of(self.rule, &value, &first, &second, slope);
        roundings.judge(trial, WEIGHT, &layer.weight, None)?;
        moments_are_flushed(trial, &layer.weight)?;
        let (Some(bias), Some(descent)) = (&layer.bias, &descent.bias) else { return Ok(()) };
        trial.kept("gradient of the bias", descent, &top(&gradient))?;
        let rule = self.rule.without_decay();
        let roundings = Roundings::of(rule, &top(&value), &top(&first), &top(&second), slope);
        roundings.judge(trial, BIAS, bias, None)?;
        moments_are_flushed(trial, bias)
    }
}

fn moments_are_flushed<B: Backend, T: Tensor<B>>(
    trial: &mut Trial<B>,
    parameter: &Parameter<T>,
) -> Result<()> {
    trial.nothing_to_flush("first moments to be flushed", &parameter.first)?;
    match &parameter.second {
        Some(second) => trial.nothing_to_flush("second moments to be flushed", second),
        None => Ok(()),
    }
}

/// `learn`, against the oracle and against [`unfused::learn`].
#[derive(Debug)]
pub struct Learn(Layer, Change, Rule);

impl Case for Learn {
    const OPERATION: &'static str = "learn";

    fn tolerance(precision: Precision) -> Tolerance {
        let reason = "the roundings of gradient, passed on by those of update; second moments are at least 1";
        Tolerance { relative: 0.0, absolute: 8.0 * precision.epsilon, reason }
    }

    fn cases(effort: Effort) -> Vec<Self> {
        let rules = RULES.into_iter().cycle();
        let layers = with_changes(Layer::all(effort, 4_000_000, &[1, 2]));
        layers.zip(rules).map(|((layer, change), rule)| Learn(layer, change, rule)).collect()
    }

    fn run<B: Backend>(&self, trial: &mut Trial<B>) -> Result<()> {
        let Learn(layer, change, rule) = *self;
        let reading = layer.read(trial)?;
        let changing = change.draw(layer, trial)?;
        let host = layer.weights(trial)?;
        let scales = changing.scales(&reading, trial.precision);
        let mut parameter = |value: &Host, (most, scale): (f64, f64)| {
            let slope = Slope { least: 0.0, most, scale };
            let first = trial.draw.signed(value.rows, value.columns);
            let second = trial.draw.matrix(value.rows, value.columns, |draw| draw.between(1.0, 2.0));
            let roundings = Roundings::of(rule, value, &first, &second, |_| slope);
            (value.clone(), first, second, roundings)
        };
        let weight = parameter(&host.weight, scales.weight);
        let bias = host.bias.as_ref().map(|bias| parameter(bias, scales.bias));
        let place = |trial: &mut Trial<B>| -> Result<Weights<B>> {
            let (value, first, second, _) = &weight;
            let weight = trial.weights(host.fields.as_ref(), value, first, Some(second))?;
            let bias = match &bias {
                Some((value, first, second, _)) => Some(trial.parameter(value, first, Some(second))?),
                None => None,
            };
            Ok(Weights { weight, bias })
        };
        let mut weights = place(trial)?;
        trial.backend.learn(&reading.input(), &changing.delta(), &mut weights, rule)?;
        let (weight_roundings, bias_roundings) = (&weight.3, bias.as_ref().map(|bias| &bias.3));
        weight_roundings.judge(trial, WEIGHT, &weights.weight, None)?;
        if let (Some(roundings), Some(bias)) = (bias_roundings, &weights.bias) {
            roundings.judge(trial, BIAS, bias, None)?;
        }
        if trial.reference {
            return Ok(());
        }
        let mut others = place(trial)?;
        unfused::learn(trial.backend, &reading.input(), &changing.delta(), &mut others, rule)?;
        let names = ["weight beside the unfused", "first moment beside", "second moment beside"];
        weight_roundings.judge(trial, names, &weights.weight, Some(&others.weight))?;
        if let (Some(roundings), Some(bias), Some(other)) = (bias_roundings, &weights.bias, &others.bias) {
            let names = ["bias beside the unfused", "bias's first beside", "bias's second beside"];
            roundings.judge(trial, names, bias, Some(other))?;
        }
        Ok(())
    }
}
