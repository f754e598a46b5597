//! Five steps of training two layers, composed of the operations as a trainer does.

use std::rc::Rc;

use super::draw::Host;
use super::trial::{Precision, Scale, Trial};
use super::{Case, Effort, Tolerance};
use crate::{
    Backend, Delta, IndexSlice, Input, LabelCode, LabelFeatures, Loss, Normalization, Objective, Parameter,
    Peer, Result, Rule, TALLY_ROWS, Tally, Tensor, Weights,
};

const STEPS: usize = 5;
const BATCH: usize = 16;
const CLASSES: usize = 10;
const HEIGHT: usize = 12;
const WIDTH: usize = 8;
const FEATURES: usize = HEIGHT * WIDTH - CLASSES;
const UNITS: [usize; 2] = [64, 61];

/// What is trained, and how.
#[derive(Debug)]
pub enum Trajectory {
    /// Unit length, random wrong labels, Adam.
    Baseline,
    /// Mean square one, moved images, hard labels from a softmax head, peer normalization, momentum.
    Hinton,
}

impl Case for Trajectory {
    const OPERATION: &'static str = "trajectory";

    fn tolerance(precision: Precision) -> Tolerance {
        let reason = "the roundings of five steps, each magnified by the next";
        let absolute = if precision.tf32 { 0.02 } else { 500.0 * precision.epsilon };
        Tolerance { relative: 0.0, absolute, reason }
    }

    fn cases(_: Effort) -> Vec<Self> {
        vec![Trajectory::Baseline, Trajectory::Hinton]
    }

    fn run<B: Backend>(&self, trial: &mut Trial<B>) -> Result<()> {
        let mut training = Training::new(trial, matches!(self, Trajectory::Hinton))?;
        for step in 0..STEPS {
            training.step(trial.backend, step)?;
        }
        training.judge(trial)
    }
}

/// A network in training.
struct Training<B: Backend> {
    hinton: bool,
    /// Whether the negative labels are those drawn from the head; tf32 would draw others.
    hard: bool,
    images: B::Images,
    rows: Rc<B::Indices>,
    shifts: Rc<B::Indices>,
    /// Of each batch, the true labels, then wrong ones.
    labels: Rc<B::Indices>,
    uniforms: Rc<B::Indices>,
    drawn: B::Indices,
    layers: [Weights<B>; 2],
    means: [B::Matrix; 2],
    head: Weights<B>,
    one_each: B::Matrix,
    tally: B::Matrix,
    cost: B::Matrix,
}

/// A matrix of rows and their sums of squares.
type Rows<B> = (<B as Backend>::Matrix, <B as Backend>::Matrix);

impl<B: Backend> Training<B> {
    fn new(trial: &mut Trial<B>, hinton: bool) -> Result<Self> {
        const IMAGES: usize = 40;
        let pixels = trial.draw.pixels(IMAGES * HEIGHT * WIDTH);
        let rows = trial.draw.indices(0, STEPS * BATCH, IMAGES);
        let mut shift = || (125 + trial.draw.below(7)) as u32;
        let shifts: Vec<u32> = (0..STEPS * BATCH).map(|_| shift() * 256 + shift()).collect();
        let mut labels = Vec::new();
        for _ in 0..STEPS {
            let right = trial.draw.indices(0, BATCH, CLASSES);
            let wrong = right.iter().map(|label| (label + 1) % CLASSES as u32);
            labels.extend(right.iter().copied().chain(wrong));
        }
        let uniforms: Vec<u32> = (0..STEPS * BATCH).map(|_| trial.draw.word()).collect();
        let layers =
            [weights(trial, CLASSES + FEATURES, UNITS[0], true)?, weights(trial, UNITS[0], UNITS[1], true)?];
        Ok(Training {
            hinton,
            hard: !trial.precision.tf32,
            images: trial.backend.images(&pixels.into(), HEIGHT, WIDTH)?,
            rows: trial.listed("rows", &rows)?,
            shifts: trial.listed("shifts", &shifts)?,
            labels: trial.listed("labels", &labels)?,
            uniforms: trial.listed("uniforms", &uniforms)?,
            drawn: trial.poisoned_list(2 * BATCH)?,
            layers,
            means: [trial.backend.zeros(1, UNITS[0])?, trial.backend.zeros(1, UNITS[1])?],
            head: weights(trial, UNITS[1], CLASSES, false)?,
            one_each: trial.place(&Host::filled(1, BATCH, 1.0 / BATCH as f64))?,
            tally: trial.backend.zeros(TALLY_ROWS, 2)?,
            cost: trial.backend.zeros(1, 1)?,
        })
    }

    fn normalization(&self) -> Normalization {
        if self.hinton { Normalization::Rms } else { Normalization::Unit }
    }

    fn rule(&self, step: usize) -> Rule {
        if self.hinton {
            Rule::Momentum { rate: 0.2, momentum: 0.9, decay: 1e-3 }
        } else {
            Rule::Adam { rate: 0.01, step: 100 + step as u64, idle: (step % 2) as u32 }
        }
    }

    fn image<'a>(&self, (features, squares): &'a Rows<B>, code: LabelCode<'a, B>) -> Input<'a, B> {
        let label = LabelFeatures { code, classes: CLASSES, strength: 1.0, normalized: true };
        Input { features, squares, normalization: self.normalization(), label: Some(label) }
    }

    fn hidden<'a>(&self, (features, squares): &'a Rows<B>) -> Input<'a, B> {
        Input { features, squares, normalization: self.normalization(), label: None }
    }

    fn step(&mut self, b: &B, step: usize) -> Result<()> {
        let mut x = new_rows(b, BATCH, FEATURES)?;
        let rows = IndexSlice { indices: &*self.rows, offset: step * BATCH };
        let shifts = self.hinton.then_some(IndexSlice { indices: &*self.shifts, offset: step * BATCH });
        b.gather(&self.images, rows, shifts, CLASSES, &mut x.0, &mut x.1)?;
        if self.hinton {
            self.head(b, step, &x)?;
        }
        // Positive and negative rows share their image.
        let mut labels = IndexSlice { indices: &*self.labels, offset: step * 2 * BATCH };
        if self.hinton && self.hard {
            labels = IndexSlice { indices: &self.drawn, offset: 0 };
        }
        let input = self.image(&x, LabelCode::Each(labels));
        let [mut first, mut second] = [new_rows(b, 2 * BATCH, UNITS[0])?, new_rows(b, 2 * BATCH, UNITS[1])?];
        let mut product = b.zeros(BATCH, UNITS[0])?;
        b.product(&x.0, &self.layers[0].weight.value, CLASSES, &mut product)?;
        b.activate(&product, &input, &self.layers[0], &mut first.0, &mut first.1)?;
        let hidden = self.hidden(&first);
        b.project(&hidden, &self.layers[1], &mut second.0, &mut second.1)?;
        let rule = self.rule(step);
        for (layer, input, out) in [(0, &input, &first), (1, &hidden, &second)] {
            let width = UNITS[layer] as f64;
            let loss = if self.hinton {
                Loss::Bce { threshold: width / 2.0, temperature: width / 8.0 }
            } else {
                Loss::Bce { threshold: 0.25, temperature: 0.5 }
            };
            let gradient_scale = if self.hinton { width / 8.0 } else { 1.0 };
            let objective = Objective { loss, factor: 1.0, gradient_scales: [gradient_scale; 2] };
            let mut coefficients = b.zeros(1, 2 * BATCH)?;
            let tally = Tally { sums: &mut self.tally, layer };
            b.coefficients(&out.1, &objective, &mut coefficients, tally)?;
            b.running_mean(&out.0, BATCH, 0.9, &mut self.means[layer])?;
            let peer = Peer { mean: &self.means[layer], strength: 0.03, rows: BATCH };
            let delta =
                Delta { coefficients: &coefficients, outputs: &out.0, peer: self.hinton.then_some(peer) };
            b.learn(input, &delta, &mut self.layers[layer], rule)?;
        }
        Ok(())
    }

    /// A pass with neutral labels, a step of the head, and negative labels drawn from it.
    fn head(&mut self, b: &B, step: usize, x: &Rows<B>) -> Result<()> {
        let [mut first, mut second] = [new_rows(b, BATCH, UNITS[0])?, new_rows(b, BATCH, UNITS[1])?];
        b.project(&self.image(x, LabelCode::Neutral), &self.layers[0], &mut first.0, &mut first.1)?;
        b.project(&self.hidden(&first), &self.layers[1], &mut second.0, &mut second.1)?;
        let [mut logits, mut errors] = [b.zeros(BATCH, CLASSES)?, b.zeros(BATCH, CLASSES)?];
        let head = &self.head.weight.value;
        b.read_out(&second.0, &second.1, self.normalization(), head, &mut logits, false)?;
        let labels = IndexSlice { indices: &*self.labels, offset: step * 2 * BATCH };
        let uniforms = IndexSlice { indices: &*self.uniforms, offset: step * BATCH };
        b.softmax(&logits, labels, 0.0, &mut errors, &mut self.cost)?;
        b.draw_labels(&errors, labels, uniforms, &mut self.drawn)?;
        let coefficients = &self.one_each;
        let delta = Delta { coefficients, outputs: &errors, peer: None };
        let (input, rule) = (self.hidden(&second), self.rule(step));
        b.learn(&input, &delta, &mut self.head, rule)
    }

    fn judge(&self, trial: &mut Trial<B>) -> Result<()> {
        trial.close("weight of the head", &self.head.weight.value, Scale::Largest)?;
        trial.close("tally", &self.tally, Scale::Largest)?;
        trial.close("cost", &self.cost, Scale::Largest)?;
        const NAMES: [[&str; 3]; 2] = [
            ["weight of layer 0", "bias of layer 0", "running mean of layer 0"],
            ["weight of layer 1", "bias of layer 1", "running mean of layer 1"],
        ];
        for ((layer, mean), names) in self.layers.iter().zip(&self.means).zip(NAMES) {
            trial.close(names[0], &layer.weight.value, Scale::Largest)?;
            if let Some(bias) = &layer.bias {
                trial.close(names[1], &bias.value, Scale::Largest)?;
            }
            trial.close(names[2], mean, Scale::Largest)?;
        }
        Ok(())
    }
}

fn new_rows<B: Backend>(b: &B, rows: usize, columns: usize) -> Result<Rows<B>> {
    Ok((b.zeros(rows, columns)?, b.zeros(1, rows)?))
}

/// Weights with moments as after many steps: from moments of 0, the first step of Adam is the sign of
/// the gradient, which rounding decides where that is about 0.
fn weights<B: Backend>(trial: &mut Trial<B>, fan_in: usize, units: usize, bias: bool) -> Result<Weights<B>> {
    let reach = 1.7 / (fan_in as f64).sqrt();
    let weight = trial.draw.matrix(fan_in, units, |draw| draw.between(-reach, reach));
    let weight = parameter(trial, &weight)?;
    let bias = if bias { Some(parameter(trial, &Host::filled(1, units, 0.0))?) } else { None };
    Ok(Weights { weight, bias })
}

fn parameter<B: Backend, T: Tensor<B>>(trial: &mut Trial<B>, value: &Host) -> Result<Parameter<T>> {
    let first = Host::filled(value.rows, value.columns, 0.0);
    let second = Host::filled(value.rows, value.columns, 1e-4);
    trial.parameter(value, &first, Some(&second))
}
