//! A layer's forward pass: products whose rows are activated while they are in cache.

use ff_backend::{Input, LabelCode, Objective, Result, Shape, Tally, Weights, dropout_keeps, shapes};
use ndarray::{Axis, s};

use crate::kernels::{activate, sum_of_squares};
use crate::lists::{ListRow, RowMut};
use crate::products::{Epilogue, Raw};
use crate::vector::{Loop, widest};
use crate::{Cpu, Matrix, Scalar, Weight};

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
        let code_square = rounded::<T>(input.code_square());
        let scale = |square: &T| {
            T::from_f64(input.normalization.scale(square.widened() + code_square, input.width()))
        };
        let scales: Vec<T> = input.squares.slice().iter().cycle().take(rows).map(scale).collect();
        // Either a constant or a multiple of s.
        let fixed = input.label_scale(0.0);
        let (fixed, scaled) = (T::from_f64(fixed), T::from_f64(input.label_scale(1.0) - fixed));
        let labels = match input.label.map(|label| label.code) {
            Some(LabelCode::Each(slice)) => slice.indices.0[slice.offset..slice.offset + rows]
                .iter()
                .map(|&label| label as usize)
                .collect(),
            Some(LabelCode::Same(label)) => vec![label as usize; rows],
            Some(LabelCode::Neutral) | None => Vec::new(),
        };
        RowTerms {
            label_scales: scales.iter().map(|&scale| fixed + scaled * scale).collect(),
            scales,
            labels,
        }
    }
}

/// The label rows of a layer's weights, or their mean where rows are neutral.
enum LabelRows<T> {
    None,
    Each(Vec<T>),
    Neutral(Vec<T>),
}

impl<T: Scalar> LabelRows<T> {
    fn new(input: &Input<Cpu<T>>, weight: &Weight<T>) -> Self {
        let rows = weight.first_rows(input.classes());
        match input.label.map(|label| label.code) {
            None => LabelRows::None,
            Some(LabelCode::Neutral) => {
                let mut mean = vec![T::zero(); weight.columns()];
                for row in rows.chunks_exact(weight.columns().max(1)) {
                    mean.iter_mut().zip(row).for_each(|(sum, &x)| *sum += x);
                }
                let classes = T::from_f64(input.classes() as f64);
                mean.iter_mut().for_each(|sum| *sum /= classes);
                LabelRows::Neutral(mean)
            }
            Some(_) => LabelRows::Each(rows),
        }
    }
}

/// From sums to activities.
struct Activation<'a, T> {
    terms: &'a RowTerms<T>,
    labels: &'a LabelRows<T>,
    bias: Option<&'a [T]>,
    columns: usize,
}

impl<T: Scalar> Epilogue<T> for Activation<'_, T> {
    #[inline(always)]
    fn finish(&self, row: usize, first: usize, out: &mut [T]) {
        let part = first..first + out.len();
        let label = match self.labels {
            LabelRows::None => None,
            LabelRows::Neutral(mean) => Some(&mean[part.clone()]),
            // A label outside the classes has no row, and adds nothing.
            LabelRows::Each(rows) => {
                let at = self.terms.labels[row] * self.columns;
                rows.get(at + part.start..at + part.end)
            }
        };
        let label = label.map(|values| (values, self.terms.label_scales[row]));
        activate(self.terms.scales[row], label, self.bias.map(|bias| &bias[part]), out);
    }
}

/// One row, from its product to its activities.
struct WholeRow<'a, T> {
    activation: &'a Activation<'a, T>,
    row: usize,
    out: &'a mut [T],
}

impl<T: Scalar> Loop for WholeRow<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        self.activation.finish(self.row, 0, self.out);
    }
}

impl<T: Scalar> Cpu<T> {
    pub(crate) fn product(
        &self,
        input: &Matrix<T>,
        weight: &Weight<T>,
        first_row: usize,
        out: &mut Matrix<T>,
    ) -> Result<()> {
        shapes::product::<Self>(input, weight, first_row, out)?;
        self.multiply(input, weight, first_row, out, &Raw)
    }

    pub(crate) fn project(
        &self,
        input: &Input<Self>,
        layer: &Weights<Self>,
        out: &mut Matrix<T>,
        squares: &mut Matrix<T>,
    ) -> Result<()> {
        shapes::project::<Self>(input, layer, out, squares)?;
        let activation = Activation {
            terms: &RowTerms::new(input, out.rows()),
            labels: &LabelRows::new(input, &layer.weight.value),
            bias: layer.bias.as_ref().map(|bias| bias.value.slice()),
            columns: out.columns(),
        };
        self.multiply(input.features, &layer.weight.value, input.classes(), out, &activation)?;
        self.each_row(out, squares, |_, _| {});
        Ok(())
    }

    pub(crate) fn activate(
        &self,
        product: &Matrix<T>,
        input: &Input<Self>,
        layer: &Weights<Self>,
        out: &mut Matrix<T>,
        squares: &mut Matrix<T>,
    ) -> Result<()> {
        shapes::activate::<Self>(product, input, layer, out, squares)?;
        let columns = out.columns();
        let activation = Activation {
            terms: &RowTerms::new(input, out.rows()),
            labels: &LabelRows::new(input, &layer.weight.value),
            bias: layer.bias.as_ref().map(|bias| bias.value.slice()),
            columns,
        };
        let products = product.slice();
        self.each_row(out, squares, |row, out| {
            let at = row % product.rows() * columns;
            out.copy_from_slice(&products[at..at + columns]);
            widest(WholeRow { activation: &activation, row, out });
        });
        Ok(())
    }

    /// Visits every row of `out`, shared between the threads; then sums up its squares and lists what is not 0.
    pub(crate) fn each_row(
        &self,
        out: &mut Matrix<T>,
        squares: &mut Matrix<T>,
        visit: impl Fn(usize, &mut [T]) + Sync + Send,
    ) {
        self.each_row_summed(out, squares, |r, row| {
            visit(r, row);
            sum_of_squares(row)
        });
    }

    /// The same, with a sum of its own for each row.
    pub(crate) fn each_row_summed(
        &self,
        out: &mut Matrix<T>,
        sums: &mut Matrix<T>,
        visit: impl Fn(usize, &mut [T]) -> T + Sync + Send,
    ) {
        let (columns, sums) = (out.columns(), sums.slice_mut());
        if columns == 0 {
            return sums.fill(T::zero());
        }
        let part = Self::rows_per_part(sums.len(), self.threads_for(sums.len() * columns));
        let (values, lists) = out.with_lists(self.listed_share());
        let mut lists = lists.map(|lists| lists.rows_mut().collect::<Vec<_>>()).unwrap_or_default();
        let mut lists = lists.chunks_mut(part);
        let parts = values.chunks_mut(part * columns).zip(sums.chunks_mut(part));
        let parts = parts.map(|(rows, sums)| (rows, sums, lists.next().unwrap_or_default()));
        self.each(parts.enumerate().collect(), |(index, (rows, sums, lists))| {
            let mut lists = lists.iter_mut();
            for (r, (row, sum)) in rows.chunks_exact_mut(columns).zip(sums).enumerate() {
                *sum = visit(index * part + r, row);
                if let Some(list) = lists.next() {
                    self.instructions.run(ListRow { list, row });
                }
            }
        });
    }

    /// Share of units that are on up to which rows are listed: batches differ a little, and the choice is made for the
    /// next one.
    fn listed_share(&self) -> f64 {
        const MARGIN: f64 = 1.2;
        if self.exact_shortcuts { MARGIN * self.break_even } else { 0.0 }
    }

    /// Lists what is not 0 in every row.
    pub(crate) fn list_rows(&self, out: &mut Matrix<T>) {
        let (rows, columns) = (out.rows(), out.columns());
        let (values, Some(lists)) = out.with_lists(self.listed_share()) else { return };
        let part = Self::rows_per_part(rows, self.threads_for(rows * columns));
        let mut lists: Vec<_> = lists.rows_mut().collect();
        let parts = values.chunks((part * columns).max(1)).zip(lists.chunks_mut(part)).collect();
        self.each(parts, |(rows, lists): (&[T], &mut [RowMut<T>])| {
            for (row, list) in rows.chunks_exact(columns).zip(lists) {
                self.instructions.run(ListRow { list, row });
            }
        });
    }

    pub(crate) fn dropout(
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
        self.each_row(activities, squares, |r, row| {
            for (j, h) in row.iter_mut().enumerate() {
                let kept = dropout_keeps(seed, (r * columns + j) as u32, drop_below);
                *h = if kept { *h * gain } else { T::zero() };
            }
        });
        Ok(())
    }

    pub(crate) fn coefficients(
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
        let chains = objective.chains(pairs).map(rounded::<T>);
        let (factor, loss) = (rounded::<T>(objective.factor), objective.loss.rounded::<T>());
        let mut sums = [0.0; 4];
        for (((&positive, &negative), up), down) in positives.iter().zip(negatives).zip(up).zip(down) {
            let (positive, negative) = (factor * positive.widened(), factor * negative.widened());
            let pair = loss.of_pair::<T>(positive, negative);
            *up = T::from_f64(chains[0] * pair.positive_slope);
            *down = T::from_f64(chains[1] * pair.negative_slope);
            let wrong = f64::from(u8::from(negative > positive));
            for (sum, value) in sums.iter_mut().zip([pair.loss, positive, negative, wrong]) {
                *sum += value / pairs as f64;
            }
        }
        for (total, sum) in tally.sums.view_mut().column_mut(tally.layer).iter_mut().zip(sums) {
            *total += T::from_f64(sum);
        }
        Ok(())
    }

    pub(crate) fn running_mean(
        &self,
        activities: &Matrix<T>,
        rows: usize,
        keep: f64,
        mean: &mut Matrix<T>,
    ) -> Result<()> {
        shapes::running_mean(activities, rows, mean)?;
        let batch = activities.view().slice(s![..rows, ..]).sum_axis(Axis(0));
        let share = T::from_f64((1.0 - keep) / rows as f64);
        for (mean, &sum) in mean.slice_mut().iter_mut().zip(&batch) {
            *mean = (T::from_f64(keep) * *mean + share * sum).flushed();
        }
        Ok(())
    }
}

/// A setting as any backend of this precision is told it.
pub(crate) fn rounded<T: Scalar>(setting: f64) -> f64 {
    T::from_f64(setting).widened()
}
