//! What the oracle's numbers lie in: rows of f64, one after the other.

use super::Arithmetic;
use crate::{Connected, Fields, Result, Shape, Tensor, shapes};

/// A matrix of f64: also weights are one.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    /// Of local weights.
    pub(super) fields: Option<Fields>,
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) values: Vec<f64>,
}

impl Matrix {
    pub(super) fn at(&self, row: usize, column: usize) -> f64 {
        self.values[row * self.columns + column]
    }
    pub(super) fn set(&mut self, row: usize, column: usize, value: f64) {
        self.values[row * self.columns + column] = value;
    }
    pub(super) fn square_of_row(&self, row: usize) -> f64 {
        (0..self.columns).map(|j| self.at(row, j).powi(2)).sum()
    }
}

impl Shape for Matrix {
    fn rows(&self) -> usize {
        self.rows
    }
    fn columns(&self) -> usize {
        self.columns
    }
}

impl Connected for Matrix {
    fn fields(&self) -> Option<&Fields> {
        self.fields.as_ref()
    }
}

impl<A: Arithmetic> Tensor<A> for Matrix {
    fn zeros(_: &A, rows: usize, columns: usize) -> Result<Matrix> {
        Ok(Matrix { fields: None, rows, columns, values: vec![0.0; rows * columns] })
    }

    fn like(&self, _: &A) -> Result<Matrix> {
        Ok(Matrix { values: vec![0.0; self.values.len()], ..self.clone() })
    }

    fn upload(&mut self, _: &A, values: &[f64]) -> Result<()> {
        shapes::upload(self, values.len())?;
        self.values.copy_from_slice(values);
        Ok(())
    }

    fn download(&self, _: &A) -> Result<Vec<f64>> {
        Ok(self.values.clone())
    }

    fn copy(&self, _: &A, target: &mut Matrix) -> Result<()> {
        shapes::copy_weight(self, target)?;
        target.values.clone_from(&self.values);
        Ok(())
    }
}
