//! The way back through a layer's weights: a product with the transposed, then row by row through the normalization.

use std::sync::PoisonError;

use ff_backend::{Connected, Fields, Normalization, Result, Shape, Tensor, host, shapes};

use crate::fields::{self, scatter, stretches};
use crate::kernels::dot;
use crate::products::Raw;
use crate::vector::{Loop, widest};
use crate::{Cpu, Matrix, Scalar, Weight};

/// From e = errors · weightᵀ to s (e − w ẑ Σ e ẑ) where h > 0, in one row.
struct WayBack<'a, T> {
    scale: T,
    /// w.
    radial: T,
    activities: &'a [T],
    /// e, then the slopes.
    out: &'a mut [T],
}

impl<T: Scalar> Loop for WayBack<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let WayBack { scale, radial, activities, out } = self;
        let along = radial * (scale * dot(out, activities));
        for (out, &h) in out.iter_mut().zip(activities) {
            *out = if h > T::zero() { scale * (*out - along * (scale * h)) } else { T::zero() };
        }
    }
}

impl<T: Scalar> Cpu<T> {
    pub(crate) fn back_project(
        &self,
        errors: &Matrix<T>,
        weight: &Weight<T>,
        activities: &Matrix<T>,
        squares: &Matrix<T>,
        normalization: Normalization,
        out: &mut Matrix<T>,
    ) -> Result<()> {
        shapes::back_project(errors, weight, activities, squares, out)?;
        let transposed = self.transposed(weight)?;
        match weight.fields() {
            None => self.multiply(errors, &transposed, 0, out, &Raw)?,
            Some(fields) => {
                let (rows, wide) = (out.rows(), fields.places() * fields.rows());
                let mut kept = self.sent_back.lock().unwrap_or_else(PoisonError::into_inner);
                let fits = |parts: &Matrix<T>| (parts.rows(), parts.columns()) == (rows, wide);
                let mut parts = match kept.iter().position(fits) {
                    Some(at) => kept.swap_remove(at),
                    None => Matrix::zeros(self, rows, wide)?,
                };
                self.multiply(errors, &transposed, 0, &mut parts, &Raw)?;
                self.add_up(&parts, fields, out);
                kept.push(parts);
            }
        }
        let (rows, width) = (out.rows(), out.columns());
        let part = Self::rows_per_part(rows, self.threads_for(rows * width));
        let radial = T::from_f64(normalization.radial(width));
        let operands = activities.slice().chunks_exact(width.max(1)).zip(squares.slice());
        let rows = out.slice_mut().chunks_exact_mut(width.max(1)).zip(operands);
        let mut rows: Vec<_> = rows.collect();
        self.each(rows.chunks_mut(part).collect(), |rows| {
            for (out, (activities, square)) in rows {
                let scale = T::from_f64(normalization.scale(square.widened(), width));
                widest(WayBack { scale, radial, activities, out });
            }
        });
        self.list_rows(out);
        Ok(())
    }

    /// out = what every place sends back, added up where it was seen.
    fn add_up(&self, parts: &Matrix<T>, fields: &Fields, out: &mut Matrix<T>) {
        let (rows, wide, width) = (out.rows(), parts.columns(), out.columns());
        let stretches = &stretches(fields);
        let part = Self::rows_per_part(rows, self.threads_for(rows * wide));
        let parts = parts.slice().chunks((part * wide).max(1));
        let parts = parts.zip(out.slice_mut().chunks_mut((part * width).max(1))).collect();
        self.each(parts, |(parts, out): (&[T], &mut [T])| {
            let rows = parts.chunks_exact(wide.max(1)).zip(out.chunks_exact_mut(width.max(1)));
            rows.for_each(|(parts, out)| scatter(stretches, fields.rows(), parts, out));
        });
    }

    /// Weights with rows and columns exchanged; of local ones, those of each place.
    pub(crate) fn transposed(&self, weight: &Weight<T>) -> Result<Weight<T>> {
        let panels = weight.panels.transposed(|panels, weight| {
            self.each(panels, |(index, panel)| weight.transpose_rows(index, panel));
        });
        let no_room = || host::out_of_memory::<T>(weight.columns(), weight.rows(), "cpu");
        let fields = weight.fields().map(fields::transposed).transpose()?;
        Ok(Weight { panels: panels.ok_or_else(no_room)?, fields })
    }
}
