//! Cases of `dropout` and `top_k`.

use super::trial::{Precision, Scale, Trial};
use super::{Case, Effort, Tolerance};
use crate::{Backend, Result};

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

/// `top_k`.
#[derive(Debug)]
pub struct TopK {
    rows: usize,
    columns: usize,
    k: usize,
    ties: bool,
}

impl Case for TopK {
    const OPERATION: &'static str = "top_k";

    fn tolerance(_: Precision) -> Tolerance {
        Tolerance { relative: 0.0, absolute: 0.0, reason: "values are kept or silenced; equals are all kept" }
    }

    fn cases(effort: Effort) -> Vec<Self> {
        let shapes = effort.shapes(300_000).into_iter().chain([[0, 7]]);
        let mut cases = Vec::new();
        for [rows, columns] in shapes {
            for (k, ties) in [(1, false), (1, true), (columns.div_ceil(2), true), (columns, false)] {
                cases.push(TopK { rows, columns, k, ties });
            }
            cases.push(TopK { rows, columns, k: columns.div_ceil(10), ties: false });
        }
        cases
    }

    fn run<B: Backend>(&self, trial: &mut Trial<B>) -> Result<()> {
        let mut activities = trial.draw.activities(self.rows, self.columns);
        if self.ties {
            activities.values.iter_mut().for_each(|x| *x = (*x * 3.0).ceil());
        }
        let activities = trial.given("activities", &activities)?;
        let (mut out, mut squares) =
            (trial.poisoned(self.rows, self.columns)?, trial.poisoned(1, self.rows)?);
        trial.backend.top_k(&activities, self.k, &mut out, &mut squares)?;
        trial.exact("out", &out)?;
        trial.squares_of(&out, &squares, 0)
    }
}
