//! Layers whose units do not see everything.

use super::draw::Host;
use super::trial::{Precision, Trial};
use super::{Case, Effort, Tolerance};
use crate::{Backend, Delta, Fields, Input, LabelCode, LabelFeatures, Normalization, Result, Rule, Weights};

/// What the units of a layer see.
#[derive(Clone, Copy, Debug)]
pub enum Sight {
    /// Every feature.
    All,
    /// Those of their place: of a window of `width` features, most; so places see unequally much.
    Fields { places: usize, width: usize },
}

impl Sight {
    /// Local shapes `[rows, features, units]`, and what their units see. Channels are 1, primes, a power of two and
    /// their neighbours.
    pub fn all(effort: Effort) -> Vec<([usize; 3], Sight)> {
        let local = |n, features, places, channels, width| {
            ([n, features, places * channels], Sight::Fields { places, width })
        };
        let mut shapes = vec![
            local(7, 61, 1, 13, 61),
            local(7, 61, 3, 1, 20),
            local(9, 64, 4, 33, 17),
            local(61, 93, 2, 64, 93),
            local(16, 128, 9, 7, 1),
            local(0, 61, 3, 7, 20),
        ];
        shapes.extend(effort.large(vec![local(64, 784, 16, 128, 100), local(33, 2048, 9, 44, 512)]));
        shapes
    }

    /// The fields of `units` units over `features` features; none where they see all.
    pub fn fields(self, features: usize, units: usize) -> Result<Option<Fields>> {
        let Sight::Fields { places, width } = self else { return Ok(None) };
        let list = |place: usize| {
            let first = place * (features - width) / (places - 1).max(1);
            // The last place sees its whole window.
            let seen = (first..first + width).filter(|f| place + 1 == places || f % 7 != place % 7);
            seen.map(|feature| feature as u32).collect()
        };
        let lists: Vec<Vec<u32>> = (0..places).map(list).collect();
        Fields::new(features, units / places, &lists).map(Some)
    }
}

/// Units at one place that see every feature are those of a dense layer, to the bit.
#[derive(Debug)]
pub struct WholeField {
    rows: usize,
    features: usize,
    units: usize,
    rule: Rule,
}

const CLASSES: usize = 3;

impl Case for WholeField {
    const OPERATION: &'static str = "whole fields";

    fn tolerance(_: Precision) -> Tolerance {
        Tolerance {
            relative: 0.0,
            absolute: 0.0,
            reason: "the same sums of the same terms in the same order",
        }
    }

    fn cases(effort: Effort) -> Vec<Self> {
        let adam = Rule::Adam { rate: 0.01, step: 3, idle: 1 };
        let momentum = Rule::Momentum { rate: 0.1, momentum: 0.9, decay: 0.01 };
        let shapes = [[7, 61, 13], [64, 93, 64], [61, 300, 93]].into_iter();
        let shapes = shapes.chain(effort.large(vec![[128, 784, 500]]));
        let case = |[rows, features, units]: [usize; 3]| {
            [adam, momentum].map(|rule| WholeField { rows, features, units, rule })
        };
        shapes.flat_map(case).collect()
    }

    fn run<B: Backend>(&self, trial: &mut Trial<B>) -> Result<()> {
        if trial.reference {
            return Ok(());
        }
        let WholeField { rows, features, units, rule } = *self;
        let whole = Fields::new(features, units, &[(0..features as u32).collect()])?;
        let (seen, value) =
            (trial.draw.activities(rows, features), trial.draw.signed(CLASSES + features, units));
        let (bias, slopes) = (trial.draw.signed(1, units), trial.draw.activities(rows, units));
        let factors = trial.draw.signed(1, rows);
        let below = Host { rows: features, columns: units, values: value.values[CLASSES * units..].to_vec() };
        let (x, squares) = (trial.given("features", &seen)?, trial.given("squares", &seen.squares())?);
        let (slopes, factors) = (trial.given("slopes", &slopes)?, trial.given("coefficients", &factors)?);
        let label =
            LabelFeatures { code: LabelCode::Same(1), classes: CLASSES, strength: 1.0, normalized: true };
        let normalization = Normalization::Unit;
        let input = Input::<B> { features: &*x, squares: &*squares, normalization, label: Some(label) };
        let delta = Delta::<B> { coefficients: &*factors, outputs: &*slopes, peer: None };

        let mut layer = |fields: Option<&Fields>| {
            let zeros = |host: &Host| Host::filled(host.rows, host.columns, 0.0);
            let weight = trial.weights(fields, &value, &zeros(&value), Some(&zeros(&value)))?;
            let bias = trial.parameter(&bias, &zeros(&bias), Some(&zeros(&bias)))?;
            let mut layer = Weights { weight, bias: Some(bias) };
            let (mut out, mut sums) = (trial.poisoned(rows, units)?, trial.poisoned(1, rows)?);
            let (mut product, mut back) = (trial.poisoned(rows, units)?, trial.poisoned(rows, features)?);
            let backend = trial.backend;
            backend.product(&x, &layer.weight.value, CLASSES, &mut product)?;
            backend.project(&input, &layer, &mut out, &mut sums)?;
            backend.learn(&input, &delta, &mut layer, rule)?;
            let weight = trial.place_weight(fields, &below)?;
            backend.back_project(&slopes, &weight, &x, &squares, normalization, &mut back)?;
            Ok((layer, [product, out, back]))
        };
        let ((dense, matrices), (local, others)) = (layer(None)?, layer(Some(&whole))?);
        for (name, (matrix, other)) in
            ["product", "project", "back_project"].into_iter().zip(matrices.iter().zip(&others))
        {
            trial.same(name, other, matrix)?;
        }
        trial.same("learn", &local.weight.value, &dense.weight.value)?;
        trial.same("first moment", &local.weight.first, &dense.weight.first)
    }
}
