//! Cases of `coefficients` and `running_mean`.

use super::trial::{Precision, Scale, Trial};
use super::{Case, Effort, Tolerance};
use crate::{Backend, Loss, Objective, Result, TALLY_ROWS, Tally};

/// Sums of squares to expect.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Goodness {
    /// About the threshold.
    Moderate,
    /// 0, a thousand or a million, where the loss is flat or steep.
    Extreme,
}

/// `coefficients`.
#[derive(Debug)]
pub struct Coefficients {
    pairs: usize,
    objective: Objective,
    goodness: Goodness,
    layer: usize,
}

impl Case for Coefficients {
    const OPERATION: &'static str = "coefficients";

    fn tolerance(precision: Precision) -> Tolerance {
        let reason = "u rounds by ε·(u + θ/T), which exp passes on; p under ε/2 is 0; sums, by ε of the largest for each pair";
        Tolerance { relative: 0.0, absolute: 8.0 * precision.epsilon, reason }
    }

    fn cases(effort: Effort) -> Vec<Self> {
        let losses = [
            Loss::Bce { threshold: 2.0, temperature: 1.0 },
            Loss::Bce { threshold: 500.0, temperature: 500.0 },
            Loss::Bce { threshold: 0.5, temperature: 0.1 },
            Loss::Bce { threshold: -2.0, temperature: 1.0 },
            Loss::Symba { alpha: 4.0 },
            Loss::Symba { alpha: 0.25 },
            Loss::Margin { margin: 2.0 },
        ];
        let mut cases = Vec::new();
        for ([pairs], layer) in effort.shapes(2000).into_iter().chain([[0]]).zip((0..4).cycle()) {
            for loss in losses {
                for (goodness, factor, gradient_scales) in [
                    (Goodness::Moderate, 1.0, [1.0, 1.0]),
                    (Goodness::Moderate, 1.0 / 93.0, [0.5, 0.5]),
                    // One side learns, the other not, or less.
                    (Goodness::Moderate, 1.0, [1.0, 0.0]),
                    (Goodness::Moderate, 1.0, [0.25, 1.0]),
                    // Positives that are to be silent.
                    (Goodness::Moderate, -1.0, [1.0, 1.0]),
                    (Goodness::Extreme, 1.0, [0.5, 0.5]),
                    (Goodness::Extreme, 0.01, [1.0, 1.0]),
                ] {
                    let objective = Objective { loss, factor, gradient_scales };
                    cases.push(Coefficients { pairs, objective, goodness, layer });
                }
            }
        }
        cases
    }

    fn run<B: Backend>(&self, trial: &mut Trial<B>) -> Result<()> {
        const LAYERS: usize = 4;
        let Objective { loss, factor, .. } = self.objective;
        // The largest |∂loss/∂G|, about where goodness is compared, and by how much that is magnified.
        let (steepest, center, condition) = match loss {
            Loss::Bce { threshold, temperature } => {
                (1.0 / temperature, threshold.abs(), 1.0 + threshold.abs() / temperature)
            }
            Loss::Symba { alpha } => (alpha, 4.0 / alpha, 1.0 + 16.0),
            Loss::Margin { margin } => (1.0, margin, 1.0),
        };
        let squares = trial.draw.matrix(1, 2 * self.pairs, |draw| match self.goodness {
            Goodness::Moderate => draw.between(0.0, 2.0) * center / factor.abs(),
            Goodness::Extreme => [0.0, 1e3, 1e6][draw.below(3)],
        });
        let sums = trial.draw.signed(TALLY_ROWS, LAYERS);
        let [up, down] = self.objective.chains(self.pairs.max(1));
        let chain = up.abs().max(down.abs()) * steepest;
        let mean = factor.abs() * squares.largest();
        let figures = [steepest * mean + condition, mean, mean, 1.0];
        let mut scales = vec![0.0; TALLY_ROWS * LAYERS];
        for (row, figure) in figures.into_iter().enumerate() {
            let pairs = 1.0 + self.pairs as f64 / 8.0;
            scales[row * LAYERS + self.layer] = pairs * figure + sums.at(row, self.layer).abs();
        }
        let squares = trial.given("squares", &squares)?;
        let mut out = trial.poisoned(1, 2 * self.pairs)?;
        let mut sums = trial.place(&sums)?;
        let tally = Tally { sums: &mut sums, layer: self.layer };
        trial.backend.coefficients(&squares, &self.objective, &mut out, tally)?;
        trial.close("coefficients", &out, Scale::Uniform(chain * condition))?;
        trial.close("tally", &sums, Scale::Each(scales))?;
        if self.goodness == Goodness::Extreme && factor == 1.0 {
            let idle = trial.values(&out)?.into_iter().map(|x| f64::from(u8::from(x == 0.0)));
            trial.finding("which coefficients are exactly 0", idle.collect());
        }
        Ok(())
    }
}

/// `running_mean`.
#[derive(Debug)]
pub struct RunningMean {
    rows: usize,
    columns: usize,
    of: usize,
    keep: f64,
    /// Units that have been silent for long.
    fading: bool,
}

impl Case for RunningMean {
    const OPERATION: &'static str = "running_mean";

    fn tolerance(precision: Precision) -> Tolerance {
        let reason = "a mean of positive numbers: √rows roundings of the largest";
        Tolerance { relative: 0.0, absolute: 4.0 * precision.epsilon, reason }
    }

    fn cases(effort: Effort) -> Vec<Self> {
        let mut cases = Vec::new();
        for [rows, columns] in effort.shapes(1_000_000) {
            let options = [(rows, 0.9), (rows.div_ceil(2), 0.9), (1, 0.0), (rows, 1.0)];
            cases.extend(options.map(|(of, keep)| RunningMean { rows, columns, of, keep, fading: false }));
        }
        cases.push(RunningMean { rows: 7, columns: 61, of: 7, keep: 0.9, fading: true });
        cases
    }

    fn run<B: Backend>(&self, trial: &mut Trial<B>) -> Result<()> {
        let mut activities = trial.draw.activities(self.rows, self.columns);
        // Rows after the first `of` must not be read.
        activities.values[self.of * self.columns..].fill(1e9);
        let mut mean = trial.draw.matrix(1, self.columns, |draw| draw.between(0.0, 1.0));
        let mut scale = Scale::Uniform(1.0 + (self.of as f64).sqrt());
        if self.fading {
            activities.values.fill(0.0);
            mean = trial.draw.fading(1, self.columns);
            scale = Scale::Each(mean.values.iter().map(|m| m.abs()).collect());
        }
        let activities = trial.given("activities", &activities)?;
        let mut mean = trial.place(&mean)?;
        trial.backend.running_mean(&activities, self.of, self.keep, &mut mean)?;
        trial.close("mean", &mean, scale)?;
        trial.nothing_to_flush("means to be flushed", &mean)
    }
}
