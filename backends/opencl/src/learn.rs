//! A layer's learning step.
//!
//! `prepare` lists the rows that take part; one launch of `learn` then makes the gradient, tile by tile, and
//! the optimizer uses each tile up at once. Its first work-groups do the label rows and the bias.

use ff_backend::{
    Delta, Gradient, Input, Loss, Objective, Parameter, Result, Rule, Shape, Tally, Weights, shapes,
};

use crate::args::{Args, Steps, elements};
use crate::scratch::Slot;
use crate::{Matrix, OpenCl};

/// Neutral rows add to the gradient of every label: mode NEUTRAL of delta.cl.
const ALL_LABELS: i32 = 3;

/// Where a gradient goes: to a matrix, or into a parameter.
#[derive(Clone, Copy)]
struct Target<'a> {
    value: &'a Matrix,
    first: &'a Matrix,
    second: &'a Matrix,
}

impl<'a> Target<'a> {
    fn store(value: &'a Matrix) -> Self {
        Target { value, first: value, second: value }
    }

    fn step(parameter: &'a Parameter<Matrix>) -> Self {
        let Parameter { value, first, second } = parameter;
        Target { value, first, second: second.as_ref().unwrap_or(first) }
    }
}

impl OpenCl {
    pub(crate) fn coefficients(
        &self,
        squares: &Matrix,
        objective: &Objective,
        coefficients: &mut Matrix,
        tally: Tally<Self>,
    ) -> Result<()> {
        shapes::coefficients::<Self>(squares, coefficients, &tally)?;
        let pairs = squares.columns / 2;
        if pairs == 0 {
            return Ok(());
        }
        let (loss, a, b) = match objective.loss {
            Loss::Bce { threshold, temperature } => (0, threshold, temperature),
            Loss::Symba { alpha } => (1, alpha, 1.0),
        };
        let args = Args::new()
            .matrix(squares)
            .count(pairs)
            .int(loss)
            .float(a)
            .float(b)
            .float(objective.factor)
            .float(objective.gradient_scale * 2.0 * objective.factor / pairs as f64)
            .matrix(coefficients)
            .matrix(tally.sums)
            .count(tally.layer)
            .count(tally.sums.columns);
        self.launch_group(&self.small.coefficients, args)
    }

    pub(crate) fn running_mean(
        &self,
        activities: &Matrix,
        rows: usize,
        keep: f64,
        mean: &mut Matrix,
    ) -> Result<()> {
        shapes::running_mean(activities, rows, mean)?;
        let args = Args::new()
            .matrix(activities)
            .count(rows)
            .count(activities.columns)
            .float(keep)
            .float((1.0 - keep) / rows as f64)
            .matrix(mean);
        self.launch_columns(&self.small.running_mean, activities.columns, args)
    }

    pub(crate) fn gradient(
        &self,
        input: &Input<Self>,
        delta: &Delta<Self>,
        gradient: &mut Gradient<Self>,
    ) -> Result<()> {
        shapes::gradient::<Self>(input, delta, gradient)?;
        let bias = gradient.bias.as_ref().map(Target::store);
        self.launch_learn(input, delta, Target::store(&gradient.weight), bias, &Steps::STORE)
    }

    pub(crate) fn update(
        &self,
        layer: &mut Weights<Self>,
        gradient: &Gradient<Self>,
        rule: Rule,
    ) -> Result<()> {
        shapes::update::<Self>(layer, gradient, rule)?;
        for steps in Steps::of(rule) {
            self.launch_update(&gradient.weight, Target::step(&layer.weight), &steps)?;
        }
        if let (Some(bias), Some(gradient)) = (&layer.bias, &gradient.bias) {
            for steps in Steps::of(rule.without_decay()) {
                self.launch_update(gradient, Target::step(bias), &steps)?;
            }
        }
        Ok(())
    }

    pub(crate) fn learn(
        &self,
        input: &Input<Self>,
        delta: &Delta<Self>,
        layer: &mut Weights<Self>,
        rule: Rule,
    ) -> Result<()> {
        shapes::learn::<Self>(input, delta, layer, rule)?;
        let (weight, bias) = (Target::step(&layer.weight), layer.bias.as_ref().map(Target::step));
        let steps = Steps::of(rule);
        let Some((now, idle)) = steps.split_first() else { return Ok(()) };
        self.launch_learn(input, delta, weight, bias, now)?;
        for steps in idle {
            self.launch_update(weight.value, weight, steps)?;
            if let Some(bias) = bias {
                self.launch_update(bias.value, bias, steps)?;
            }
        }
        Ok(())
    }

    /// Idle steps do not read the gradient: anything may stand in for it.
    fn launch_update(&self, gradient: &Matrix, target: Target, steps: &Steps) -> Result<()> {
        let count = elements(target.value)?;
        let args = Args::new()
            .matrix(gradient)
            .count(count)
            .matrix(target.value)
            .matrix(target.first)
            .matrix(target.second)
            .rule(steps);
        self.launch_elements(&self.small.update, count.div_ceil(self.tuning.vector), args)
    }

    fn launch_learn(
        &self,
        input: &Input<Self>,
        delta: &Delta<Self>,
        weight: Target,
        bias: Option<Target>,
        steps: &Steps,
    ) -> Result<()> {
        let (shared, width) = (input.features.rows(), input.features.columns());
        let (rows, columns) = (delta.outputs.rows, delta.outputs.columns);
        let scales = self.scratch(Slot::Scales, shared)?;
        let active = self.scratch(Slot::Active, shared + 1)?;
        let count = self.scratch(Slot::Count, 1)?;
        let mean_of_means = self.scratch(Slot::MeanOfMeans, 2)?;
        let pull_row = self.scratch(Slot::PullRow, width)?;
        // Without a peer, anything stands in for its means.
        let means = delta.peer.map_or(delta.coefficients, |peer| peer.mean);
        let peer = delta.peer.filter(|peer| peer.rows > 0);
        let args = Args::new()
            .matrix(input.squares)
            .input_scale(input)
            .count(shared)
            .matrix(delta.coefficients)
            .count(rows)
            .flag(self.exact_shortcuts)
            .matrix(means)
            .count(columns)
            .flag(peer.is_some())
            .buffer(&scales)
            .buffer(&active)
            .buffer(&count)
            .buffer(&mean_of_means);
        self.launch_group(&self.small.prepare, args)?;
        let (mut pull, mut peer_rows) = (0.0, 0);
        if let Some(peer) = peer {
            (pull, peer_rows) = (peer.strength / peer.rows as f64, peer.rows);
            let args = Args::new()
                .matrix(input.features)
                .count(peer.rows)
                .count(width)
                .buffer(&scales)
                .buffer(&pull_row);
            self.launch_columns(&self.small.pull_row, width, args)?;
        }
        let tile = self.tuning.learn;
        let tiles = width.div_ceil(tile.rows);
        let small_rows = input.classes() + usize::from(bias.is_some());
        let bias = bias.unwrap_or(weight);
        let args = Args::new()
            .matrix(input.features)
            .count(width)
            .buffer(&pull_row)
            .buffer(&scales)
            .buffer(&active)
            .buffer(&count)
            .matrix(delta.coefficients)
            .matrix(delta.outputs)
            .count(rows)
            .count(shared)
            .count(columns)
            .matrix(means)
            .buffer(&mean_of_means)
            .float(pull)
            .count(peer_rows)
            .label(input, &scales, ALL_LABELS)
            .count(small_rows)
            .matrix(weight.value)
            .matrix(weight.first)
            .matrix(weight.second)
            .matrix(bias.value)
            .matrix(bias.first)
            .matrix(bias.second)
            .rule(steps);
        let groups = [columns.div_ceil(tile.columns), small_rows + tiles];
        self.launch(&self.products.learn, groups, self.tuning.product_items(), args)
    }
}
