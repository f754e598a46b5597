//! A layer's learning step.
//!
//! One launch of `learn` makes the gradient, tile by tile, and the optimizer uses each tile up at once. Its last
//! work-groups do the label rows and the bias. Before it the portable path lists the rows that take part (`prepare`);
//! on a GPU each work-group does so by itself.

use std::rc::Rc;

use ff_backend::{
    Connected, Delta, Gradient, Input, Objective, Parameter, Peer, Result, Rule, Shape, Tally, Weights,
    shapes,
};

use crate::args::{Args, Steps};
use crate::lists::LEARN;
use crate::local::{Seen, places};
use crate::memory::Buffer;
use crate::scratch::Slot;
use crate::{KernelPath, Matrix, OpenCl};

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
        let (loss, [a, b]) = objective.loss.encoded();
        let [up, down] = objective.chains(pairs);
        let args = self
            .args()
            .squares(squares)
            .buffer(&squares.buffer)
            .count(pairs)
            .int(loss)
            .float(a)
            .float(b)
            .float(objective.factor)
            .float(up)
            .float(down)
            .out(coefficients)
            .matrix(tally.sums)
            .count(tally.layer)
            .count(tally.sums.columns);
        self.launch_group(&self.small.coefficients, args)?;
        // The kernel has added up several parts.
        if squares.in_parts().1 > 1 {
            squares.parts.forget();
        }
        Ok(())
    }

    pub(crate) fn running_mean(
        &self,
        activities: &Matrix,
        rows: usize,
        keep: f64,
        mean: &mut Matrix,
    ) -> Result<()> {
        shapes::running_mean(activities, rows, mean)?;
        let args = self
            .args()
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
        let count = target.value.elements();
        let args = self
            .args()
            .matrix(gradient)
            .count(count)
            .matrix(target.value)
            .matrix(target.first)
            .matrix(target.second)
            .rule(steps);
        self.launch_elements(&self.small.update, count.div_ceil(self.tuning.vector), args)
    }

    fn launch_learn<'a>(
        &'a self,
        input: &'a Input<'a, Self>,
        delta: &Delta<Self>,
        weight: Target,
        bias: Option<Target>,
        steps: &Steps,
    ) -> Result<()> {
        let shared = input.features.rows();
        let (places, width) = (places(weight.value), weight.value.rows_for(input.features.columns()));
        let (rows, columns) = (delta.outputs.rows, delta.outputs.columns);
        let seen = self.seen(input.features, weight.value)?;
        let mean_of_means = self.scratch(Slot::MeanOfMeans, 2)?;
        let pull_row = self.scratch(Slot::PullRow, places * width)?;
        let pull_line = self.scratch(Slot::PullLine, columns)?;
        let peer = delta.peer.filter(|peer| peer.rows > 0);
        let prepared = match self.tuning.path {
            KernelPath::Portable => Some(self.prepare(input, delta, peer.as_ref(), &mean_of_means)?),
            _ => None,
        };
        let input_scale = |args: Args<'a>| match &prepared {
            Some(prepared) => args.buffer(&prepared.scales),
            None => args.squares(input.squares).input_scale(input),
        };
        let peer_rows = peer.map_or(0, |peer| peer.rows);
        if let Some(peer) = peer {
            let args = self.args().buffer(seen.buffer()).count(peer.rows).count(places * width);
            let args = input_scale(args)
                .matrix(peer.mean)
                .count(columns)
                .float(peer.strength / peer.rows as f64)
                .buffer(&mean_of_means)
                .buffer(&pull_row)
                .buffer(&pull_line);
            self.launch_columns(&self.small.pull_row, (places * width).max(columns), args)?;
        }
        let args = self.args().buffer(seen.buffer()).count(width).count(places).buffer(&pull_row);
        let args = input_scale(args);
        let args = match &prepared {
            Some(prepared) => args.buffer(&prepared.active).buffer(&prepared.count),
            None => args.flag(self.exact_shortcuts),
        };
        let bias_rows = usize::from(bias.is_some());
        let bias = bias.unwrap_or(weight);
        let args = args
            .matrix(delta.coefficients)
            .matrix(delta.outputs)
            .count(rows)
            .count(shared)
            .count(columns)
            .buffer(&pull_line)
            .count(peer_rows)
            .label(input, weight.value)
            .matrix(weight.value)
            .matrix(weight.first)
            .matrix(weight.second)
            .matrix(bias.value)
            .matrix(bias.first)
            .matrix(bias.second)
            .rule(steps);
        let (kernel, tile, args) = match &self.lists {
            Some(lists) => {
                let features = self.marks(&seen, shared, places * width)?;
                let outputs = self.marks(&Seen::All(delta.outputs), rows, columns)?;
                let args = args.buffer(&features.buffer).count(features.words);
                (&lists.learn_by_lists, LEARN, args.buffer(&outputs.buffer).count(outputs.words))
            }
            None => (&self.products.learn, self.tuning.learn, args),
        };
        let tiles = places * (columns / places.max(1)).div_ceil(tile.columns);
        let groups = [tiles, width.div_ceil(tile.rows) + input.classes() + bias_rows];
        self.launch(kernel, groups, self.tuning.product_items(), args)
    }

    /// Scales of the input rows, and which of them take part.
    fn prepare(
        &self,
        input: &Input<Self>,
        delta: &Delta<Self>,
        peer: Option<&Peer<Self>>,
        mean_of_means: &Buffer,
    ) -> Result<Prepared> {
        let shared = input.features.rows();
        let prepared = Prepared {
            scales: self.scratch(Slot::Scales, shared)?,
            active: self.scratch(Slot::Active, shared + 1)?,
            count: self.scratch(Slot::Count, 1)?,
        };
        let args = self
            .args()
            .squares(input.squares)
            .input_scale(input)
            .count(shared)
            .matrix(delta.coefficients)
            .count(delta.outputs.rows)
            .flag(self.exact_shortcuts)
            .flag(peer.is_some())
            // Without a peer, anything stands in for its means.
            .matrix(peer.map_or(delta.coefficients, |peer| peer.mean))
            .count(delta.outputs.columns)
            .buffer(&prepared.scales)
            .buffer(&prepared.active)
            .buffer(&prepared.count)
            .buffer(mean_of_means);
        self.launch_group(&self.small.prepare, args)?;
        Ok(prepared)
    }
}

/// What `prepare` finds.
struct Prepared {
    scales: Rc<Buffer>,
    active: Rc<Buffer>,
    count: Rc<Buffer>,
}
