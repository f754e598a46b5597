//! The oracle rounded to f32, with a flaw of choice.

use std::cell::Cell;

use ff_backend::oracle::{self, Oracle};
use ff_backend::{
    Along, Backend, BackendError, Connected, Delta, DeviceInfo, Fields, Goodness, Gradient, IndexSlice,
    Input, Normalization, Objective, Parameter, Peer, Result, Rule, Shape, Tally, Weights, host, unfused,
};

use crate::adapters::{self, Matrix, reading, slice, weights};

/// What a backend does wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Flaw {
    None,
    /// The last element of the output is wrong by 1%.
    Off,
    /// The last element is NaN.
    Nan,
    /// The last element keeps what it held.
    Unwritten,
    /// The last element differs from call to call, within the tolerance.
    Fickle,
    /// The operation is not there.
    Refuses,
    /// `product` writes to its input.
    SpoilsInput,
    Habit(Habit),
}

/// Mistakes in the meaning of one operation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Habit {
    LastOfEquals,
    OverwritesCost,
    DropsIdlePull,
    DrawsTrueLabel,
    LeavesScores,
    HalfGradient,
    ForgetsNormalization,
    ForgetsShare,
    ForgetsSmoothing,
    SilencesBelowZero,
    NeverFlushes,
    BiasDecays,
    NeverRefuses,
    SeesNeighbours,
}

/// A backend with a flaw in one operation, or in all.
pub struct Faulty {
    flaw: Flaw,
    operation: Option<&'static str>,
    calls: Cell<u32>,
}

impl Faulty {
    pub fn new(flaw: Flaw, operation: Option<&'static str>) -> Faulty {
        Faulty { flaw, operation, calls: Cell::new(0) }
    }

    fn has(&self, habit: Habit) -> bool {
        self.flaw == Flaw::Habit(habit)
    }

    /// Whether the flaw strikes here.
    fn strikes(&self, operation: &'static str) -> bool {
        self.operation.is_none_or(|name| name == operation)
    }

    /// Runs an operation, rounds what it wrote, and spoils the last element of `out`.
    pub fn call(
        &self,
        operation: &'static str,
        out: &mut Matrix,
        run: impl FnOnce(&mut oracle::Matrix) -> Result<()>,
    ) -> Result<()> {
        let before = out.last();
        self.checked(operation, run(out.get()))?;
        out.edit(|values| values.iter_mut().for_each(|x| *x = f64::from(*x as f32)));
        self.calls.set(self.calls.get() + 1);
        let (Some(before), Some(after)) = (before, out.last()) else { return Ok(()) };
        match self.flaw {
            Flaw::Off if self.strikes(operation) => out.set_last(after * 1.01 + 0.01),
            Flaw::Nan if self.strikes(operation) => out.set_last(f64::NAN),
            Flaw::Unwritten if self.strikes(operation) => out.set_last(before),
            Flaw::Fickle if self.strikes(operation) => {
                let step = f64::from(f32::EPSILON) * f64::from(self.calls.get() % 2);
                out.set_last(after + step * after.abs().max(1e-30));
            }
            _ => {}
        }
        Ok(())
    }

    fn checked(&self, operation: &'static str, outcome: Result<()>) -> Result<()> {
        if self.flaw == Flaw::Refuses && self.strikes(operation) {
            return Err(BackendError::DeviceLost(operation.into()));
        }
        match outcome {
            Err(BackendError::Shape { .. }) if self.has(Habit::NeverRefuses) => Ok(()),
            other => other,
        }
    }

    /// Spoils the last of `end` entries; they have no NaN.
    fn list(&self, operation: &'static str, out: &mut host::Indices, end: usize, before: &[u32]) {
        let mut values = Oracle.download_indices(out).unwrap();
        self.calls.set(self.calls.get() + 1);
        let (Some(last), true) = (end.checked_sub(1), self.strikes(operation)) else { return };
        let Some(before) = before.get(last).copied() else { return };
        match self.flaw {
            Flaw::Off | Flaw::Nan => values[last] = values[last].wrapping_add(1),
            Flaw::Unwritten => values[last] = before,
            Flaw::Fickle => values[last] = self.calls.get(),
            _ => {}
        }
        Oracle.upload_indices(out, &values).unwrap();
    }
}

impl Backend for Faulty {
    type Real = f32;
    type Matrix = Matrix;
    type Weight = Matrix;
    type Indices = host::Indices;
    type Images = host::Images;

    fn device(&self) -> DeviceInfo {
        DeviceInfo { precision: "fp32".into(), ..Oracle.device() }
    }

    fn local_weight(&self, labels: usize, fields: &Fields) -> Result<Matrix> {
        Oracle.local_weight(labels, fields).map(Matrix::of)
    }

    fn indices(&self, len: usize) -> Result<host::Indices> {
        Oracle.indices(len)
    }

    fn upload_indices(&self, target: &mut host::Indices, values: &[u32]) -> Result<()> {
        Oracle.upload_indices(target, values)
    }

    fn download_indices(&self, source: &host::Indices) -> Result<Vec<u32>> {
        Oracle.download_indices(source)
    }

    fn images(&self, pixels: &host::Pixels, height: usize, width: usize) -> Result<host::Images> {
        Oracle.images(pixels, height, width)
    }

    fn synchronize(&self) -> Result<()> {
        Ok(())
    }

    fn gather(
        &self,
        images: &host::Images,
        rows: IndexSlice<Self>,
        shifts: Option<IndexSlice<Self>>,
        skip: usize,
        out: &mut Matrix,
        squares: &mut Matrix,
    ) -> Result<()> {
        self.call("gather", out, |out| {
            Oracle.gather(images, slice(rows), shifts.map(slice), skip, out, squares.get())
        })
    }

    fn center(&self, x: &mut Matrix, squares: &mut Matrix) -> Result<()> {
        self.call("center", x, |x| Oracle.center(x, squares.get()))
    }

    fn hybrid(
        &self,
        x: &mut Matrix,
        masks: &host::Images,
        which: IndexSlice<Self>,
        squares: &mut Matrix,
    ) -> Result<()> {
        self.call("hybrid", x, |x| Oracle.hybrid(x, masks, slice(which), squares.get()))
    }

    fn product(&self, input: &Matrix, weight: &Matrix, first_row: usize, out: &mut Matrix) -> Result<()> {
        self.call("product", out, |out| {
            let mut seen = input.0.borrow().clone();
            if self.has(Habit::SeesNeighbours) && weight.fields().is_some() {
                let mut values = Oracle.download(&seen)?;
                values.chunks_mut(input.columns().max(1)).for_each(|row| row.rotate_left(1));
                Oracle.upload(&mut seen, &values)?;
            }
            Oracle.product(&seen, &weight.0.borrow(), first_row, out)
        })?;
        if self.flaw == Flaw::SpoilsInput {
            input.set_last(7.0);
        }
        Ok(())
    }

    fn activate(
        &self,
        product: &Matrix,
        input: &Input<Self>,
        layer: &Weights<Self>,
        out: &mut Matrix,
        squares: &mut Matrix,
    ) -> Result<()> {
        self.call("activate", out, |out| {
            let layer = weights(layer);
            reading(input, |input| Oracle.activate(&product.0.borrow(), input, &layer, out, squares.get()))
        })
    }

    fn project(
        &self,
        input: &Input<Self>,
        layer: &Weights<Self>,
        out: &mut Matrix,
        squares: &mut Matrix,
    ) -> Result<()> {
        // The unfused, with a flaw on top.
        ff_backend::shapes::project::<Self>(input, layer, out, squares)?;
        let before = out.last();
        unfused::project(self, input, layer, out, squares)?;
        let result = out.clone();
        before.into_iter().for_each(|before| out.set_last(before));
        self.call("project", out, |out| Oracle.copy(&*result.0.borrow(), out))
    }

    fn drive(
        &self,
        product: &Matrix,
        input: &Input<Self>,
        above: &Input<Self>,
        layer: &Weights<Self>,
        out: &mut Matrix,
        squares: &mut Matrix,
    ) -> Result<()> {
        self.call("drive", out, |out| {
            let (product, layer) = (product.0.borrow(), weights(layer));
            reading(input, |input| {
                reading(above, |above| Oracle.drive(&product, input, above, &layer, out, squares.get()))
            })
        })
    }

    fn damp(
        &self,
        before: &Matrix,
        keep: f64,
        computed: &mut Matrix,
        state: &mut Matrix,
        squares: &mut Matrix,
    ) -> Result<()> {
        self.call("damp", state, |state| {
            Oracle.damp(&before.0.borrow(), keep, computed.get(), state, squares.get())
        })
    }

    fn dropout(&self, activities: &mut Matrix, rate: f64, seed: u32, squares: &mut Matrix) -> Result<()> {
        self.call("dropout", activities, |activities| Oracle.dropout(activities, rate, seed, squares.get()))
    }

    fn measure(
        &self,
        activities: &Matrix,
        goodness: Goodness,
        slopes: &mut Matrix,
        sums: &mut Matrix,
    ) -> Result<()> {
        self.call("measure", slopes, |out| Oracle.measure(&activities.0.borrow(), goodness, out, sums.get()))
    }

    fn coefficients(
        &self,
        squares: &Matrix,
        objective: &Objective,
        coefficients: &mut Matrix,
        tally: Tally<Self>,
    ) -> Result<()> {
        self.call("coefficients", coefficients, |coefficients| {
            let tally = Tally { sums: tally.sums.get(), layer: tally.layer };
            Oracle.coefficients(&squares.0.borrow(), objective, coefficients, tally)
        })
    }

    fn running_mean(&self, activities: &Matrix, rows: usize, keep: f64, mean: &mut Matrix) -> Result<()> {
        self.call("running_mean", mean, |mean| Oracle.running_mean(&activities.0.borrow(), rows, keep, mean))
    }

    fn gradient(
        &self,
        input: &Input<Self>,
        delta: &Delta<Self>,
        gradient: &mut Gradient<Self>,
    ) -> Result<()> {
        let coefficients = &*delta.coefficients.0.borrow();
        let idle = Oracle.download(coefficients)?.contains(&0.0);
        let drops = self.has(Habit::DropsIdlePull) && idle;
        let mean = delta.peer.map(|peer| peer.mean.0.borrow());
        let peer = delta.peer.zip(mean.as_deref()).filter(|_| !drops);
        let delta = Delta {
            coefficients,
            outputs: &*delta.outputs.0.borrow(),
            peer: peer.map(|(peer, mean)| Peer { mean, strength: peer.strength, rows: peer.rows }),
        };
        let mut ascent = adapters::gradient(gradient);
        let outcome = reading(input, |input| Oracle.gradient(input, &delta, &mut ascent));
        if let (Some(bias), Some(sums)) = (&mut gradient.bias, &ascent.bias) {
            Oracle.copy(sums, bias.get())?;
        }
        self.call("gradient", &mut gradient.weight, |weight| {
            outcome?;
            Oracle.copy(&ascent.weight, weight)
        })?;
        if self.has(Habit::HalfGradient) {
            gradient.weight.edit(|values| values.iter_mut().for_each(|x| *x *= -0.5));
        }
        Ok(())
    }

    fn update(&self, layer: &mut Weights<Self>, gradient: &Gradient<Self>, rule: Rule) -> Result<()> {
        let mut changed = weights(layer);
        let outcome = Oracle.update(&mut changed, &adapters::gradient(gradient), rule);
        if self.has(Habit::NeverFlushes) {
            let before = Oracle.download(&*layer.weight.first.0.borrow())?;
            let now = Oracle.download(&changed.weight.first)?;
            let kept: Vec<f64> = now
                .into_iter()
                .zip(before)
                .map(|(now, before)| if now == 0.0 { before } else { now })
                .collect();
            Oracle.upload(&mut changed.weight.first, &kept)?;
        }
        let back = Matrix::of;
        let moments = |parameter: &mut Parameter<Matrix>, changed: Parameter<oracle::Matrix>| {
            parameter.first = back(changed.first);
            parameter.second = changed.second.map(back);
            changed.value
        };
        if let (Some(bias), Some(changed)) = (&mut layer.bias, changed.bias) {
            bias.value = back(moments(bias, changed));
        }
        let value = moments(&mut layer.weight, changed.weight);
        self.call("update", &mut layer.weight.value, |weight| {
            outcome?;
            Oracle.copy(&value, weight)
        })
    }

    fn learn(
        &self,
        input: &Input<Self>,
        delta: &Delta<Self>,
        layer: &mut Weights<Self>,
        rule: Rule,
    ) -> Result<()> {
        // The unfused, with a flaw on top.
        ff_backend::shapes::learn::<Self>(input, delta, layer, rule)?;
        let before = layer.weight.value.last();
        let bias = layer.bias.as_ref().map(adapters::parameter);
        unfused::learn(self, input, delta, layer, rule)?;
        if let (true, Some(bias), Some(before)) = (self.has(Habit::BiasDecays), &mut layer.bias, bias) {
            let decay = if let Rule::Momentum { rate, decay, .. } = rule { rate * decay } else { 0.0 };
            let before = Oracle.download(&before.value)?;
            bias.value
                .edit(|values| values.iter_mut().zip(before).for_each(|(w, before)| *w -= decay * before));
        }
        let result = layer.weight.value.clone();
        before.into_iter().for_each(|before| layer.weight.value.set_last(before));
        self.call("learn", &mut layer.weight.value, |value| Oracle.copy(&*result.0.borrow(), value))
    }

    fn read_out(
        &self,
        activities: &Matrix,
        squares: &Matrix,
        normalization: Normalization,
        weight: &Matrix,
        logits: &mut Matrix,
        add: bool,
    ) -> Result<()> {
        let (activities, squares, weight) = (activities.0.borrow(), squares.0.borrow(), weight.0.borrow());
        self.call("read_out", logits, |logits| {
            Oracle.read_out(&activities, &squares, normalization, &weight, logits, add)
        })
    }

    fn back_project(
        &self,
        errors: &Matrix,
        weight: &Matrix,
        activities: &Matrix,
        squares: &Matrix,
        normalization: Normalization,
        out: &mut Matrix,
    ) -> Result<()> {
        let forgets = self.has(Habit::ForgetsNormalization);
        let normalization = if forgets { Normalization::None } else { normalization };
        let (errors, weight) = (errors.0.borrow(), weight.0.borrow());
        let (activities, squares) = (activities.0.borrow(), squares.0.borrow());
        self.call("back_project", out, |out| {
            Oracle.back_project(&errors, &weight, &activities, &squares, normalization, out)
        })
    }

    fn match_similarities(
        &self,
        activities: &Matrix,
        labels: IndexSlice<Self>,
        classes: usize,
        along: Along,
        slopes: &mut Matrix,
        cost: &mut Matrix,
    ) -> Result<()> {
        let along = match along {
            Along::Sums { .. } if self.has(Habit::ForgetsShare) => Along::Sums { share: 1.0 },
            Along::Rows if self.has(Habit::SilencesBelowZero) => Along::Sums { share: 1.0 },
            along => along,
        };
        let activities = activities.0.borrow();
        self.call("match_similarities", slopes, |slopes| {
            Oracle.match_similarities(&activities, slice(labels), classes, along, slopes, cost.get())
        })
    }

    fn softmax(
        &self,
        logits: &Matrix,
        labels: IndexSlice<Self>,
        smoothing: f64,
        errors: &mut Matrix,
        cost: &mut Matrix,
    ) -> Result<()> {
        if self.has(Habit::OverwritesCost) {
            cost.edit(|values| values.fill(0.0));
        }
        let smoothing = if self.has(Habit::ForgetsSmoothing) { 0.0 } else { smoothing };
        self.call("softmax", errors, |errors| {
            Oracle.softmax(&logits.0.borrow(), slice(labels), smoothing, errors, cost.get())
        })
    }

    fn draw_labels(
        &self,
        errors: &Matrix,
        labels: IndexSlice<Self>,
        uniforms: IndexSlice<Self>,
        out: &mut host::Indices,
    ) -> Result<()> {
        let before = Oracle.download_indices(out)?;
        let outcome = Oracle.draw_labels(&errors.0.borrow(), slice(labels), slice(uniforms), out);
        self.checked("draw_labels", outcome)?;
        if self.has(Habit::DrawsTrueLabel) {
            let mut values = Oracle.download_indices(out)?;
            values.copy_within(..errors.rows(), errors.rows());
            Oracle.upload_indices(out, &values)?;
        }
        self.list("draw_labels", out, 2 * errors.rows(), &before);
        Ok(())
    }

    fn accumulate(&self, squares: &Matrix, factor: f64, scores: &mut Matrix, column: usize) -> Result<()> {
        self.call("accumulate", scores, |scores| {
            Oracle.accumulate(&squares.0.borrow(), factor, scores, column)
        })
    }

    fn argmax(&self, scores: &mut Matrix, out: &mut host::Indices, offset: usize) -> Result<()> {
        let before = Oracle.download_indices(out)?;
        let (held, columns) = (scores.clone(), scores.columns());
        if self.has(Habit::LastOfEquals) {
            let nudge = |(i, x): (usize, &mut f64)| *x += (i % columns) as f64 * 1e-9;
            scores.edit(|values| values.iter_mut().enumerate().for_each(nudge));
        }
        self.checked("argmax", Oracle.argmax(scores.get(), out, offset))?;
        if self.has(Habit::LeavesScores) {
            *scores = held;
        }
        self.list("argmax", out, offset + scores.rows(), &before);
        Ok(())
    }
}
