//! Steps of layers that are driven from below and from above, and damped.

use ff_backend::{Input, Result, Shape, Weights, shapes};

use crate::forward::RowTerms;
use crate::kernels::rectify;
use crate::vector::{Loop, widest};
use crate::{Cpu, Matrix, Scalar};

/// h ← max(0, scale · product + above · h + bias), for one row.
struct DrivenRow<'a, T> {
    product: &'a [T],
    scale: T,
    above: T,
    bias: Option<&'a [T]>,
    out: &'a mut [T],
}

impl<T: Scalar> Loop for DrivenRow<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let DrivenRow { product, scale, above, bias, out } = self;
        for (out, &product) in out.iter_mut().zip(product) {
            *out = scale * product + above * *out;
        }
        rectify(bias, out);
    }
}

/// state = keep · before + rest · computed, for one row.
struct DampedRow<'a, T> {
    before: &'a [T],
    computed: &'a [T],
    keep: T,
    rest: T,
    state: &'a mut [T],
}

impl<T: Scalar> Loop for DampedRow<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let DampedRow { before, computed, keep, rest, state } = self;
        for ((state, &before), &computed) in state.iter_mut().zip(before).zip(computed) {
            *state = keep * before + rest * computed;
        }
    }
}

/// computed ← rest · state where it is above 0, else 0.
struct Slopes<'a, T> {
    state: &'a [T],
    rest: T,
    computed: &'a mut [T],
}

impl<T: Scalar> Loop for Slopes<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (slope, &state) in self.computed.iter_mut().zip(self.state) {
            *slope = if *slope > T::zero() { self.rest * state } else { T::zero() };
        }
    }
}

impl<T: Scalar> Cpu<T> {
    pub(crate) fn drive(
        &self,
        product: &Matrix<T>,
        input: &Input<Self>,
        above: &Input<Self>,
        layer: &Weights<Self>,
        out: &mut Matrix<T>,
        squares: &mut Matrix<T>,
    ) -> Result<()> {
        shapes::drive::<Self>(product, input, above, layer, out, squares)?;
        let (columns, rows) = (out.columns(), out.rows());
        let (below, above) = (RowTerms::new(input, rows).scales, RowTerms::new(above, rows).scales);
        let bias = layer.bias.as_ref().map(|bias| bias.value.slice());
        let products = product.slice();
        self.each_row(out, squares, |r, out| {
            let at = r % product.rows() * columns;
            let product = &products[at..at + columns];
            widest(DrivenRow { product, scale: below[r], above: above[r], bias, out });
        });
        Ok(())
    }

    pub(crate) fn damp(
        &self,
        before: &Matrix<T>,
        keep: f64,
        computed: &mut Matrix<T>,
        state: &mut Matrix<T>,
        squares: &mut Matrix<T>,
    ) -> Result<()> {
        shapes::damp(before, computed, state, squares)?;
        let [keep, rest] = [keep, 1.0 - keep].map(T::from_f64);
        let (columns, before, new) = (state.columns(), before.slice(), computed.slice());
        self.each_row(state, squares, |r, state| {
            let row = r * columns..(r + 1) * columns;
            widest(DampedRow { before: &before[row.clone()], computed: &new[row], keep, rest, state });
        });
        let slopes = computed.slice_mut();
        let part = Self::rows_per_part(slopes.len(), self.threads_for(slopes.len()));
        let parts = state.slice().chunks(part).zip(slopes.chunks_mut(part)).collect();
        self.each(parts, |(state, computed): (&[T], &mut [T])| widest(Slopes { state, rest, computed }));
        Ok(())
    }
}
