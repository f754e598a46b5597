//! The formulas that more than one operation needs.

use std::ops::Range;

use ff_backend::{Connected, Delta, Fields, Input, LabelCode, Parameter, Real, Result, Rule, Shape, Tensor};
use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, CowArray, Ix2, Zip, s};

use crate::{Matrix, OpenBlas, Scalar};

/// out = a · b. Where there is nothing to add up, BLAS is not asked.
pub(crate) fn product<T: Scalar>(a: &ArrayView2<T>, b: &ArrayView2<T>, out: &mut ArrayViewMut2<T>) {
    if a.ncols() == 0 {
        out.fill(T::zero());
    } else if !out.is_empty() {
        general_mat_mul(T::one(), a, b, T::zero(), out);
    }
}

/// Columns of weights whose units see the same features, and those columns of `x`: all, where weights are dense. The
/// first `labels` columns of `x` are seen everywhere.
pub(crate) fn blocks<'x, T: Scalar>(
    x: ArrayView2<'x, T>,
    labels: usize,
    weight: &Matrix<T>,
) -> Vec<(Range<usize>, CowArray<'x, T, Ix2>)> {
    let Some(fields) = weight.fields() else { return vec![(0..weight.columns(), x.into())] };
    let block = |place: usize| {
        let list = fields.list(place);
        let seen =
            Array2::from_shape_fn((x.nrows(), labels + list.len()), |(r, i)| match i.checked_sub(labels) {
                None => x[[r, i]],
                Some(i) if list[i] == Fields::NOTHING => T::zero(),
                Some(i) => x[[r, labels + list[i] as usize]],
            });
        (place * fields.channels()..(place + 1) * fields.channels(), seen.into())
    };
    (0..fields.places()).map(block).collect()
}

/// e = errors · weightᵀ, of local weights: what every place sends back is added up where it was seen.
pub(crate) fn errors_below<T: Scalar>(
    errors: &ArrayView2<T>,
    weight: &Matrix<T>,
    fields: &Fields,
    out: &mut ArrayViewMut2<T>,
) {
    out.fill(T::zero());
    for place in 0..fields.places() {
        let units = place * fields.channels()..(place + 1) * fields.channels();
        let mut part = Array2::zeros((errors.nrows(), fields.rows()));
        let (errors, weight) = (errors.slice(s![.., units.clone()]), weight.0.slice(s![.., units]));
        product(&errors, &weight.t(), &mut part.view_mut());
        for (part, &feature) in part.columns().into_iter().zip(fields.list(place)) {
            if feature != Fields::NOTHING {
                let mut below = out.column_mut(feature as usize);
                below += &part;
            }
        }
    }
}

/// s_r of each of the input's rows.
pub(crate) fn scales<T: Scalar>(input: &Input<OpenBlas<T>>) -> Vec<f64> {
    input.squares.0.iter().map(|squares| input.scale(Real::to_f64(*squares))).collect()
}

/// z `[rows, classes + F]`: the normalized input, its label features first.
pub(crate) fn normalized<T: Scalar>(
    backend: &OpenBlas<T>,
    input: &Input<OpenBlas<T>>,
    rows: usize,
) -> Result<Matrix<T>> {
    let (n, classes, scales) = (input.features.rows(), input.classes(), scales(input));
    let mut z = Matrix::zeros(backend, rows, classes + input.features.columns())?;
    for (r, mut row) in z.0.rows_mut().into_iter().enumerate() {
        let scale = scales[r % n];
        for c in 0..classes {
            row[c] = T::from_f64(label_feature(input, r, c) * input.label_scale(scale));
        }
        let features = input.features.0.row(r % n);
        row.slice_mut(s![classes..]).assign(&features.mapv(|x| T::from_f64(scale) * x));
    }
    Ok(z)
}

/// Feature c of row r's label code: 1 for its label, 1/classes for a neutral row.
fn label_feature<T: Scalar>(input: &Input<OpenBlas<T>>, r: usize, c: usize) -> f64 {
    let label = match input.label.map(|label| label.code) {
        Some(LabelCode::Each(labels)) => labels.entry(r),
        Some(LabelCode::Same(label)) => label as usize,
        Some(LabelCode::Neutral) => return 1.0 / input.classes() as f64,
        None => return 0.0,
    };
    if c == label { 1.0 } else { 0.0 }
}

/// δ `[R, N]`: δ_r = coefficients_r · outputs_r − `[r < peer.rows]` · peer.strength/peer.rows · (mean(m) − m).
pub(crate) fn delta<T: Scalar>(backend: &OpenBlas<T>, delta: &Delta<OpenBlas<T>>) -> Result<Matrix<T>> {
    let mut all = Matrix::zeros(backend, delta.outputs.rows(), delta.outputs.columns())?;
    for (r, mut row) in all.0.rows_mut().into_iter().enumerate() {
        let coefficient = delta.coefficients.0[[0, r]];
        row.assign(&delta.outputs.0.row(r).mapv(|h| coefficient * h));
        if let Some(peer) = delta.peer.filter(|peer| r < peer.rows) {
            let m = peer.mean.0.row(0);
            let mean = m.iter().map(|m| Real::to_f64(*m)).sum::<f64>() / m.len() as f64;
            let pull = |m: T| T::from_f64(peer.strength / peer.rows as f64 * (mean - Real::to_f64(m)));
            Zip::from(&mut row).and(m).for_each(|d, m| *d -= pull(*m));
        }
    }
    Ok(all)
}

/// One step of `rule` for every element of a parameter.
pub(crate) fn step<T: Scalar>(parameter: &mut Parameter<Matrix<T>>, gradient: &Matrix<T>, rule: Rule) {
    let Parameter { value, first, second } = parameter;
    match rule {
        Rule::Momentum { rate, momentum, decay } => {
            let [rate, momentum, rest, decay] = [rate, momentum, 1.0 - momentum, decay].map(T::from_f64);
            Zip::from(&mut value.0).and(&mut first.0).and(&gradient.0).for_each(|w, v, &g| {
                *v = (momentum * *v - rest * g).flushed();
                *w += rate * (*v - decay * *w);
            });
        }
        Rule::Adam { rate, step, idle } => {
            let Some(second) = second else { return };
            for k in 0..=u64::from(idle) {
                adam(value, first, second, if k == 0 { Some(gradient) } else { None }, rate, step + k);
            }
        }
    }
}

/// Step number `t` of Adam; no gradient is one of zeros.
fn adam<T: Scalar>(
    value: &mut Matrix<T>,
    first: &mut Matrix<T>,
    second: &mut Matrix<T>,
    gradient: Option<&Matrix<T>>,
    rate: f64,
    t: u64,
) {
    let [beta1, rest1] = [Rule::BETA1, 1.0 - Rule::BETA1].map(T::from_f64);
    let [beta2, rest2] = [Rule::BETA2, 1.0 - Rule::BETA2].map(T::from_f64);
    let correct = |beta: f64| 1.0 - beta.powf(t as f64);
    let (rate, root) = (rate / correct(Rule::BETA1), correct(Rule::BETA2).sqrt());
    let (rate, root, epsilon) = (T::from_f64(rate), T::from_f64(root), T::from_f64(Rule::EPSILON));
    for (i, w) in value.0.indexed_iter_mut() {
        let g = gradient.map_or(T::zero(), |gradient| gradient.0[i]);
        let (m, v) = (&mut first.0[i], &mut second.0[i]);
        *m = (beta1 * *m + rest1 * g).flushed();
        *v = (beta2 * *v + rest2 * g * g).flushed();
        *w -= rate * *m / (v.sqrt() / root + epsilon);
    }
}
