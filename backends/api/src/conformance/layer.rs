//! A layer and what it reads, with every option.

use std::rc::Rc;

use super::draw::Host;
use super::local::Sight;
use super::sizes::Effort;
use super::trial::Trial;
use crate::{Backend, Fields, IndexSlice, Input, LabelCode, LabelFeatures, Normalization, Result, Weights};

/// Which label the rows carry.
#[derive(Clone, Copy, Debug)]
pub enum Code {
    Each,
    Same,
    Neutral,
}

/// Label features.
#[derive(Clone, Copy, Debug)]
pub struct Label {
    code: Code,
    classes: usize,
    strength: f64,
    normalized: bool,
}

/// Shapes and options of a layer: `repeat` rows share each of `n` rows of features.
#[derive(Clone, Copy, Debug)]
pub struct Layer {
    pub n: usize,
    pub repeat: usize,
    pub features: usize,
    pub units: usize,
    pub normalization: Normalization,
    pub label: Option<Label>,
    pub bias: bool,
    /// What its units see.
    pub sight: Sight,
}

/// The entries of the labels' list before this one must not be read.
const OFFSET: usize = 5;

impl Layer {
    /// Every option in one shape, then every shape with one option or another, then no rows.
    pub fn all(effort: Effort, cost: usize, repeats: &[usize]) -> Vec<Layer> {
        let options = Layer::options(repeats);
        let large = effort.large(vec![[32, 2000, 500]]);
        let shapes = effort.shapes(cost).into_iter().chain([[0, 7, 7]]).chain(large).enumerate();
        let any = |i: usize, n: usize| options[(i * 13 + n) % options.len()];
        let sized: Vec<Layer> =
            shapes.map(|(i, [n, features, units])| Layer { n, features, units, ..any(i, n) }).collect();
        let local = Sight::all(effort).into_iter().enumerate();
        let local: Vec<Layer> = local
            .map(|(i, ([n, features, units], sight))| Layer { n, features, units, sight, ..any(i, 0) })
            .collect();
        options.into_iter().chain(sized).chain(local).collect()
    }

    fn options(repeats: &[usize]) -> Vec<Layer> {
        let mut labels = vec![None];
        for code in [Code::Each, Code::Same, Code::Neutral] {
            for (classes, strength, normalized) in [(10, 1.0, true), (7, 2.5, false)] {
                labels.push(Some(Label { code, classes, strength, normalized }));
            }
        }
        let mut options = Vec::new();
        for normalization in [Normalization::None, Normalization::Unit, Normalization::Rms] {
            for &label in &labels {
                for &repeat in repeats {
                    for bias in [true, false] {
                        let (n, features, units, sight) = (7, 61, 13, Sight::All);
                        options.push(Layer { n, repeat, features, units, normalization, label, bias, sight });
                    }
                }
            }
        }
        options
    }

    /// Rows of the layer.
    pub fn rows(&self) -> usize {
        self.n * self.repeat
    }

    /// The fields of its units, if they do not see all.
    pub fn fields(&self) -> Result<Option<Fields>> {
        self.sight.fields(self.features, self.units)
    }

    /// Rows of the weights.
    pub fn fan_in(&self) -> Result<usize> {
        let rows = self.fields()?.map_or(self.features, |fields| fields.rows());
        Ok(self.label.map_or(0, |label| label.classes) + rows)
    }

    /// Draws what the layer reads.
    pub fn read<B: Backend>(self, trial: &mut Trial<B>) -> Result<Reading<B>> {
        let features = trial.draw.activities(self.n, self.features);
        let squares = features.squares();
        let classes = self.label.map_or(1, |label| label.classes);
        let labels = trial.draw.indices(OFFSET, self.rows(), classes);
        Ok(Reading {
            layer: self,
            features: trial.given("features", &features)?,
            squares: trial.given("squares of the input", &squares)?,
            labels: trial.listed("labels", &labels)?,
            host: features,
            host_squares: squares,
        })
    }

    /// Draws weights without moments.
    pub fn weights<B: Backend>(self, trial: &mut Trial<B>) -> Result<HostWeights> {
        let weight = trial.draw.signed(self.fan_in()?, self.units);
        let bias = self.bias.then(|| trial.draw.signed(1, self.units));
        Ok(HostWeights { weight, bias, fields: self.fields()? })
    }
}

/// A layer's weights on the host.
pub struct HostWeights {
    pub weight: Host,
    pub bias: Option<Host>,
    pub fields: Option<Fields>,
}

impl HostWeights {
    /// On the device, with moments of zero.
    pub fn place<B: Backend>(&self, trial: &mut Trial<B>) -> Result<Weights<B>> {
        let zeros = |value: &Host| Host::filled(value.rows, value.columns, 0.0);
        let still = zeros(&self.weight);
        let weight = trial.weights(self.fields.as_ref(), &self.weight, &still, Some(&still))?;
        let bias = match &self.bias {
            Some(bias) => Some(trial.parameter(bias, &zeros(bias), Some(&zeros(bias)))?),
            None => None,
        };
        Ok(Weights { weight, bias })
    }

    /// Judges that they are what they were.
    pub fn kept<B: Backend>(&self, trial: &mut Trial<B>, weights: &Weights<B>) -> Result<()> {
        trial.kept("weight", &weights.weight.value, &self.weight)?;
        match (&weights.bias, &self.bias) {
            (Some(parameter), Some(bias)) => trial.kept("bias", &parameter.value, bias),
            _ => Ok(()),
        }
    }
}

/// What a layer reads, on the device and on the host.
pub struct Reading<B: Backend> {
    layer: Layer,
    features: Rc<B::Matrix>,
    squares: Rc<B::Matrix>,
    labels: Rc<B::Indices>,
    pub host: Host,
    host_squares: Host,
}

impl<B: Backend> Reading<B> {
    pub fn input(&self) -> Input<'_, B> {
        let label = self.layer.label.map(|label| LabelFeatures {
            code: match label.code {
                Code::Each => LabelCode::Each(IndexSlice { indices: &*self.labels, offset: OFFSET }),
                Code::Same => LabelCode::Same(label.classes as u32 / 2),
                Code::Neutral => LabelCode::Neutral,
            },
            classes: label.classes,
            strength: label.strength,
            normalized: label.normalized,
        });
        Input {
            features: &self.features,
            squares: &self.squares,
            normalization: self.layer.normalization,
            label,
        }
    }

    /// s of each of the `n` rows.
    pub fn scales(&self) -> Vec<f64> {
        let input = self.input();
        self.host_squares.values.iter().map(|squares| input.scale(*squares)).collect()
    }

    /// Bounds the normalized rows' label features.
    pub fn label_scales(&self) -> Vec<f64> {
        let input = self.input();
        self.scales().into_iter().map(|scale| input.label_scale(scale)).collect()
    }

    /// Lengths of the normalized rows, with their label features.
    pub fn lengths(&self) -> Vec<f64> {
        let scales = self.scales().into_iter().zip(self.label_scales());
        let rows = scales.zip(&self.host_squares.values);
        rows.map(|((scale, label), squares)| scale * squares.sqrt() + label).collect()
    }

    /// The largest length of a column of the normalized rows, repeated ones included.
    pub fn longest_column(&self) -> f64 {
        let mut normalized = self.host.clone();
        for (r, scale) in self.scales().into_iter().enumerate() {
            normalized.row_mut(r).iter_mut().for_each(|x| *x *= scale);
        }
        let label = self.label_scales().into_iter().map(|x| x * x).sum::<f64>().sqrt();
        normalized.longest_column().max(label) * (self.layer.repeat as f64).sqrt()
    }
}
