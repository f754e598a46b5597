//! Cases of `dropout` and `measure`.

use super::trial::{Precision, Scale, Trial};
use super::{Case, Effort, Tolerance};
use crate::{Backend, Goodness, Result};

/// `dropout`.
#[derive(Debug)]
pub struct Dropout {
    rows: usize,
    columns: usize,
    rate: f64,
}

impl Case for Dropout {
    const OPERATION: &'static str = "dropout";

    fn tolerance(precision: Precision) -> Tolerance {
        let reason = "one division by 1 − rate, rounded once; the mask is the same, and what is dropped is 0";
        Tolerance { relative: 2.0 * precision.epsilon, absolute: 0.0, reason }
    }

    fn cases(effort: Effort) -> Vec<Self> {
        let shapes = effort.shapes(1_000_000).into_iter().chain([[0, 7]]);
        let rates = [0.0, 0.1, 0.5, 0.99];
        shapes.flat_map(|[rows, columns]| rates.map(|rate| Dropout { rows, columns, rate })).collect()
    }

    fn run<B: Backend>(&self, trial: &mut Trial<B>) -> Result<()> {
        let activities = trial.draw.activities(self.rows, self.columns);
        let seed = trial.draw.word();
        let (mut out, mut squares) = (trial.place(&activities)?, trial.poisoned(1, self.rows)?);
        trial.backend.dropout(&mut out, self.rate, seed, &mut squares)?;
        trial.close("activities", &out, Scale::Largest)?;
        trial.squares_of(&out, &squares, 0)
    }
}

/// `measure`.
#[derive(Debug)]
pub struct Measure {
    rows: usize,
    columns: usize,
    goodness: Goodness,
    ties: bool,
}

impl Case for Measure {
    const OPERATION: &'static str = "measure";

    fn tolerance(precision: Precision) -> Tolerance {
        let reason = "values are kept or silenced, equals are all kept, exactly; N terms of one sign in a sum; of entmax the \
                      threshold is off by a rounding of the largest activity";
        Tolerance { relative: 0.0, absolute: 2.0 * precision.epsilon, reason }
    }

    fn cases(effort: Effort) -> Vec<Self> {
        let shapes = effort.shapes(300_000).into_iter().chain([[0, 7]]);
        let mut cases = Vec::new();
        for [rows, columns] in shapes {
            let top_k = [(1, false), (1, true), (columns.div_ceil(2), true), (columns, false)];
            let top_k = top_k.into_iter().chain([(columns.div_ceil(10), false)]);
            let top_k = top_k.map(|(k, ties)| (Goodness::TopK { k }, ties));
            for (goodness, ties) in
                top_k.chain([(Goodness::L1, false), (Goodness::Entmax, false), (Goodness::Entmax, true)])
            {
                cases.push(Measure { rows, columns, goodness, ties });
            }
        }
        cases
    }

    fn run<B: Backend>(&self, trial: &mut Trial<B>) -> Result<()> {
        let mut activities = trial.draw.activities(self.rows, self.columns);
        if self.ties {
            activities.values.iter_mut().for_each(|x| *x = (*x * 3.0).ceil());
        }
        let terms = 1.0 + (self.columns as f64).sqrt();
        let is_exact = self.goodness != Goodness::Entmax;
        let largest = |r: usize| activities.row(r).iter().copied().fold(1.0, f64::max);
        let off = |r: usize| if is_exact { 0.0 } else { 8.0 * largest(r).powi(3) };
        let scales =
            (0..self.rows).map(|r| terms * (self.goodness.of_row(activities.row(r)).0 + off(r))).collect();
        let scales_of_slopes = (0..self.rows).map(off).collect();
        let activities = trial.given("activities", &activities)?;
        let (mut slopes, mut sums) =
            (trial.poisoned(self.rows, self.columns)?, trial.poisoned(1, self.rows)?);
        trial.backend.measure(&activities, self.goodness, &mut slopes, &mut sums)?;
        match is_exact {
            true => trial.exact("slopes", &slopes)?,
            false => trial.close("slopes", &slopes, Scale::Rows(scales_of_slopes))?,
        }
        trial.close("sums", &sums, Scale::Each(scales))
    }
}
