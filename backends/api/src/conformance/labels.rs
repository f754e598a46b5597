//! Cases of what reads labels: `read_out`, `softmax`, `draw_labels`, `accumulate`, `argmax`.

use super::draw::Host;
use super::trial::{Precision, Scale, Trial};
use super::{Case, Effort, Tolerance};
use crate::{Backend, IndexSlice, Normalization, Result};

/// Entries of lists before this one must not be read.
const OFFSET: usize = 4;

/// `read_out`.
#[derive(Debug)]
pub struct ReadOut {
    rows: usize,
    units: usize,
    classes: usize,
    normalization: Normalization,
    add: bool,
}

impl Case for ReadOut {
    const OPERATION: &'static str = "read_out";

    fn tolerance(precision: Precision) -> Tolerance {
        let reason = "N terms as in product, of normalized rows, and the logit before";
        Tolerance { relative: 0.0, absolute: 8.0 * precision.epsilon, reason }
    }

    fn cases(effort: Effort) -> Vec<Self> {
        let mut cases = Vec::new();
        for [rows, units, classes] in effort.shapes(5_000_000).into_iter().chain([[0, 7, 7], [61, 93, 10]]) {
            for normalization in [Normalization::None, Normalization::Unit, Normalization::Rms] {
                let case = |add| ReadOut { rows, units, classes, normalization, add };
                cases.extend([false, true].map(case));
            }
        }
        cases
    }

    fn run<B: Backend>(&self, trial: &mut Trial<B>) -> Result<()> {
        let activities = trial.draw.activities(self.rows, self.units);
        let squares = activities.squares();
        let weight = trial.draw.signed(self.units, self.classes);
        let before = trial.draw.signed(self.rows, self.classes);
        let longest = weight.longest_column();
        let length = |squares: &f64| self.normalization.scale(*squares, self.units) * squares.sqrt();
        let added = if self.add { 1.0 } else { 0.0 };
        let scale = |squares| trial.precision.dot(self.units, length(squares) * longest) + added;
        let scales = squares.values.iter().map(scale).collect();
        let (activities, squares, weight) = (
            trial.given("activities", &activities)?,
            trial.given("squares", &squares)?,
            trial.given_weight("weight", None, &weight)?,
        );
        let mut logits =
            if self.add { trial.place(&before)? } else { trial.poisoned(self.rows, self.classes)? };
        let normalization = self.normalization;
        trial.backend.read_out(&activities, &squares, normalization, &weight, &mut logits, self.add)?;
        trial.close("logits", &logits, Scale::Rows(scales))
    }
}

/// `softmax`.
#[derive(Debug)]
pub struct Softmax {
    rows: usize,
    classes: usize,
    magnitude: f64,
    smoothing: f64,
}

impl Case for Softmax {
    const OPERATION: &'static str = "softmax";

    fn tolerance(precision: Precision) -> Tolerance {
        let reason =
            "a sum of C exponentials, each off by ε of its argument; costs by ε of the largest for each row";
        Tolerance { relative: 0.0, absolute: 8.0 * precision.epsilon, reason }
    }

    fn cases(effort: Effort) -> Vec<Self> {
        let shapes = effort.shapes(500_000).into_iter().chain([[0, 10], [128, 10]]);
        let plain = [0.0, 1.0, 30.0, 60.0, 1e4].map(|magnitude| (magnitude, 0.0));
        let values: Vec<_> = plain.into_iter().chain([(1.0, 0.1), (60.0, 0.7)]).collect();
        let case = |[rows, classes]: [usize; 2]| {
            let values = values.iter();
            let case = |&(magnitude, smoothing)| Softmax { rows, classes, magnitude, smoothing };
            values.map(case).collect::<Vec<_>>()
        };
        shapes.flat_map(case).collect()
    }

    fn run<B: Backend>(&self, trial: &mut Trial<B>) -> Result<()> {
        let magnitude = self.magnitude;
        let logits = trial.draw.matrix(self.rows, self.classes, |draw| magnitude * draw.between(-1.0, 1.0));
        let labels = trial.draw.indices(OFFSET, self.rows, self.classes);
        let cost = trial.draw.matrix(1, 1, |draw| draw.between(0.0, 1.0));
        let scale = 1.0 + (self.classes as f64).sqrt() / 4.0;
        let rows = 1.0 + self.rows as f64 / 8.0;
        let (logits, labels) = (trial.given("logits", &logits)?, trial.listed("labels", &labels)?);
        let (mut errors, mut cost) = (trial.poisoned(self.rows, self.classes)?, trial.place(&cost)?);
        let labels = IndexSlice { indices: &*labels, offset: OFFSET };
        trial.backend.softmax(&logits, labels, self.smoothing, &mut errors, &mut cost)?;
        trial.close("errors", &errors, Scale::Uniform(scale))?;
        trial.nothing_to_flush("errors to be flushed", &errors)?;
        trial.close("cost", &cost, Scale::Uniform(rows * (scale + 2.0 * magnitude)))
    }
}

/// `draw_labels`.
#[derive(Debug)]
pub struct DrawLabels {
    rows: usize,
    classes: usize,
}

/// How far uniforms stay away from a boundary between two labels, where rounding decides.
const MARGIN: f64 = 1e-5;

impl DrawLabels {
    /// A uniform in 2⁻³² that all precisions read the same label from; mostly random, sometimes 0.
    fn uniform<B: Backend>(trial: &mut Trial<B>, errors: &[f64], label: usize) -> u32 {
        let others = || errors.iter().enumerate().filter(|(c, _)| *c != label).map(|(_, p)| *p);
        let total: f64 = others().sum();
        if trial.draw.chance(0.1) {
            return 0;
        }
        loop {
            let word = trial.draw.word();
            let uniform = f64::from(word) / 4_294_967_296.0;
            let mut sum = 0.0;
            let near = others().any(|p| {
                sum += p;
                (sum - uniform * total).abs() < MARGIN * total
            });
            if !near {
                return word;
            }
        }
    }
}

impl Case for DrawLabels {
    const OPERATION: &'static str = "draw_labels";

    fn tolerance(_: Precision) -> Tolerance {
        let reason = "indices; no uniform is within 1e-5 of a boundary, where rounding would decide";
        Tolerance { relative: 0.0, absolute: 0.0, reason }
    }

    fn cases(effort: Effort) -> Vec<Self> {
        let shapes = effort.shapes(500_000).into_iter().chain([[0, 10], [128, 10], [2000, 10]]);
        shapes.map(|[rows, classes]| DrawLabels { rows, classes }).collect()
    }

    fn run<B: Backend>(&self, trial: &mut Trial<B>) -> Result<()> {
        let labels = trial.draw.indices(OFFSET, self.rows, self.classes);
        let mut errors = trial.draw.matrix(self.rows, self.classes, |draw| {
            let zero = draw.chance(0.2);
            if zero { 0.0 } else { draw.between(0.0, 1.0).powi(3) }
        });
        let mut uniforms = vec![u32::MAX; OFFSET + 2];
        for (r, label) in labels[OFFSET..].iter().enumerate() {
            let row = errors.row_mut(r);
            if r % 6 == 5 {
                row.fill(0.0);
            }
            row[*label as usize] = -0.75;
            uniforms.push(DrawLabels::uniform(trial, errors.row(r), *label as usize));
        }
        let errors = trial.given("errors", &errors)?;
        let (labels, uniforms) = (trial.listed("labels", &labels)?, trial.listed("uniforms", &uniforms)?);
        let mut out = trial.poisoned_list(2 * self.rows)?;
        let labels = IndexSlice { indices: &*labels, offset: OFFSET };
        let uniforms = IndexSlice { indices: &*uniforms, offset: OFFSET + 2 };
        trial.backend.draw_labels(&errors, labels, uniforms, &mut out)?;
        trial.exact_list("out", &out)
    }
}

/// `accumulate`.
#[derive(Debug)]
pub struct Accumulate {
    rows: usize,
    classes: usize,
    column: usize,
    factor: f64,
}

impl Case for Accumulate {
    const OPERATION: &'static str = "accumulate";

    fn tolerance(precision: Precision) -> Tolerance {
        let reason = "a product and a sum; other columns stay as they are";
        Tolerance { relative: 0.0, absolute: 2.0 * precision.epsilon, reason }
    }

    fn cases(effort: Effort) -> Vec<Self> {
        let mut cases = Vec::new();
        for [rows, classes] in effort.shapes(500_000).into_iter().chain([[0, 10]]) {
            for (column, factor) in [(0, 1.0), (classes / 2, 1.0 / 93.0), (classes - 1, -2.5)] {
                cases.push(Accumulate { rows, classes, column, factor });
            }
        }
        cases
    }

    fn run<B: Backend>(&self, trial: &mut Trial<B>) -> Result<()> {
        let squares = trial.draw.matrix(1, self.rows, |draw| draw.between(0.0, 100.0));
        let before = trial.draw.signed(self.rows, self.classes);
        let mut scales = vec![0.0; self.rows * self.classes];
        for r in 0..self.rows {
            let added = self.factor.abs() * squares.values[r];
            scales[r * self.classes + self.column] = added + before.at(r, self.column).abs();
        }
        let squares = trial.given("squares", &squares)?;
        let mut scores = trial.place(&before)?;
        trial.backend.accumulate(&squares, self.factor, &mut scores, self.column)?;
        trial.close("scores", &scores, Scale::Each(scales))
    }
}

/// `argmax`.
#[derive(Debug)]
pub struct Argmax {
    rows: usize,
    classes: usize,
    offset: usize,
    ties: bool,
}

impl Case for Argmax {
    const OPERATION: &'static str = "argmax";

    fn tolerance(_: Precision) -> Tolerance {
        Tolerance { relative: 0.0, absolute: 0.0, reason: "indices; the first of equals" }
    }

    fn cases(effort: Effort) -> Vec<Self> {
        let shapes = effort.shapes(500_000).into_iter().chain([[0, 10], [2000, 10]]);
        let options = [(0, true), (0, false), (5, true), (61, false)];
        let case = |[rows, classes]: [usize; 2]| {
            options.map(|(offset, ties)| Argmax { rows, classes, offset, ties })
        };
        shapes.flat_map(case).collect()
    }

    fn run<B: Backend>(&self, trial: &mut Trial<B>) -> Result<()> {
        const AFTER: usize = 3;
        // All negative here and there, so that a search from 0 is found out.
        let mut scores = trial.draw.signed(self.rows, self.classes);
        for r in (0..self.rows).filter(|r| r % 3 == 0) {
            scores.row_mut(r).iter_mut().for_each(|x| *x = -1.0 - x.abs());
        }
        if self.ties {
            scores.values.iter_mut().for_each(|x| *x = (*x * 2.0).round());
        }
        let mut scores = trial.place(&scores)?;
        let mut out = trial.poisoned_list(self.offset + self.rows + AFTER)?;
        trial.backend.argmax(&mut scores, &mut out, self.offset)?;
        trial.exact_list("out", &out)?;
        trial.equal("scores", &scores, &Host::filled(self.rows, self.classes, 0.0))
    }
}
