//! Cases of `gradient`.

use std::rc::Rc;

use super::draw::Host;
use super::layer::{Layer, Reading};
use super::trial::{Precision, Scale, Trial};
use super::{Case, Effort, Tolerance};
use crate::{Backend, Delta, Peer, Result};

/// How many coefficients are exactly 0.
#[derive(Clone, Copy, Debug)]
enum Idle {
    None,
    Most,
    All,
}

/// Options of a [`Delta`].
#[derive(Clone, Copy, Debug)]
pub struct Change {
    idle: Idle,
    peer: bool,
    /// Outputs of either sign, as the head's errors are.
    signed: bool,
}

impl Change {
    /// Every combination.
    pub fn options() -> Vec<Change> {
        let mut options = Vec::new();
        for idle in [Idle::None, Idle::Most, Idle::All] {
            for (peer, signed) in [(false, false), (false, true), (true, false), (true, true)] {
                options.push(Change { idle, peer, signed });
            }
        }
        options
    }

    /// Draws the delta of a layer.
    pub fn draw<B: Backend>(self, layer: Layer, trial: &mut Trial<B>) -> Result<Changing<B>> {
        let rows = layer.rows();
        let outputs = if self.signed {
            trial.draw.signed(rows, layer.units)
        } else {
            trial.draw.activities(rows, layer.units)
        };
        let damping = 1.0 / (rows.max(1) as f64).sqrt();
        let coefficients = trial.draw.matrix(1, rows, |draw| {
            let zero = match self.idle {
                Idle::None => false,
                Idle::Most => draw.chance(0.8),
                Idle::All => true,
            };
            if zero { 0.0 } else { draw.between(-damping, damping) }
        });
        let peer_rows = if layer.repeat == 1 { layer.n.div_ceil(2) } else { layer.n };
        let mean = trial.draw.matrix(1, layer.units, |draw| draw.between(0.0, 1.0));
        let mut magnitudes = outputs.clone();
        for r in 0..rows {
            let pull = if self.peer && r < peer_rows { STRENGTH / peer_rows as f64 } else { 0.0 };
            let coefficient = coefficients.values[r];
            magnitudes.row_mut(r).iter_mut().for_each(|x| *x = (*x * coefficient).abs() + pull);
        }
        Ok(Changing {
            peer_rows: Some(peer_rows).filter(|rows| self.peer && *rows > 0),
            coefficients: trial.given("coefficients", &coefficients)?,
            outputs: trial.given("outputs", &outputs)?,
            mean: trial.given("running mean", &mean)?,
            magnitudes,
        })
    }
}

const STRENGTH: f64 = 0.3;

/// A delta on the device.
pub struct Changing<B: Backend> {
    peer_rows: Option<usize>,
    coefficients: Rc<B::Matrix>,
    outputs: Rc<B::Matrix>,
    mean: Rc<B::Matrix>,
    /// Bounds |δ|.
    magnitudes: Host,
}

impl<B: Backend> Changing<B> {
    pub fn delta(&self) -> Delta<'_, B> {
        let peer = self.peer_rows.map(|rows| Peer { mean: &*self.mean, strength: STRENGTH, rows });
        Delta { coefficients: &self.coefficients, outputs: &self.outputs, peer }
    }

    pub fn scales(&self, reading: &Reading<B>, precision: Precision) -> Scales {
        let rows = self.magnitudes.rows;
        let length = self.magnitudes.longest_column();
        let with_rounding = |most| (most, precision.dot(rows, most));
        Scales {
            weight: with_rounding(reading.longest_column() * length),
            bias: with_rounding((rows as f64).sqrt() * length),
        }
    }
}

/// Bounds of the gradients' elements, and scales of their roundings.
pub struct Scales {
    pub weight: (f64, f64),
    pub bias: (f64, f64),
}

/// `gradient`.
#[derive(Debug)]
pub struct Gradient(Layer, Change);

impl Case for Gradient {
    const OPERATION: &'static str = "gradient";

    fn tolerance(precision: Precision) -> Tolerance {
        let reason = "R terms zδ as in product, each with the roundings of z and δ";
        Tolerance { relative: 0.0, absolute: 8.0 * precision.epsilon, reason }
    }

    fn cases(effort: Effort) -> Vec<Self> {
        with_changes(Layer::all(effort, 10_000_000, &[1, 2])).map(|(layer, c)| Gradient(layer, c)).collect()
    }

    fn run<B: Backend>(&self, trial: &mut Trial<B>) -> Result<()> {
        let Gradient(layer, change) = *self;
        let reading = layer.read(trial)?;
        let changing = change.draw(layer, trial)?;
        let scales = changing.scales(&reading, trial.precision);
        let poison = Host::filled(layer.fan_in()?, layer.units, f64::NAN);
        let weight = trial.place_weight(layer.fields()?.as_ref(), &poison)?;
        let bias = if layer.bias { Some(trial.poisoned(1, layer.units)?) } else { None };
        let mut gradient = crate::Gradient { weight, bias };
        trial.backend.gradient(&reading.input(), &changing.delta(), &mut gradient)?;
        trial.close("weight", &gradient.weight, Scale::Uniform(scales.weight.1))?;
        gradient.bias.map_or(Ok(()), |bias| trial.close("bias", &bias, Scale::Uniform(scales.bias.1)))
    }
}

/// Each layer with one change or another, the first of each kind with all.
pub fn with_changes(layers: Vec<Layer>) -> impl Iterator<Item = (Layer, Change)> {
    let changes = Change::options();
    let first = layers.iter().take(4).copied();
    let all: Vec<_> = first.flat_map(|layer| changes.clone().into_iter().map(move |c| (layer, c))).collect();
    let each = layers.into_iter().enumerate();
    all.into_iter().chain(each.map(move |(i, layer)| (layer, changes[(i * 5 + i / 12) % changes.len()])))
}
