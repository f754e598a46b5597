//! What this backend holds, all of it row-major in host memory.

use ff_backend::{Connected, Fields, Real, Result, Shape, Tensor, host, shapes};
use ndarray::{Array2, ArrayView1};

use crate::{OpenBlas, Scalar};

/// A matrix: also weights are one, with their fields if they are local.
pub struct Matrix<T>(pub(crate) Array2<T>, pub(crate) Option<Fields>);

impl<T: Scalar> Shape for Matrix<T> {
    fn rows(&self) -> usize {
        self.0.nrows()
    }
    fn columns(&self) -> usize {
        self.0.ncols()
    }
}

impl<T: Scalar> Connected for Matrix<T> {
    fn fields(&self) -> Option<&Fields> {
        self.1.as_ref()
    }
}

impl<T: Scalar> Matrix<T> {
    /// Σ x² of each row.
    pub(crate) fn squares(&self) -> impl Iterator<Item = f64> {
        self.0.rows().into_iter().map(square)
    }
}

/// Σ x².
fn square<T: Scalar>(row: ArrayView1<T>) -> f64 {
    row.iter().map(|x| Real::to_f64(*x).powi(2)).sum()
}

impl<T: Scalar> Tensor<OpenBlas<T>> for Matrix<T> {
    fn zeros(_: &OpenBlas<T>, rows: usize, columns: usize) -> Result<Self> {
        let values = host::zeros(rows, columns, "openblas")?;
        let matrix = Array2::from_shape_vec((rows, columns), values);
        let matrix = matrix.map(|values| Matrix(values, None));
        matrix.map_err(|_| host::out_of_memory::<T>(rows, columns, "openblas"))
    }

    fn like(&self, backend: &OpenBlas<T>) -> Result<Self> {
        let matrix = Self::zeros(backend, self.rows(), self.columns())?;
        Ok(Matrix(matrix.0, self.1.clone()))
    }

    fn upload(&mut self, _: &OpenBlas<T>, values: &[T]) -> Result<()> {
        shapes::upload(self, values.len())?;
        self.0.iter_mut().zip(values).for_each(|(x, value)| *x = *value);
        Ok(())
    }

    fn download(&self, _: &OpenBlas<T>) -> Result<Vec<T>> {
        Ok(self.0.iter().copied().collect())
    }

    fn copy(&self, _: &OpenBlas<T>, target: &mut Self) -> Result<()> {
        shapes::copy_weight(self, target)?;
        target.0.assign(&self.0);
        Ok(())
    }
}
