//! Cases of `product`, `activate` and `project`.

use super::draw::Host;
use super::layer::{HostWeights, Layer, Reading};
use super::local::Sight;
use super::trial::{Precision, Scale, Trial};
use super::{Case, Effort, Tolerance};
use crate::{Backend, Fields, Result, unfused};

/// Steps of the oracle that one case may cost.
const COST: usize = 20_000_000;

/// `product`.
#[derive(Debug)]
pub struct Product {
    rows: usize,
    features: usize,
    columns: usize,
    first_row: usize,
    sight: Sight,
}

impl Case for Product {
    const OPERATION: &'static str = "product";

    fn tolerance(precision: Precision) -> Tolerance {
        let reason = "K terms: their partial sums round like a random walk of √K steps of Σ|a||b| ≤ ‖a‖‖b‖";
        Tolerance { relative: 0.0, absolute: 2.0 * precision.epsilon, reason }
    }

    fn cases(effort: Effort) -> Vec<Self> {
        let empty = [[0, 7, 7], [7, 0, 7], [7, 7, 0]];
        let large = effort.large(vec![[128, 2000, 2000], [61, 784, 2000]]);
        let shapes = effort.shapes(COST).into_iter().chain(empty).chain(large);
        let shapes = shapes.map(|shape| (shape, Sight::All)).chain(Sight::all(effort));
        let shapes = shapes.zip([0, 1, 10, 64].into_iter().cycle());
        let case = |(([rows, features, columns], sight), first_row): (([usize; 3], Sight), usize)| Product {
            rows,
            features,
            columns,
            first_row,
            sight,
        };
        shapes.map(case).collect()
    }

    fn run<B: Backend>(&self, trial: &mut Trial<B>) -> Result<()> {
        let mut input = trial.draw.signed(self.rows, self.features);
        // Blank pixels.
        for row in input.values.chunks_mut(self.features.max(1)) {
            row.iter_mut().step_by(3).for_each(|pixel| *pixel = 0.0);
        }
        let fields = self.sight.fields(self.features, self.columns)?;
        let depth = fields.as_ref().map_or(self.features, Fields::rows);
        let mut weight = trial.draw.signed(self.first_row + depth, self.columns);
        let mut lengths = weight.clone();
        lengths.values.drain(..self.first_row * self.columns);
        lengths.rows = depth;
        // Rows before the first must not be read.
        weight.values[..self.first_row * self.columns].fill(f64::INFINITY);
        let scale = trial.precision.dot(self.features, input.longest_row() * lengths.longest_column());
        let input = trial.given("input", &input)?;
        let weight = trial.given_weight("weight", fields.as_ref(), &weight)?;
        let mut out = trial.poisoned(self.rows, self.columns)?;
        trial.backend.product(&input, &weight, self.first_row, &mut out)?;
        trial.close("out", &out, Scale::Uniform(scale))
    }
}

/// `activate`.
#[derive(Debug)]
pub struct Activate(Layer);

impl Case for Activate {
    const OPERATION: &'static str = "activate";

    fn tolerance(precision: Precision) -> Tolerance {
        let reason = "a sum of three terms, scaled by an inverse root: a few roundings of the largest";
        Tolerance { relative: 0.0, absolute: 8.0 * precision.epsilon, reason }
    }

    fn cases(effort: Effort) -> Vec<Self> {
        Layer::all(effort, COST, &[1, 2, 3]).into_iter().map(Activate).collect()
    }

    fn run<B: Backend>(&self, trial: &mut Trial<B>) -> Result<()> {
        let layer = self.0;
        let reading = layer.read(trial)?;
        let mut product = trial.draw.signed(layer.n, layer.units);
        for r in (0..layer.n).filter(|r| reading.host.row(*r).iter().all(|x| *x == 0.0)) {
            product.row_mut(r).fill(0.0);
        }
        let host = layer.weights(trial)?;
        let largest = |r: usize| product.row(r).iter().fold(0.0, |largest: f64, x| x.abs().max(largest));
        let products: Vec<f64> = (0..layer.n).map(largest).collect();
        let scales = reading.scales().into_iter().zip(products).map(|(scale, x)| scale * x).collect();
        let weights = host.place(trial)?;
        let product = trial.given("product", &product)?;
        let (mut out, mut squares) =
            (trial.poisoned(layer.rows(), layer.units)?, trial.poisoned(1, layer.rows())?);
        trial.backend.activate(&product, &reading.input(), &weights, &mut out, &mut squares)?;
        trial.close("out", &out, Scale::Rows(with_label_and_bias(scales, &reading, layer, &host)))?;
        trial.squares_of(&out, &squares, 0)?;
        host.kept(trial, &weights)
    }
}

/// `project`, against the oracle and against [`unfused::project`].
#[derive(Debug)]
pub struct Project(Layer);

impl Case for Project {
    const OPERATION: &'static str = "project";

    fn tolerance(precision: Precision) -> Tolerance {
        let reason = "K terms as in product, of normalized rows, and those of activate";
        Tolerance { relative: 0.0, absolute: 8.0 * precision.epsilon, reason }
    }

    fn cases(effort: Effort) -> Vec<Self> {
        Layer::all(effort, COST, &[1]).into_iter().map(Project).collect()
    }

    fn run<B: Backend>(&self, trial: &mut Trial<B>) -> Result<()> {
        let layer = self.0;
        let reading = layer.read(trial)?;
        let host = layer.weights(trial)?;
        let weights = host.place(trial)?;
        let longest = host.weight.longest_column();
        let dot = |length: f64| trial.precision.dot(layer.features, length * longest);
        let scales = reading.lengths().into_iter().map(dot).collect();
        let scales = with_label_and_bias(scales, &reading, layer, &host);
        let (mut out, mut squares) =
            (trial.poisoned(layer.rows(), layer.units)?, trial.poisoned(1, layer.rows())?);
        trial.backend.project(&reading.input(), &weights, &mut out, &mut squares)?;
        trial.close("out", &out, Scale::Rows(scales.clone()))?;
        trial.squares_of(&out, &squares, 0)?;
        host.kept(trial, &weights)?;
        if trial.reference {
            return Ok(());
        }
        let (mut other, mut squares) = (trial.poisoned(layer.n, layer.units)?, trial.poisoned(1, layer.n)?);
        unfused::project(trial.backend, &reading.input(), &weights, &mut other, &mut squares)?;
        trial.alike("out beside the unfused", &out, &other, Scale::Rows(scales))
    }
}

/// What else is added up in each row of the layer.
fn with_label_and_bias<B: Backend>(
    scales: Vec<f64>,
    reading: &Reading<B>,
    layer: Layer,
    host: &HostWeights,
) -> Vec<f64> {
    let largest = host.weight.largest();
    let bias = host.bias.as_ref().map_or(0.0, Host::largest);
    let rows = scales.into_iter().zip(reading.label_scales());
    let rows: Vec<f64> = rows.map(|(scale, label)| scale + label * largest + bias).collect();
    rows.repeat(layer.repeat)
}
