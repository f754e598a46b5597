//! Reading labels: softmax head, hard negatives, argmax. Small next to the layers, so mostly plain loops.

use ff_backend::{Normalization, Plan, Result, Shape, shapes};
use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, Axis};

use crate::{Cpu, Indices, Matrix, Scalar};

impl<T: Scalar> Cpu<T> {
    pub(crate) fn class_logits(
        &self,
        activities: &Matrix<T>,
        squares: &Matrix<T>,
        normalization: Normalization,
        weight: &Matrix<T>,
        logits: &mut Matrix<T>,
        add: bool,
    ) -> Result<()> {
        shapes::read_out(activities, squares, weight, logits)?;
        let (rows, classes, width) = (logits.rows(), logits.columns(), activities.columns());
        let part = Self::rows_per_part(rows, self.threads_for(rows * width));
        let parts =
            activities.0.axis_chunks_iter(Axis(0), part).zip(logits.0.axis_chunks_iter_mut(Axis(0), part));
        let parts = parts.zip(squares.slice().chunks(part)).collect();
        self.each(parts, |((activities, mut logits), squares)| {
            let mut product = Array2::zeros((activities.nrows(), classes));
            if width > 0 {
                general_mat_mul(T::one(), &activities, &weight.0, T::zero(), &mut product);
            }
            for ((mut logits, product), square) in
                logits.rows_mut().into_iter().zip(product.rows()).zip(squares)
            {
                let scale = T::from_f64(normalization.scale(square.widened(), width));
                for (logit, &product) in logits.iter_mut().zip(product) {
                    *logit = if add { *logit } else { T::zero() } + scale * product;
                }
            }
        });
        Ok(())
    }

    pub(crate) fn class_errors(
        &self,
        logits: &Matrix<T>,
        labels: Plan<Self>,
        errors: &mut Matrix<T>,
        cost: &mut Matrix<T>,
    ) -> Result<()> {
        shapes::softmax::<Self>(logits, &labels, errors, cost)?;
        let rows = logits.rows().max(1) as f64;
        let labels = &labels.indices.0[labels.at..];
        let (mut entropy, mut wrong) = (0.0, 0.0);
        for ((logits, mut errors), &label) in logits.0.rows().into_iter().zip(errors.0.rows_mut()).zip(labels)
        {
            let largest = logits.iter().fold(f64::NEG_INFINITY, |best, x| best.max(x.widened()));
            let total: f64 = logits.iter().map(|x| (x.widened() - largest).exp()).sum();
            let own = logits.get(label as usize).map_or(0.0, |x| x.widened());
            for (c, (error, x)) in errors.iter_mut().zip(logits).enumerate() {
                let target = if c == label as usize { 1.0 } else { 0.0 };
                *error = T::from_f64((x.widened() - largest).exp() / total - target);
            }
            entropy += total.ln() + largest - own;
            wrong += if own < largest { 1.0 } else { 0.0 };
        }
        for (cost, sum) in cost.slice_mut().iter_mut().zip([entropy, wrong]) {
            *cost += T::from_f64(sum / rows);
        }
        Ok(())
    }

    pub(crate) fn hard_labels(
        &self,
        errors: &Matrix<T>,
        labels: Plan<Self>,
        uniforms: Plan<Self>,
        out: &mut Indices,
    ) -> Result<()> {
        shapes::draw_labels::<Self>(errors, &labels, &uniforms, out)?;
        let (positives, negatives) = out.0.split_at_mut(errors.rows());
        let labels = &labels.indices.0[labels.at..];
        let uniforms = &uniforms.indices.0[uniforms.at..];
        let rows = errors.0.rows().into_iter().zip(labels).zip(uniforms);
        for (((errors, &label), &uniform), (positive, negative)) in
            rows.zip(positives.iter_mut().zip(negatives))
        {
            let others = || errors.iter().enumerate().filter(|(c, _)| *c != label as usize);
            let total: f64 = others().map(|(_, p)| p.widened()).sum();
            let target = f64::from(uniform) / 4_294_967_296.0 * total;
            let mut sum = 0.0;
            let drawn = others().find(|(_, p)| {
                sum += p.widened();
                sum > target
            });
            *positive = label;
            *negative = drawn.map_or((label + 1) % errors.len() as u32, |(c, _)| c as u32);
        }
        Ok(())
    }

    pub(crate) fn best_labels(&self, scores: &mut Matrix<T>, out: &mut Indices, at: usize) -> Result<()> {
        shapes::argmax(scores, out, at)?;
        for (row, out) in scores.0.rows().into_iter().zip(&mut out.0[at..]) {
            let mut best = (0, row.first().copied().unwrap_or(T::zero()));
            for (c, &score) in row.iter().enumerate() {
                if score > best.1 {
                    best = (c, score);
                }
            }
            *out = best.0 as u32;
        }
        scores.slice_mut().fill(T::zero());
        Ok(())
    }
}
