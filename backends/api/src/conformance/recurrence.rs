//! Cases of `drive` and `damp`.

use super::layer::Layer;
use super::local::Sight;
use super::trial::{Precision, Scale, Trial};
use super::{Case, Effort, Tolerance};
use crate::{Backend, Normalization, Result};

/// Steps of the oracle that one case may cost.
const COST: usize = 2_000_000;

/// `drive`.
#[derive(Debug)]
pub struct Drive {
    layer: Layer,
    above: Layer,
}

impl Case for Drive {
    const OPERATION: &'static str = "drive";

    fn tolerance(precision: Precision) -> Tolerance {
        let reason =
            "a sum of three terms, two of them scaled by inverse roots: a few roundings of the largest";
        Tolerance { relative: 0.0, absolute: 8.0 * precision.epsilon, reason }
    }

    fn cases(effort: Effort) -> Vec<Self> {
        let layers = Layer::all(effort, COST, &[1, 2, 3]).into_iter().filter(|layer| layer.label.is_none());
        let normalizations = [Normalization::Unit, Normalization::None, Normalization::Rms];
        let case = |(layer, normalization): (Layer, Normalization)| Drive {
            layer,
            above: Layer {
                n: layer.rows(),
                repeat: 1,
                features: 13,
                normalization,
                sight: Sight::All,
                ..layer
            },
        };
        layers.zip(normalizations.into_iter().cycle()).map(case).collect()
    }

    fn run<B: Backend>(&self, trial: &mut Trial<B>) -> Result<()> {
        let Drive { layer, above } = *self;
        let (reading, from_above) = (layer.read(trial)?, above.read(trial)?);
        let mut product = trial.draw.signed(layer.n, layer.units);
        let mut driven = trial.draw.signed(layer.rows(), layer.units);
        // What is silent has no product, and a scale without bounds.
        for (product, source) in [(&mut product, &reading.host), (&mut driven, &from_above.host)] {
            for r in (0..source.rows).filter(|r| source.row(*r).iter().all(|x| *x == 0.0)) {
                product.row_mut(r).fill(0.0);
            }
        }
        let host = layer.weights(trial)?;
        let bias = host.bias.as_ref().map_or(0.0, |bias| bias.largest());
        let largest = |row: &[f64]| row.iter().fold(0.0, |largest: f64, x| x.abs().max(largest));
        let (below, scales) = (reading.scales(), from_above.scales());
        let scale = |r: usize| {
            let shared = r % layer.n;
            below[shared] * largest(product.row(shared)) + scales[r] * largest(driven.row(r)) + bias
        };
        let scales = (0..layer.rows()).map(scale).collect();
        let weights = host.place(trial)?;
        let product = trial.given("product", &product)?;
        let (mut out, mut squares) = (trial.place(&driven)?, trial.poisoned(1, layer.rows())?);
        let (below, above) = (reading.input(), from_above.input());
        trial.backend.drive(&product, &below, &above, &weights, &mut out, &mut squares)?;
        trial.close("out", &out, Scale::Rows(scales))?;
        trial.squares_of(&out, &squares, 0)?;
        host.kept(trial, &weights)
    }
}

/// `damp`.
#[derive(Debug)]
pub struct Damp {
    rows: usize,
    columns: usize,
    keep: f64,
}

impl Case for Damp {
    const OPERATION: &'static str = "damp";

    fn tolerance(precision: Precision) -> Tolerance {
        let reason =
            "a sum of two products of numbers that are not negative; slopes are one product more, 0 stays 0";
        Tolerance { relative: 4.0 * precision.epsilon, absolute: 0.0, reason }
    }

    fn cases(effort: Effort) -> Vec<Self> {
        let shapes = effort.shapes(1_000_000).into_iter().chain([[0, 7]]);
        shapes.flat_map(|[rows, columns]| [0.0, 0.3, 0.9].map(|keep| Damp { rows, columns, keep })).collect()
    }

    fn run<B: Backend>(&self, trial: &mut Trial<B>) -> Result<()> {
        let before = trial.draw.activities(self.rows, self.columns);
        let computed = trial.draw.activities(self.rows, self.columns);
        let before = trial.given("before", &before)?;
        let mut computed = trial.place(&computed)?;
        let (mut state, mut squares) =
            (trial.poisoned(self.rows, self.columns)?, trial.poisoned(1, self.rows)?);
        trial.backend.damp(&before, self.keep, &mut computed, &mut state, &mut squares)?;
        trial.close("state", &state, Scale::Largest)?;
        trial.close("slopes", &computed, Scale::Largest)?;
        trial.squares_of(&state, &squares, 0)
    }
}
