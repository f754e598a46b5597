//! The operations, in the order of the trait.

use ff_backend::host::{Images, Indices, Pixels};
use ff_backend::{
    Along, Backend, Connected, Delta, DeviceInfo, Fields, Goodness, Gradient, IndexSlice, Input,
    Normalization, Objective, Real, Result, Rule, Shape, Tally, Tensor, Weights, dropout_keeps, host, shapes,
    similarity_of_labels,
};
use ndarray::{Axis, Zip, s};

use crate::formulas::{blocks, delta, errors_below, normalized, product, scales, step};
use crate::{Matrix, OpenBlas, Scalar};

impl<T: Scalar> Backend for OpenBlas<T> {
    type Real = T;
    type Matrix = Matrix<T>;
    type Weight = Matrix<T>;
    type Indices = Indices;
    type Images = Images;

    // Memory

    fn device(&self) -> DeviceInfo {
        DeviceInfo {
            backend: "openblas".into(),
            device: host::processor_name(),
            driver: self.version.into(),
            units: 1,
            memory_bytes: host::memory_bytes(),
            precision: T::PRECISION.into(),
        }
    }

    fn local_weight(&self, labels: usize, fields: &Fields) -> Result<Matrix<T>> {
        let weight = self.weight(labels + fields.rows(), fields.units())?;
        Ok(Matrix(weight.0, Some(fields.clone())))
    }

    fn indices(&self, len: usize) -> Result<Indices> {
        host::zeros(1, len, "openblas").map(Indices)
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

    // Inputs

    fn gather(
        &self,
        images: &Images,
        rows: IndexSlice<Self>,
        shifts: Option<IndexSlice<Self>>,
        skip: usize,
        out: &mut Matrix<T>,
        squares: &mut Matrix<T>,
    ) -> Result<()> {
        shapes::gather::<Self>(images, &rows, shifts.as_ref(), skip, out, squares)?;
        for ((r, f), x) in out.0.indexed_iter_mut() {
            let shift = shifts.map_or(128 * 256 + 128, |shifts| shifts.entry(r));
            let (dy, dx) = ((shift / 256) as isize - 128, (shift % 256) as isize - 128);
            let (row, column) = (((skip + f) / images.width) as isize, ((skip + f) % images.width) as isize);
            *x = T::from_f64(images.pixel(rows.entry(r), row - dy, column - dx));
        }
        put(out.squares(), squares);
        Ok(())
    }

    fn center(&self, x: &mut Matrix<T>, squares: &mut Matrix<T>) -> Result<()> {
        shapes::center(x, squares)?;
        for mut row in x.0.rows_mut() {
            let first = row.first().copied().unwrap_or_else(T::zero);
            row.mapv_inplace(|x| x - first);
            let mean = row.iter().map(|x| Real::to_f64(*x)).sum::<f64>() / row.len() as f64;
            row.mapv_inplace(|x| T::from_f64(Real::to_f64(x) - mean));
        }
        put(x.squares(), squares);
        Ok(())
    }

    fn hybrid(
        &self,
        x: &mut Matrix<T>,
        masks: &Images,
        which: IndexSlice<Self>,
        squares: &mut Matrix<T>,
    ) -> Result<()> {
        shapes::hybrid::<Self>(x, masks, &which, squares)?;
        let pairs = x.rows() / 2;
        let (own, mut other) = x.0.view_mut().split_at(Axis(0), pairs);
        for ((i, f), other) in other.indexed_iter_mut() {
            let mask = T::from_f64(f64::from(masks.pixels[which.entry(i) * masks.columns() + f]) / 255.0);
            *other = mask * own[[i, f]] + (T::one() - mask) * *other;
        }
        for (square, new) in squares.0.iter_mut().zip(x.squares()).skip(pairs) {
            *square = T::from_f64(new);
        }
        Ok(())
    }

    // Forward

    fn product(
        &self,
        input: &Matrix<T>,
        weight: &Matrix<T>,
        first_row: usize,
        out: &mut Matrix<T>,
    ) -> Result<()> {
        shapes::product::<Self>(input, weight, first_row, out)?;
        for (units, seen) in blocks(input.0.view(), 0, weight) {
            let weight = weight.0.slice(s![first_row.., units.clone()]);
            product(&seen.view(), &weight, &mut out.0.slice_mut(s![.., units]));
        }
        Ok(())
    }

    fn activate(
        &self,
        product: &Matrix<T>,
        input: &Input<Self>,
        layer: &Weights<Self>,
        out: &mut Matrix<T>,
        squares: &mut Matrix<T>,
    ) -> Result<()> {
        shapes::activate::<Self>(product, input, layer, out, squares)?;
        let (n, classes, scales) = (product.rows(), input.classes(), scales(input));
        let z = normalized(self, input, out.rows())?;
        let labels = z.0.slice(s![.., ..classes]);
        crate::formulas::product(
            &labels,
            &layer.weight.value.0.slice(s![..classes, ..]),
            &mut out.0.view_mut(),
        );
        for (r, mut out) in out.0.rows_mut().into_iter().enumerate() {
            let scale = T::from_f64(scales[r % n]);
            Zip::from(&mut out).and(product.0.row(r % n)).for_each(|h, p| *h += scale * *p);
            if let Some(bias) = &layer.bias {
                out += &bias.value.0.row(0);
            }
            // What is not a number stays so, and is noticed.
            out.mapv_inplace(|h| if h < T::zero() { T::zero() } else { h });
        }
        put(out.squares(), squares);
        Ok(())
    }

    fn drive(
        &self,
        product: &Matrix<T>,
        input: &Input<Self>,
        above: &Input<Self>,
        layer: &Weights<Self>,
        out: &mut Matrix<T>,
        squares: &mut Matrix<T>,
    ) -> Result<()> {
        shapes::drive::<Self>(product, input, above, layer, out, squares)?;
        let (below, from_above) = (scales(input), scales(above));
        for (r, mut out) in out.0.rows_mut().into_iter().enumerate() {
            let [s, t] = [below[r % below.len()], from_above[r % from_above.len()]].map(T::from_f64);
            Zip::from(&mut out).and(product.0.row(r % below.len())).for_each(|a, p| *a = s * *p + t * *a);
            if let Some(bias) = &layer.bias {
                out += &bias.value.0.row(0);
            }
            // What is not a number stays so, and is noticed.
            out.mapv_inplace(|h| if h < T::zero() { T::zero() } else { h });
        }
        put(out.squares(), squares);
        Ok(())
    }

    fn damp(
        &self,
        before: &Matrix<T>,
        keep: f64,
        computed: &mut Matrix<T>,
        state: &mut Matrix<T>,
        squares: &mut Matrix<T>,
    ) -> Result<()> {
        shapes::damp(before, computed, state, squares)?;
        let [keep, rest] = [keep, 1.0 - keep].map(T::from_f64);
        Zip::from(&mut state.0).and(&mut computed.0).and(&before.0).for_each(|state, computed, before| {
            *state = keep * *before + rest * *computed;
            *computed = if *computed > T::zero() { rest * *state } else { T::zero() };
        });
        put(state.squares(), squares);
        Ok(())
    }

    fn dropout(
        &self,
        activities: &mut Matrix<T>,
        rate: f64,
        seed: u32,
        squares: &mut Matrix<T>,
    ) -> Result<()> {
        shapes::dropout(activities, squares)?;
        let drop_below = (rate * 4_294_967_296.0) as u32;
        let columns = activities.columns();
        for ((r, j), h) in activities.0.indexed_iter_mut() {
            let kept = dropout_keeps(seed, (r * columns + j) as u32, drop_below);
            *h = if kept { *h / T::from_f64(1.0 - rate) } else { T::zero() };
        }
        put(activities.squares(), squares);
        Ok(())
    }

    fn measure(
        &self,
        activities: &Matrix<T>,
        goodness: Goodness,
        slopes: &mut Matrix<T>,
        sums: &mut Matrix<T>,
    ) -> Result<()> {
        shapes::measure(activities, goodness, slopes, sums)?;
        let rows = activities.0.rows().into_iter().zip(slopes.0.rows_mut());
        for ((activities, mut slopes), total) in rows.zip(&mut sums.0) {
            let row: Vec<f64> = activities.iter().map(|h| Real::to_f64(*h)).collect();
            let (sum, row) = goodness.of_row(&row);
            slopes.iter_mut().zip(row).for_each(|(slope, s)| *slope = T::from_f64(s));
            *total = T::from_f64(sum);
        }
        Ok(())
    }

    // Learning

    fn coefficients(
        &self,
        squares: &Matrix<T>,
        objective: &Objective,
        coefficients: &mut Matrix<T>,
        tally: Tally<Self>,
    ) -> Result<()> {
        shapes::coefficients::<Self>(squares, coefficients, &tally)?;
        let pairs = squares.columns() / 2;
        let [up, down] = objective.chains(pairs);
        let mut sums = [0.0; 4];
        for i in 0..pairs {
            let goodness = |r: usize| objective.factor * Real::to_f64(squares.0[[0, r]]);
            let (positive, negative) = (goodness(i), goodness(pairs + i));
            let pair = objective.loss.of_pair::<T>(positive, negative);
            coefficients.0[[0, i]] = T::from_f64(up * pair.positive_slope);
            coefficients.0[[0, pairs + i]] = T::from_f64(down * pair.negative_slope);
            let wrong = if negative > positive { 1.0 } else { 0.0 };
            for (sum, figure) in sums.iter_mut().zip([pair.loss, positive, negative, wrong]) {
                *sum += figure / pairs as f64;
            }
        }
        for (row, sum) in sums.into_iter().enumerate() {
            tally.sums.0[[row, tally.layer]] += T::from_f64(sum);
        }
        Ok(())
    }

    fn running_mean(
        &self,
        activities: &Matrix<T>,
        rows: usize,
        keep: f64,
        mean: &mut Matrix<T>,
    ) -> Result<()> {
        shapes::running_mean(activities, rows, mean)?;
        for (mean, column) in mean.0.iter_mut().zip(activities.0.columns()) {
            let batch = column.iter().take(rows).map(|h| Real::to_f64(*h)).sum::<f64>() / rows as f64;
            *mean = T::from_f64(keep * Real::to_f64(*mean) + (1.0 - keep) * batch).flushed();
        }
        Ok(())
    }

    fn gradient(
        &self,
        input: &Input<Self>,
        change: &Delta<Self>,
        gradient: &mut Gradient<Self>,
    ) -> Result<()> {
        shapes::gradient::<Self>(input, change, gradient)?;
        let z = normalized(self, input, change.outputs.rows())?;
        let delta = delta(self, change)?;
        for (units, seen) in blocks(z.0.view(), input.classes(), &gradient.weight) {
            let delta = delta.0.slice(s![.., units.clone()]);
            product(&seen.t(), &delta, &mut gradient.weight.0.slice_mut(s![.., units]));
        }
        if let Some(bias) = &mut gradient.bias {
            bias.0.row_mut(0).assign(&delta.0.sum_axis(Axis(0)));
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

    // Reading labels

    fn read_out(
        &self,
        activities: &Matrix<T>,
        squares: &Matrix<T>,
        normalization: Normalization,
        weight: &Matrix<T>,
        logits: &mut Matrix<T>,
        add: bool,
    ) -> Result<()> {
        shapes::read_out(activities, squares, weight, logits)?;
        let mut sums = Matrix::zeros(self, logits.rows(), logits.columns())?;
        product(&activities.0.view(), &weight.0.view(), &mut sums.0.view_mut());
        for ((r, c), logit) in logits.0.indexed_iter_mut() {
            let scale = normalization.scale(Real::to_f64(squares.0[[0, r]]), activities.columns());
            let before = if add { *logit } else { T::zero() };
            *logit = before + T::from_f64(scale) * sums.0[[r, c]];
        }
        Ok(())
    }

    fn back_project(
        &self,
        errors: &Matrix<T>,
        weight: &Matrix<T>,
        activities: &Matrix<T>,
        squares: &Matrix<T>,
        normalization: Normalization,
        out: &mut Matrix<T>,
    ) -> Result<()> {
        shapes::back_project(errors, weight, activities, squares, out)?;
        match weight.fields() {
            Some(fields) => errors_below(&errors.0.view(), weight, fields, &mut out.0.view_mut()),
            None => product(&errors.0.view(), &weight.0.t(), &mut out.0.view_mut()),
        }
        let units = activities.columns();
        let radial = T::from_f64(normalization.radial(units));
        for (r, (mut out, h)) in out.0.rows_mut().into_iter().zip(activities.0.rows()).enumerate() {
            let scale = T::from_f64(normalization.scale(Real::to_f64(squares.0[[0, r]]), units));
            let z = h.mapv(|h| scale * h);
            let along = out.dot(&z);
            Zip::from(&mut out).and(&z).for_each(|slope, &z| {
                *slope = if z > T::zero() { scale * (*slope - radial * z * along) } else { T::zero() };
            });
        }
        Ok(())
    }

    fn match_similarities(
        &self,
        activities: &Matrix<T>,
        labels: IndexSlice<Self>,
        classes: usize,
        along: Along,
        slopes: &mut Matrix<T>,
        cost: &mut Matrix<T>,
    ) -> Result<()> {
        shapes::match_similarities::<Self>(activities, &labels, slopes, cost)?;
        let (rows, units) = activities.0.dim();
        let mut centred = Matrix(activities.0.clone(), None);
        let mut scales = Vec::with_capacity(rows);
        for mut row in centred.0.rows_mut() {
            let mean = row.sum() / T::from_f64(units as f64);
            row.mapv_inplace(|h| h - mean);
            let squares = row.iter().map(|x| Real::to_f64(*x).powi(2)).sum();
            let scale = T::from_f64(Normalization::Unit.scale(squares, units));
            row.mapv_inplace(|x| scale * x);
            scales.push(scale);
        }
        // By how much more alike each pair is than it should be.
        let mut excess = Matrix::zeros(self, rows, rows)?;
        product(&centred.0.view(), &centred.0.t(), &mut excess.0.view_mut());
        let mut loss = 0.0;
        for ((r, s), e) in excess.0.indexed_iter_mut() {
            *e -= T::from_f64(similarity_of_labels(labels.entry(r) == labels.entry(s), classes));
            loss += Real::to_f64(*e).powi(2) / (rows * rows) as f64;
            *e *= T::from_f64(4.0 / rows as f64);
        }
        cost.0[[0, 0]] += T::from_f64(loss);
        let mut pull = Matrix::zeros(self, rows, units)?;
        product(&excess.0.view(), &centred.0.view(), &mut pull.0.view_mut());
        let [share, rest, floor] = [along.share(), 1.0 - along.share(), along.floor()].map(T::from_f64);
        for (r, mut slopes) in slopes.0.rows_mut().into_iter().enumerate() {
            let (h, pull, z) = (activities.0.row(r), pull.0.row(r), centred.0.row(r));
            let radial = pull.dot(&z);
            Zip::from(&mut slopes).and(h).and(pull).and(z).for_each(|slope, &h, &pull, &z| {
                let new = if h > floor { scales[r] * (pull - radial * z) } else { T::zero() };
                let before = if rest > T::zero() { rest * *slope } else { T::zero() };
                *slope = before + share * new;
            });
        }
        Ok(())
    }

    fn softmax(
        &self,
        logits: &Matrix<T>,
        labels: IndexSlice<Self>,
        smoothing: f64,
        errors: &mut Matrix<T>,
        cost: &mut Matrix<T>,
    ) -> Result<()> {
        shapes::softmax::<Self>(logits, &labels, errors, cost)?;
        let smoothing = T::from_f64(smoothing).to_f64();
        let even = smoothing / logits.columns().max(1) as f64;
        let mut entropy = 0.0;
        for (r, (logits, mut errors)) in logits.0.rows().into_iter().zip(errors.0.rows_mut()).enumerate() {
            let largest = logits.fold(f64::NEG_INFINITY, |largest, x| largest.max(Real::to_f64(*x)));
            let total: f64 = logits.iter().map(|x| (Real::to_f64(*x) - largest).exp()).sum();
            let label = labels.entry(r);
            for (c, (error, x)) in errors.iter_mut().zip(logits).enumerate() {
                let probability = ((Real::to_f64(*x) - largest).exp() / total).flushed();
                *error = T::from_f64(probability - (even + if c == label { 1.0 - smoothing } else { 0.0 }));
            }
            let own = logits.get(label).map_or(0.0, |x| Real::to_f64(*x));
            let all: f64 = logits.iter().map(|x| Real::to_f64(*x)).sum();
            entropy += total.ln() + largest - ((1.0 - smoothing) * own + even * all);
        }
        if logits.rows() > 0 {
            cost.0[[0, 0]] += T::from_f64(entropy / logits.rows() as f64);
        }
        Ok(())
    }

    fn draw_labels(
        &self,
        errors: &Matrix<T>,
        labels: IndexSlice<Self>,
        uniforms: IndexSlice<Self>,
        out: &mut Indices,
    ) -> Result<()> {
        shapes::draw_labels::<Self>(errors, &labels, &uniforms, out)?;
        let (positives, negatives) = out.0.split_at_mut(errors.rows());
        for (r, errors) in errors.0.rows().into_iter().enumerate() {
            let label = labels.entry(r);
            let others = || errors.iter().map(|p| Real::to_f64(*p)).enumerate().filter(|(c, _)| *c != label);
            let total: f64 = others().map(|(_, p)| p).sum();
            let target = uniforms.entry(r) as f64 / 4_294_967_296.0 * total;
            let mut sum = 0.0;
            let drawn = others().find(|(_, p)| {
                sum += p;
                sum > target
            });
            positives[r] = label as u32;
            negatives[r] = drawn.map_or((label + 1) % errors.len(), |(c, _)| c) as u32;
        }
        Ok(())
    }

    fn accumulate(
        &self,
        squares: &Matrix<T>,
        factor: f64,
        scores: &mut Matrix<T>,
        column: usize,
    ) -> Result<()> {
        shapes::accumulate(squares, scores, column)?;
        for (score, square) in scores.0.column_mut(column).iter_mut().zip(&squares.0) {
            *score += T::from_f64(factor) * *square;
        }
        Ok(())
    }

    fn argmax(&self, scores: &mut Matrix<T>, out: &mut Indices, offset: usize) -> Result<()> {
        shapes::argmax(scores, out, offset)?;
        for (scores, out) in scores.0.rows().into_iter().zip(&mut out.0[offset..]) {
            let mut best = 0;
            for (c, score) in scores.iter().enumerate() {
                if *score > scores[best] {
                    best = c;
                }
            }
            *out = best as u32;
        }
        scores.0.fill(T::zero());
        Ok(())
    }
}

/// Rounds numbers to the elements of `target`.
fn put<T: Scalar>(values: impl Iterator<Item = f64>, target: &mut Matrix<T>) {
    target.0.iter_mut().zip(values).for_each(|(x, value)| *x = T::from_f64(value));
}
