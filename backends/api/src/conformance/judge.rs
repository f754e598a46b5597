//! Compares what came out with what should have.

use super::report::Fault;
use super::trial::{Bound, Output, Scale};

/// How far outputs were from what was expected of them.
#[derive(Clone, Debug, Default)]
pub struct Judgement {
    /// Largest |value − expected|, relative to the largest expected magnitude of its output.
    pub error: f64,
    /// Largest |value − expected|, as a fraction of what was allowed.
    pub used: f64,
    pub fault: Option<Fault>,
}

/// Judges every output against its own expectation or the oracle's output of the same name.
pub fn judge(outputs: &[Output], oracle: &[Output]) -> Judgement {
    let mut judgement = Judgement::default();
    for output in outputs {
        let same = oracle.iter().find(|other| other.name == output.name);
        let Some(expected) = output.expected.as_ref().or(same.map(|other| &other.values)) else { continue };
        judge_one(output, expected, &mut judgement);
    }
    judgement
}

fn judge_one(output: &Output, expected: &[f64], judgement: &mut Judgement) {
    if output.values.len() != expected.len() {
        let (found, wanted) = (output.values.len(), expected.len());
        judgement.fault.get_or_insert(Fault::Length { output: output.name, found, wanted });
        return;
    }
    let largest = expected.iter().fold(0.0, |largest: f64, x| x.abs().max(largest));
    let clean = judgement.fault.is_none();
    let mut worst = 1.0;
    for (i, (&value, &wanted)) in output.values.iter().zip(expected).enumerate() {
        let (row, column) = (i / output.columns, i % output.columns);
        let allowed = allowed(&output.bound, i, row, wanted, largest);
        let error = match output.bound {
            Bound::Kept if value.to_bits() == wanted.to_bits() => 0.0,
            Bound::Kept => f64::INFINITY,
            Bound::Exact | Bound::Within { .. } => or_infinity((value - wanted).abs()),
        };
        let used = if error == 0.0 { 0.0 } else { or_infinity(error / allowed) };
        judgement.used = judgement.used.max(used);
        judgement.error = judgement.error.max(if largest > 0.0 { error / largest } else { error });
        if clean && used > worst {
            worst = used;
            let name = output.name;
            judgement.fault = Some(match output.bound {
                Bound::Kept => {
                    Fault::Overwritten { operand: name, row, column, before: wanted, after: value }
                }
                _ => Fault::Far { output: name, row, column, value, expected: wanted, allowed },
            });
        }
    }
}

/// Infinity for a NaN, so that it is the worst of all.
fn or_infinity(error: f64) -> f64 {
    if error.is_nan() { f64::INFINITY } else { error }
}

fn allowed(bound: &Bound, i: usize, row: usize, expected: f64, largest: f64) -> f64 {
    let Bound::Within { relative, absolute, scale } = bound else { return 0.0 };
    let scale = match scale {
        Scale::Largest => largest,
        Scale::Uniform(scale) => *scale,
        Scale::Rows(scales) => scales[row],
        Scale::Each(scales) => scales[i],
    };
    relative * expected.abs() + absolute * scale
}

/// The first output that two runs of the same case disagree in.
pub fn unrepeatable(first: &[Output], second: &[Output]) -> Option<Fault> {
    first.iter().zip(second).find_map(|(one, other)| {
        let differs = |(_, (a, b)): &(usize, (&f64, &f64))| a.to_bits() != b.to_bits();
        let (i, (a, b)) = one.values.iter().zip(&other.values).enumerate().find(differs)?;
        let (row, column) = (i / one.columns, i % one.columns);
        Some(Fault::Unrepeatable { output: one.name, row, column, first: *a, second: *b })
    })
}
