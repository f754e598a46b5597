//! Cases of what goes back from a layer's products: `back_project`.

use super::trial::{Precision, Scale, Trial};
use super::{Case, Effort, Tolerance};
use crate::{Backend, Normalization, Result};

/// `back_project`.
#[derive(Debug)]
pub struct BackProject {
    rows: usize,
    units: usize,
    classes: usize,
    normalization: Normalization,
}

impl Case for BackProject {
    const OPERATION: &'static str = "back_project";

    fn tolerance(precision: Precision) -> Tolerance {
        let reason = "C terms as in product, N terms of their sum along ẑ, scaled; where h is 0 it is 0";
        Tolerance { relative: 0.0, absolute: 8.0 * precision.epsilon, reason }
    }

    fn cases(effort: Effort) -> Vec<Self> {
        let shapes = effort.shapes(5_000_000).into_iter();
        let shapes = shapes.chain([[0, 7, 7], [7, 0, 7], [7, 7, 0], [61, 93, 10]]);
        let normalizations = [Normalization::None, Normalization::Unit, Normalization::Rms];
        let case = |[rows, units, classes]: [usize; 3]| {
            normalizations.map(|normalization| BackProject { rows, units, classes, normalization })
        };
        shapes.flat_map(case).collect()
    }

    fn run<B: Backend>(&self, trial: &mut Trial<B>) -> Result<()> {
        let errors = trial.draw.signed(self.rows, self.classes);
        let weight = trial.draw.signed(self.units, self.classes);
        let activities = trial.draw.activities(self.rows, self.units);
        let squares = activities.squares();
        let (longest, units) = (weight.longest_row(), self.units.max(1));
        let scale = |r: usize| {
            let scale = self.normalization.scale(squares.values[r], units);
            let length = errors.row(r).iter().map(|x| x * x).sum::<f64>().sqrt();
            let error = trial.precision.dot(self.classes, length * longest);
            // Along ẑ, whose length is scale · √Σh², up to √N errors and the roundings of N terms.
            let z = scale * squares.values[r].sqrt();
            let along = self.normalization.radial(units) * z * z * (units as f64).sqrt();
            // A silent row is 0 whatever its scale.
            if squares.values[r] > 0.0 { scale * error * (1.0 + along) } else { 0.0 }
        };
        let scales = (0..self.rows).map(scale).collect();
        let (errors, weight) = (trial.given("errors", &errors)?, trial.given_weight("weight", &weight)?);
        let (activities, squares) =
            (trial.given("activities", &activities)?, trial.given("squares", &squares)?);
        let mut out = trial.poisoned(self.rows, self.units)?;
        let normalization = self.normalization;
        trial.backend.back_project(&errors, &weight, &activities, &squares, normalization, &mut out)?;
        trial.close("out", &out, Scale::Rows(scales))
    }
}
