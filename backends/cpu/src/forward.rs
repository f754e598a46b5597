//! A layer's forward pass: tiles of columns, each multiplied and activated in one visit.

use ff_backend::{Input, LabelCode, Loss, Objective, Result, Shape, Tally, Weights, dropout_keeps, shapes};
use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, s};

use crate::kernels::{activate, activate_in_place, sum_of_squares};
use crate::{Cpu, Matrix, Scalar};

/// out = a · b, also where the inner dimension is 0.
pub(crate) fn multiply<T: Scalar>(a: &ArrayView2<T>, b: &ArrayView2<T>, out: &mut ArrayViewMut2<T>) {
    if a.ncols() == 0 {
        out.fill(T::zero());
    } else {
        general_mat_mul(T::one(), a, b, T::zero(), out);
    }
}

/// What each row adds to and multiplies its product with.
pub(crate) struct RowTerms<T> {
    /// s_r.
    pub scales: Vec<T>,
    /// Factor of the row's label.
    pub label_scales: Vec<T>,
    /// The row's label; empty where there are none or all are neutral.
    pub labels: Vec<usize>,
}

impl<T: Scalar> RowTerms<T> {
    pub(crate) fn new(input: &Input<Cpu<T>>, rows: usize) -> Self {
        let squares = input.squares.slice();
        let scales: Vec<f64> =
            squares.iter().cycle().take(rows).map(|square| input.scale(square.widened())).collect();
        let labels = match input.label.map(|label| label.code) {
            Some(LabelCode::Each(plan)) => {
                plan.indices.0[plan.at..plan.at + rows].iter().map(|&label| label as usize).collect()
            }
            Some(LabelCode::Same(label)) => vec![label as usize; rows],
            Some(LabelCode::Neutral) | None => Vec::new(),
        };
        RowTerms {
            label_scales: scales.iter().map(|&scale| T::from_f64(input.label_scale(scale))).collect(),
            scales: scales.into_iter().map(T::from_f64).collect(),
            labels,
        }
    }
}

/// The label rows of a tile's weights, and their mean where rows are neutral.
struct LabelRows<'a, T> {
    rows: ArrayView2<'a, T>,
    neutral: Option<Vec<T>>,
}

impl<'a, T: Scalar> LabelRows<'a, T> {
    fn new(input: &Input<Cpu<T>>, weight: ArrayView2<'a, T>) -> Self {
        let rows = weight.slice_move(s![..input.classes(), ..]);
        let neutral = matches!(input.label.map(|label| label.code), Some(LabelCode::Neutral))
            .then(|| (rows.sum_axis(Axis(0)) / T::from_f64(rows.nrows() as f64)).to_vec());
        LabelRows { rows, neutral }
    }

    fn of<'b>(&'b self, terms: &RowTerms<T>, row: usize) -> Option<(&'b [T], T)> {
        let values = match (&self.neutral, terms.labels.get(row)) {
            (Some(mean), _) => mean.as_slice(),
            // A label outside the classes has no row, and adds nothing.
            (None, Some(&label)) if label < self.rows.nrows() => self.rows.row(label).to_slice()?,
            _ => return None,
        };
        Some((values, terms.label_scales[row]))
    }
}

impl<T: Scalar> Cpu<T> {
    pub(crate) fn tiled_product(
        &self,
        input: &Matrix<T>,
        weight: &Matrix<T>,
        first_row: usize,
        out: &mut Matrix<T>,
    ) -> Result<()> {
        shapes::product::<Self>(input, weight, first_row, out)?;
        let width = Self::tile_width(out.columns(), self.threads);
        let weight = weight.0.slice(s![first_row.., ..]);
        let tiles = out.0.axis_chunks_iter_mut(Axis(1), width).zip(weight.axis_chunks_iter(Axis(1), width));
        self.each(tiles.collect(), |(mut out, weight)| multiply(&input.0.view(), &weight, &mut out));
        Ok(())
    }

    pub(crate) fn whole_layer(
        &self,
        input: &Input<Self>,
        layer: &Weights<Self>,
        out: &mut Matrix<T>,
        squares: &mut Matrix<T>,
    ) -> Result<()> {
        shapes::project::<Self>(input, layer, out, squares)?;
        let features = input.features.0.view();
        let terms = RowTerms::new(input, out.rows());
        self.each_tile(layer, out, squares, |_, weight, bias, mut out, partial| {
            let label_rows = LabelRows::new(input, weight);
            multiply(&features, &weight.slice(s![input.classes().., ..]), &mut out);
            for (r, (mut row, partial)) in out.rows_mut().into_iter().zip(partial).enumerate() {
                let row = row.as_slice_mut().unwrap_or_default();
                *partial = activate_in_place(terms.scales[r], label_rows.of(&terms, r), bias, row);
            }
        });
        Ok(())
    }

    pub(crate) fn finish_layer(
        &self,
        product: &Matrix<T>,
        input: &Input<Self>,
        layer: &Weights<Self>,
        out: &mut Matrix<T>,
        squares: &mut Matrix<T>,
    ) -> Result<()> {
        shapes::activate::<Self>(product, input, layer, out, squares)?;
        let terms = RowTerms::new(input, out.rows());
        self.each_tile(layer, out, squares, |columns, weight, bias, mut out, partial| {
            let label_rows = LabelRows::new(input, weight);
            for (r, (mut row, partial)) in out.rows_mut().into_iter().zip(partial).enumerate() {
                let row = row.as_slice_mut().unwrap_or_default();
                let product = product.0.row(r % product.rows());
                let product = product.to_slice().and_then(|all| all.get(columns..columns + row.len()));
                let product = product.unwrap_or_default();
                *partial = activate(product, terms.scales[r], label_rows.of(&terms, r), bias, row);
            }
        });
        Ok(())
    }

    /// Visits tiles of columns of a layer's output, then adds up the tiles' sums of squares in order.
    fn each_tile(
        &self,
        layer: &Weights<Self>,
        out: &mut Matrix<T>,
        squares: &mut Matrix<T>,
        visit: impl Fn(usize, ArrayView2<T>, Option<&[T]>, ArrayViewMut2<T>, &mut [T]) + Sync + Send,
    ) {
        let (rows, columns) = (out.rows(), out.columns());
        let width = Self::tile_width(columns, self.threads);
        let mut partials = Array2::zeros((columns.div_ceil(width.max(1)), rows));
        let bias = layer.bias.as_ref().map(|bias| bias.value.slice());
        let tiles = out.0.axis_chunks_iter_mut(Axis(1), width);
        let tiles = tiles.zip(layer.weight.value.0.axis_chunks_iter(Axis(1), width)).zip(partials.rows_mut());
        let tiles = tiles.enumerate().collect();
        self.each(tiles, |(index, ((out, weight), mut partial))| {
            let first = index * width;
            let bias = bias.map(|bias| &bias[first..first + out.ncols()]);
            visit(first, weight, bias, out, partial.as_slice_mut().unwrap_or_default());
        });
        for (r, square) in squares.slice_mut().iter_mut().enumerate() {
            *square = partials.column(r).iter().fold(T::zero(), |sum, &partial| sum + partial);
        }
    }

    pub(crate) fn silence(
        &self,
        activities: &mut Matrix<T>,
        rate: f64,
        seed: u32,
        squares: &mut Matrix<T>,
    ) -> Result<()> {
        shapes::dropout(activities, squares)?;
        let drop_below = (rate * 4_294_967_296.0) as u32;
        let gain = T::from_f64(1.0 / (1.0 - rate));
        let columns = activities.columns();
        let rows =
            activities.slice_mut().chunks_exact_mut(columns.max(1)).zip(squares.slice_mut()).enumerate();
        self.each(rows.collect(), |(r, (row, square))| {
            for (j, h) in row.iter_mut().enumerate() {
                let kept = dropout_keeps(seed, (r * columns + j) as u32, drop_below);
                *h = if kept { *h * gain } else { T::zero() };
            }
            *square = sum_of_squares(row);
        });
        Ok(())
    }

    pub(crate) fn most_active(
        &self,
        activities: &Matrix<T>,
        k: usize,
        out: &mut Matrix<T>,
        squares: &mut Matrix<T>,
    ) -> Result<()> {
        shapes::top_k(activities, k, out, squares)?;
        let columns = activities.columns().max(1);
        let rows = activities.slice().chunks_exact(columns).zip(out.slice_mut().chunks_exact_mut(columns));
        self.each(rows.zip(squares.slice_mut()).collect(), |((row, out), square)| {
            out.copy_from_slice(row);
            let descending = |a: &T, b: &T| b.partial_cmp(a).unwrap_or(std::cmp::Ordering::Equal);
            let least = *out.select_nth_unstable_by(k - 1, descending).1;
            for (out, &h) in out.iter_mut().zip(row) {
                *out = if h >= least { h } else { T::zero() };
            }
            *square = sum_of_squares(out);
        });
        Ok(())
    }

    pub(crate) fn row_coefficients(
        &self,
        squares: &Matrix<T>,
        objective: &Objective,
        coefficients: &mut Matrix<T>,
        tally: Tally<Self>,
    ) -> Result<()> {
        shapes::coefficients::<Self>(squares, coefficients, &tally)?;
        let pairs = squares.columns() / 2;
        let (positives, negatives) = squares.slice().split_at(pairs);
        let (up, down) = coefficients.slice_mut().split_at_mut(pairs);
        let chain = objective.gradient_scale * 2.0 * objective.factor / pairs as f64;
        let mut sums = [0.0; 4];
        for (((&positive, &negative), up), down) in positives.iter().zip(negatives).zip(up).zip(down) {
            let (positive, negative) =
                (objective.factor * positive.widened(), objective.factor * negative.widened());
            let (loss, positive_slope, negative_slope) = slopes::<T>(objective.loss, positive, negative);
            *up = T::from_f64(chain * positive_slope);
            *down = T::from_f64(chain * negative_slope);
            let wrong = f64::from(u8::from(negative > positive));
            for (sum, value) in sums.iter_mut().zip([loss, positive, negative, wrong]) {
                *sum += value / pairs as f64;
            }
        }
        for (total, sum) in tally.sums.0.column_mut(tally.layer).iter_mut().zip(sums) {
            *total += T::from_f64(sum);
        }
        Ok(())
    }

    pub(crate) fn follow_mean(
        &self,
        activities: &Matrix<T>,
        rows: usize,
        keep: f64,
        mean: &mut Matrix<T>,
    ) -> Result<()> {
        shapes::running_mean(activities, rows, mean)?;
        let batch = activities.0.slice(s![..rows, ..]).sum_axis(Axis(0));
        let share = T::from_f64((1.0 - keep) / rows as f64);
        for (mean, &sum) in mean.slice_mut().iter_mut().zip(&batch) {
            *mean = T::from_f64(keep) * *mean + share * sum;
        }
        Ok(())
    }
}

/// Loss of a pair, ∂loss/∂G⁺ and ∂loss/∂G⁻.
fn slopes<T: Scalar>(loss: Loss, positive: f64, negative: f64) -> (f64, f64, f64) {
    let softplus = |x: f64| x.max(0.0) + (-x.abs()).exp().ln_1p();
    let probability = |x: f64| {
        let p = 1.0 / (1.0 + (-x).exp());
        if p < T::EPSILON / 2.0 { 0.0 } else { p }
    };
    match loss {
        Loss::Bce { threshold, temperature } => {
            let (up, down) = ((threshold - positive) / temperature, (negative - threshold) / temperature);
            (softplus(up) + softplus(down), -probability(up) / temperature, probability(down) / temperature)
        }
        Loss::Symba { alpha } => {
            let x = alpha * (negative - positive);
            (softplus(x), -alpha * probability(x), alpha * probability(x))
        }
    }
}
