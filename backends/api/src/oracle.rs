//! The formulas as naive f64 loops: what every backend is compared with.
//!
//! Written to be checked by eye, not to be fast. Fused operations are those of [`unfused`](crate::unfused).
//!
//! The loops are those of any [`Arithmetic`], so that another way to multiply and add (counted, rounded, noisy) is a
//! backend of a few lines; the [`Oracle`]'s is f64's own.

mod input;
mod matrix;
mod optimizer;

use input::normalized_row;
pub use matrix::Matrix;
use optimizer::step;

use crate::host::{Images, Indices, Pixels};
use crate::{
    Along, Backend, Connected, Delta, DeviceInfo, Fields, Goodness, Gradient, IndexSlice, Input,
    Normalization, Objective, Real, Result, Rule, Shape, Tally, Weights, dropout_keeps, shapes,
    similarity_of_labels,
};

/// What weighted sums are made with. Whatever implements it is a [`Backend`].
pub trait Arithmetic: Sized + 'static {
    /// What the backend is called in [`DeviceInfo::backend`].
    const NAME: &'static str;

    /// sum + a · b, rounded as this arithmetic rounds: one term of [`product`](Backend::product),
    /// [`read_out`](Backend::read_out) or a weight's [`gradient`](Backend::gradient).
    fn multiply_add(&self, sum: f64, a: f64, b: f64) -> f64 {
        sum + a * b
    }
}

/// The f64 reference backend.
#[derive(Clone, Copy, Debug, Default)]
pub struct Oracle;

impl Arithmetic for Oracle {
    const NAME: &'static str = "oracle";
}

impl<A: Arithmetic> Backend for A {
    type Real = f64;
    type Matrix = Matrix;
    type Weight = Matrix;
    type Indices = Indices;
    type Images = Images;

    fn device(&self) -> DeviceInfo {
        DeviceInfo {
            backend: A::NAME.into(),
            device: "naive loops".into(),
            driver: "none".into(),
            units: 1,
            memory_bytes: 0,
            precision: "fp64".into(),
        }
    }

    fn local_weight(&self, labels: usize, fields: &Fields) -> Result<Matrix> {
        let weight = self.weight(labels + fields.rows(), fields.units())?;
        Ok(Matrix { fields: Some(fields.clone()), ..weight })
    }

    fn indices(&self, len: usize) -> Result<Indices> {
        Ok(Indices(vec![0; len]))
    }

    fn upload_indices(&self, target: &mut Indices, values: &[u32]) -> Result<()> {
        target.upload(values)
    }

    fn download_indices(&self, source: &Indices) -> Result<Vec<u32>> {
        Ok(source.0.clone())
    }

    fn images(&self, pixels: &Pixels, height: usize, width: usize) -> Result<Images> {
        Images::new(pixels, height, width)
    }

    fn synchronize(&self) -> Result<()> {
        Ok(())
    }

    fn gather(
        &self,
        images: &Images,
        rows: IndexSlice<Self>,
        shifts: Option<IndexSlice<Self>>,
        skip: usize,
        out: &mut Matrix,
        squares: &mut Matrix,
    ) -> Result<()> {
        shapes::gather::<Self>(images, &rows, shifts.as_ref(), skip, out, squares)?;
        for r in 0..out.rows {
            let shift = shifts.map_or(128 * 256 + 128, |shifts| shifts.entry(r));
            let (dy, dx) = ((shift / 256) as isize - 128, (shift % 256) as isize - 128);
            for f in 0..out.columns {
                let (y, x) = (((skip + f) / images.width) as isize, ((skip + f) % images.width) as isize);
                out.set(r, f, images.pixel(rows.entry(r), y - dy, x - dx));
            }
            squares.values[r] = out.square_of_row(r);
        }
        Ok(())
    }

    fn center(&self, x: &mut Matrix, squares: &mut Matrix) -> Result<()> {
        shapes::center(x, squares)?;
        for r in 0..x.rows {
            let first = if x.columns == 0 { 0.0 } else { x.at(r, 0) };
            (0..x.columns).for_each(|f| x.set(r, f, x.at(r, f) - first));
            let mean = (0..x.columns).map(|f| x.at(r, f)).sum::<f64>() / x.columns as f64;
            (0..x.columns).for_each(|f| x.set(r, f, x.at(r, f) - mean));
            squares.values[r] = x.square_of_row(r);
        }
        Ok(())
    }

    fn hybrid(
        &self,
        x: &mut Matrix,
        masks: &Images,
        which: IndexSlice<Self>,
        squares: &mut Matrix,
    ) -> Result<()> {
        shapes::hybrid::<Self>(x, masks, &which, squares)?;
        let pairs = x.rows / 2;
        for i in 0..pairs {
            for f in 0..x.columns {
                let at = which.entry(i) * masks.columns() + f;
                let mask = f64::from(masks.pixels[at]) / 255.0;
                x.set(pairs + i, f, mask * x.at(i, f) + (1.0 - mask) * x.at(pairs + i, f));
            }
            squares.values[pairs + i] = x.square_of_row(pairs + i);
        }
        Ok(())
    }

    fn product(&self, input: &Matrix, weight: &Matrix, first_row: usize, out: &mut Matrix) -> Result<()> {
        shapes::product::<Self>(input, weight, first_row, out)?;
        for j in 0..out.columns {
            let seen = weight.of_column(j, input.columns);
            for r in 0..out.rows {
                let term =
                    |sum, (k, f): &_| self.multiply_add(sum, input.at(r, *f), weight.at(first_row + *k, j));
                out.set(r, j, seen.iter().fold(0.0, term));
            }
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
        shapes::activate::<Self>(product, input, layer, out, squares)?;
        for r in 0..out.rows {
            let shared = r % product.rows;
            let scale = input.scale(input.squares.values[shared]);
            let code = &normalized_row(input, r)[..input.classes()];
            for j in 0..out.columns {
                let label: f64 = code.iter().enumerate().map(|(c, z)| z * layer.weight.value.at(c, j)).sum();
                let bias = layer.bias.as_ref().map_or(0.0, |bias| bias.value.values[j]);
                out.set(r, j, (scale * product.at(shared, j) + label + bias).max(0.0));
            }
            squares.values[r] = out.square_of_row(r);
        }
        Ok(())
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
        shapes::drive::<Self>(product, input, above, layer, out, squares)?;
        for r in 0..out.rows {
            let shared = r % product.rows;
            let below = input.scale(input.squares.values[shared]);
            let from_above = above.scale(above.squares.values[r % above.features.rows]);
            for j in 0..out.columns {
                let bias = layer.bias.as_ref().map_or(0.0, |bias| bias.value.values[j]);
                let sum = below * product.at(shared, j) + from_above * out.at(r, j) + bias;
                out.set(r, j, sum.max(0.0));
            }
            squares.values[r] = out.square_of_row(r);
        }
        Ok(())
    }

    fn damp(
        &self,
        before: &Matrix,
        keep: f64,
        computed: &mut Matrix,
        state: &mut Matrix,
        squares: &mut Matrix,
    ) -> Result<()> {
        shapes::damp(before, computed, state, squares)?;
        for r in 0..state.rows {
            for j in 0..state.columns {
                let new = keep * before.at(r, j) + (1.0 - keep) * computed.at(r, j);
                let slope = if computed.at(r, j) > 0.0 { (1.0 - keep) * new } else { 0.0 };
                state.set(r, j, new);
                computed.set(r, j, slope);
            }
            squares.values[r] = state.square_of_row(r);
        }
        Ok(())
    }

    fn dropout(&self, activities: &mut Matrix, rate: f64, seed: u32, squares: &mut Matrix) -> Result<()> {
        shapes::dropout(activities, squares)?;
        let drop_below = (rate * 4_294_967_296.0) as u32;
        for r in 0..activities.rows {
            for j in 0..activities.columns {
                let kept = dropout_keeps(seed, (r * activities.columns + j) as u32, drop_below);
                let value = if kept { activities.at(r, j) / (1.0 - rate) } else { 0.0 };
                activities.set(r, j, value);
            }
            squares.values[r] = activities.square_of_row(r);
        }
        Ok(())
    }

    fn measure(
        &self,
        activities: &Matrix,
        goodness: Goodness,
        slopes: &mut Matrix,
        sums: &mut Matrix,
    ) -> Result<()> {
        shapes::measure(activities, goodness, slopes, sums)?;
        for r in 0..activities.rows {
            let row: Vec<f64> = (0..activities.columns).map(|j| activities.at(r, j)).collect();
            let (sum, row) = goodness.of_row(&row);
            row.iter().enumerate().for_each(|(j, slope)| slopes.set(r, j, *slope));
            sums.values[r] = sum;
        }
        Ok(())
    }

    fn coefficients(
        &self,
        squares: &Matrix,
        objective: &Objective,
        coefficients: &mut Matrix,
        tally: Tally<Self>,
    ) -> Result<()> {
        shapes::coefficients::<Self>(squares, coefficients, &tally)?;
        let pairs = squares.columns / 2;
        let [up, down] = objective.chains(pairs);
        let mut sums = [0.0; 4];
        for i in 0..pairs {
            let positive = objective.factor * squares.values[i];
            let negative = objective.factor * squares.values[pairs + i];
            let pair = objective.loss.of_pair::<f64>(positive, negative);
            coefficients.values[i] = up * pair.positive_slope;
            coefficients.values[pairs + i] = down * pair.negative_slope;
            let wrong = f64::from(u8::from(negative > positive));
            for (sum, value) in sums.iter_mut().zip([pair.loss, positive, negative, wrong]) {
                *sum += value / pairs as f64;
            }
        }
        for (row, sum) in sums.into_iter().enumerate() {
            let before = tally.sums.at(row, tally.layer);
            tally.sums.set(row, tally.layer, before + sum);
        }
        Ok(())
    }

    fn running_mean(&self, activities: &Matrix, rows: usize, keep: f64, mean: &mut Matrix) -> Result<()> {
        shapes::running_mean(activities, rows, mean)?;
        for j in 0..activities.columns {
            let batch = (0..rows).map(|r| activities.at(r, j)).sum::<f64>() / rows as f64;
            mean.values[j] = (keep * mean.values[j] + (1.0 - keep) * batch).flushed();
        }
        Ok(())
    }

    fn gradient(
        &self,
        input: &Input<Self>,
        delta: &Delta<Self>,
        gradient: &mut Gradient<Self>,
    ) -> Result<()> {
        shapes::gradient::<Self>(input, delta, gradient)?;
        let Gradient { weight, bias } = gradient;
        let mut bias_gradient = vec![0.0; weight.columns];
        weight.values.fill(0.0);
        let (classes, features) = (input.classes(), input.features.columns);
        let seen: Vec<_> = (0..weight.columns).map(|j| weight.of_column(j, features)).collect();
        for r in 0..delta.outputs.rows {
            let z = normalized_row(input, r);
            for (j, bias_j) in bias_gradient.iter_mut().enumerate() {
                let mut d = delta.coefficients.values[r] * delta.outputs.at(r, j);
                if let Some(peer) = delta.peer.filter(|peer| r < peer.rows) {
                    let mean_of_means = peer.mean.values.iter().sum::<f64>() / peer.mean.columns as f64;
                    d -= peer.strength / peer.rows as f64 * (mean_of_means - peer.mean.values[j]);
                }
                *bias_j += d;
                let labels = (0..classes).map(|c| (c, c));
                for (k, f) in labels.chain(seen[j].iter().map(|(k, f)| (classes + k, classes + f))) {
                    weight.set(k, j, self.multiply_add(weight.at(k, j), z[f], d));
                }
            }
        }
        if let Some(bias) = bias {
            bias.values = bias_gradient;
        }
        Ok(())
    }

    fn update(&self, layer: &mut Weights<Self>, gradient: &Gradient<Self>, rule: Rule) -> Result<()> {
        shapes::update::<Self>(layer, gradient, rule)?;
        step(&mut layer.weight, &gradient.weight, rule);
        if let (Some(bias), Some(gradient)) = (&mut layer.bias, &gradient.bias) {
            step(bias, gradient, rule.without_decay());
        }
        Ok(())
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
        shapes::read_out(activities, squares, weight, logits)?;
        for r in 0..activities.rows {
            let scale = normalization.scale(squares.values[r], activities.columns);
            for c in 0..weight.columns {
                let term = |sum, k| self.multiply_add(sum, scale * activities.at(r, k), weight.at(k, c));
                let before = if add { logits.at(r, c) } else { 0.0 };
                logits.set(r, c, before + (0..activities.columns).fold(0.0, term));
            }
        }
        Ok(())
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
        shapes::back_project(errors, weight, activities, squares, out)?;
        let units = activities.columns;
        let seen: Vec<_> = (0..weight.columns).map(|c| weight.of_column(c, units)).collect();
        for r in 0..activities.rows {
            let scale = normalization.scale(squares.values[r], units);
            let mut error = vec![0.0; units];
            for (c, seen) in seen.iter().enumerate() {
                seen.iter().for_each(|(k, f)| error[*f] += errors.at(r, c) * weight.at(*k, c));
            }
            let z = |k| scale * activities.at(r, k);
            let along: f64 = (0..units).map(|k| error[k] * z(k)).sum();
            for (k, error) in error.iter().enumerate() {
                let slope = scale * (error - normalization.radial(units) * z(k) * along);
                out.set(r, k, if activities.at(r, k) > 0.0 { slope } else { 0.0 });
            }
        }
        Ok(())
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
        shapes::match_similarities::<Self>(activities, &labels, slopes, cost)?;
        let (rows, units, share) = (activities.rows, activities.columns, along.share());
        let mut centred = activities.clone();
        let mut scales = Vec::with_capacity(rows);
        for r in 0..rows {
            let mean = (0..units).map(|j| activities.at(r, j)).sum::<f64>() / units as f64;
            (0..units).for_each(|j| centred.set(r, j, activities.at(r, j) - mean));
            let scale = Normalization::Unit.scale(centred.square_of_row(r), units);
            (0..units).for_each(|j| centred.set(r, j, scale * centred.at(r, j)));
            scales.push(scale);
        }
        let dot = |r: usize, s: usize| (0..units).map(|j| centred.at(r, j) * centred.at(s, j)).sum::<f64>();
        let excess = |r: usize, s: usize| {
            dot(r, s) - similarity_of_labels(labels.entry(r) == labels.entry(s), classes)
        };
        for (r, scale) in scales.into_iter().enumerate() {
            let excess: Vec<f64> = (0..rows).map(|s| excess(r, s)).collect();
            cost.values[0] += excess.iter().map(|e| e * e).sum::<f64>() / (rows * rows) as f64;
            let pull =
                |j: usize| (0..rows).map(|s| 4.0 / rows as f64 * excess[s] * centred.at(s, j)).sum::<f64>();
            let pull: Vec<f64> = (0..units).map(pull).collect();
            let radial: f64 = (0..units).map(|j| pull[j] * centred.at(r, j)).sum();
            for (j, pull) in pull.into_iter().enumerate() {
                let slope = scale * (pull - radial * centred.at(r, j));
                let slope = if activities.at(r, j) > along.floor() { slope } else { 0.0 };
                let before = if share < 1.0 { (1.0 - share) * slopes.at(r, j) } else { 0.0 };
                slopes.set(r, j, before + share * slope);
            }
        }
        Ok(())
    }

    fn softmax(
        &self,
        logits: &Matrix,
        labels: IndexSlice<Self>,
        smoothing: f64,
        errors: &mut Matrix,
        cost: &mut Matrix,
    ) -> Result<()> {
        shapes::softmax::<Self>(logits, &labels, errors, cost)?;
        let even = smoothing / logits.columns as f64;
        for r in 0..logits.rows {
            let row: Vec<f64> = (0..logits.columns).map(|c| logits.at(r, c)).collect();
            let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let total: f64 = row.iter().map(|x| (x - largest).exp()).sum();
            let label = labels.entry(r);
            let mut entropy = total.ln() + largest;
            for (c, x) in row.iter().enumerate() {
                let probability = ((x - largest).exp() / total).flushed();
                let target = even + if c == label { 1.0 - smoothing } else { 0.0 };
                errors.set(r, c, probability - target);
                entropy -= target * x;
            }
            cost.values[0] += entropy / logits.rows as f64;
        }
        Ok(())
    }

    fn draw_labels(
        &self,
        errors: &Matrix,
        labels: IndexSlice<Self>,
        uniforms: IndexSlice<Self>,
        out: &mut Indices,
    ) -> Result<()> {
        shapes::draw_labels::<Self>(errors, &labels, &uniforms, out)?;
        for r in 0..errors.rows {
            let label = labels.entry(r);
            let others = || (0..errors.columns).filter(|&c| c != label);
            let total: f64 = others().map(|c| errors.at(r, c)).sum();
            let target = uniforms.entry(r) as f64 / 4_294_967_296.0 * total;
            let mut sum = 0.0;
            let drawn = others().find(|&c| {
                sum += errors.at(r, c);
                sum > target
            });
            out.0[r] = label as u32;
            out.0[errors.rows + r] = drawn.unwrap_or((label + 1) % errors.columns) as u32;
        }
        Ok(())
    }

    fn accumulate(&self, squares: &Matrix, factor: f64, scores: &mut Matrix, column: usize) -> Result<()> {
        shapes::accumulate(squares, scores, column)?;
        for r in 0..scores.rows {
            let before = scores.at(r, column);
            scores.set(r, column, before + factor * squares.values[r]);
        }
        Ok(())
    }

    fn argmax(&self, scores: &mut Matrix, out: &mut Indices, offset: usize) -> Result<()> {
        shapes::argmax(scores, out, offset)?;
        for r in 0..scores.rows {
            let mut best = 0;
            for c in 1..scores.columns {
                if scores.at(r, c) > scores.at(r, best) {
                    best = c;
                }
            }
            out.0[offset + r] = best as u32;
        }
        scores.values.fill(0.0);
        Ok(())
    }
}
