//! Cases of what teaches a layer beside goodness: `back_project`, `match_similarities`.

use super::local::Sight;
use super::trial::{Precision, Scale, Trial};
use super::{Case, Effort, Tolerance};
use crate::{Along, Backend, Fields, IndexSlice, Normalization, Result};

/// `back_project`.
#[derive(Debug)]
pub struct BackProject {
    rows: usize,
    units: usize,
    classes: usize,
    normalization: Normalization,
    sight: Sight,
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
        let shapes = shapes.map(|shape| (shape, Sight::All)).chain(Sight::all(effort));
        let normalizations = [Normalization::None, Normalization::Unit, Normalization::Rms];
        let case = |([rows, units, classes], sight): ([usize; 3], Sight)| {
            normalizations.map(|normalization| BackProject { rows, units, classes, normalization, sight })
        };
        shapes.flat_map(case).collect()
    }

    fn run<B: Backend>(&self, trial: &mut Trial<B>) -> Result<()> {
        let errors = trial.draw.signed(self.rows, self.classes);
        let fields = self.sight.fields(self.units, self.classes)?;
        let fan_in = fields.as_ref().map_or(self.units, Fields::rows);
        let weight = trial.draw.signed(fan_in, self.classes);
        let activities = trial.draw.activities(self.rows, self.units);
        let squares = activities.squares();
        // A feature may be in a row of the weights for each place that sees it.
        let places = fields.as_ref().map_or(1, Fields::places) as f64;
        let (longest, units) = (places.sqrt() * weight.longest_row(), self.units.max(1));
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
        let weight = trial.given_weight("weight", fields.as_ref(), &weight)?;
        let errors = trial.given("errors", &errors)?;
        let (activities, squares) =
            (trial.given("activities", &activities)?, trial.given("squares", &squares)?);
        let mut out = trial.poisoned(self.rows, self.units)?;
        let normalization = self.normalization;
        trial.backend.back_project(&errors, &weight, &activities, &squares, normalization, &mut out)?;
        trial.close("out", &out, Scale::Rows(scales))
    }
}

/// `match_similarities`.
#[derive(Debug)]
pub struct MatchSimilarities {
    rows: usize,
    units: usize,
    classes: usize,
    along: Along,
}

/// Entries of the list of labels before this one must not be read.
const OFFSET: usize = 3;

impl Case for MatchSimilarities {
    const OPERATION: &'static str = "match_similarities";

    fn tolerance(precision: Precision) -> Tolerance {
        let reason =
            "N terms in a mean and a similarity, n of those in a pull, N in its sum along the row, scaled";
        Tolerance { relative: 0.0, absolute: 8.0 * precision.epsilon, reason }
    }

    fn cases(effort: Effort) -> Vec<Self> {
        let cost = |[rows, units]: &[usize; 2]| rows * rows * units <= 5_000_000;
        let shapes = effort.shapes(500_000).into_iter().filter(cost).chain([[0, 7], [7, 1], [64, 93]]);
        let case = |[rows, units]: [usize; 2]| {
            let sums =
                [(10, 1.0), (2, 0.99), (10, 0.0)].map(|(classes, share)| (classes, Along::Sums { share }));
            let options = sums.into_iter().chain([(3, Along::Rows)]);
            options.map(move |(classes, along)| MatchSimilarities { rows, units, classes, along })
        };
        shapes.flat_map(case).collect()
    }

    fn run<B: Backend>(&self, trial: &mut Trial<B>) -> Result<()> {
        let activities = match self.along {
            Along::Sums { .. } => trial.draw.activities(self.rows, self.units),
            Along::Rows => trial.draw.signed(self.rows, self.units),
        };
        let labels = trial.draw.indices(OFFSET, self.rows, self.classes);
        let before = trial.draw.signed(self.rows, self.units);
        let cost = trial.draw.matrix(1, 1, |draw| draw.between(0.0, 1.0));
        let (rows, units) = (self.rows.max(1) as f64, self.units.max(1) as f64);
        let scale = |r: usize| {
            let row = activities.row(r);
            let mean = row.iter().sum::<f64>() / units;
            let squares = row.iter().map(|h| (h - mean).powi(2)).sum::<f64>();
            let scale = Normalization::Unit.scale(squares, self.units);
            // What centring rounds off, beside what it leaves: rows of equal activities have no direction.
            let centring = 1.0 + scale * mean.abs() * units.sqrt();
            let pull = trial.precision.dot(self.units, 4.0) + trial.precision.dot(self.rows, 4.0);
            1.0 + self.along.share() * scale * pull * (1.0 + units.sqrt()) * centring
        };
        let scales = (0..self.rows).map(scale).collect();
        let (activities, labels) =
            (trial.given("activities", &activities)?, trial.listed("labels", &labels)?);
        let mut slopes = if self.along.share() < 1.0 {
            trial.place(&before)?
        } else {
            trial.poisoned(self.rows, self.units)?
        };
        let mut cost = trial.place(&cost)?;
        let labels = IndexSlice { indices: &*labels, offset: OFFSET };
        let (classes, along) = (self.classes, self.along);
        trial.backend.match_similarities(&activities, labels, classes, along, &mut slopes, &mut cost)?;
        trial.close("slopes", &slopes, Scale::Rows(scales))?;
        let scale = trial.precision.dot(self.units, 16.0) + rows;
        trial.close("cost", &cost, Scale::Uniform(scale))
    }
}
