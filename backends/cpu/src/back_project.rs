//! The way back through a layer's weights: a product with the transposed, then row by row through the normalization.

use ff_backend::{Normalization, Result, Shape, host, shapes};

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
        self.multiply(errors, &self.transposed(weight)?, 0, out, &Raw)?;
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

    pub(crate) fn transposed(&self, weight: &Weight<T>) -> Result<Weight<T>> {
        let transposed = weight.0.transposed(|panels, weight| {
            self.each(panels, |(index, panel)| weight.transpose_rows(index, panel));
        });
        let no_room = || host::out_of_memory::<T>(weight.columns(), weight.rows(), "cpu");
        transposed.map(Weight).ok_or_else(no_room)
    }
}
