//! What this backend holds: matrices with the lists of what is on in them, weights in panels.

use ff_backend::{Connected, Fields, Result, Shape, Tensor, host, shapes};
use ndarray::{Array2, ArrayView2, ArrayViewMut2};

use crate::lists::Lists;
use crate::panels::{Grouping, Panels};
use crate::{Cpu, Scalar};

/// A matrix in host memory, row-major.
pub struct Matrix<T> {
    values: Array2<T>,
    /// Made by the first operation that lists what it writes.
    lists: Option<Lists<T>>,
    /// Whether the lists are those of the values.
    listed: bool,
}

impl<T: Scalar> Shape for Matrix<T> {
    fn rows(&self) -> usize {
        self.values.nrows()
    }
    fn columns(&self) -> usize {
        self.values.ncols()
    }
}

impl<T: Scalar> Matrix<T> {
    /// All values, row-major.
    pub(crate) fn slice(&self) -> &[T] {
        self.values.as_slice().unwrap_or_default()
    }

    /// All values, to be changed: the lists are out of date from here on.
    pub(crate) fn slice_mut(&mut self) -> &mut [T] {
        self.listed = false;
        self.values.as_slice_mut().unwrap_or_default()
    }

    pub(crate) fn view(&self) -> ArrayView2<'_, T> {
        self.values.view()
    }

    /// As [`Matrix::slice_mut`].
    pub(crate) fn view_mut(&mut self) -> ArrayViewMut2<'_, T> {
        self.listed = false;
        self.values.view_mut()
    }

    /// The list of every row, where the operation that wrote the matrix has made them.
    pub(crate) fn lists(&self) -> Option<&Lists<T>> {
        self.lists.as_ref().filter(|lists| self.listed && lists.are_complete())
    }

    /// All values, to be changed, and the lists that whoever changes them fills: none up to a share of 0, entries only
    /// where the last batch had no larger share of units that were on.
    pub(crate) fn with_lists(&mut self, share: f64) -> (&mut [T], Option<&mut Lists<T>>) {
        self.listed = share > 0.0;
        let (rows, columns) = self.values.dim();
        let mut lists = self.listed.then(|| self.lists.get_or_insert_with(|| Lists::new(rows, columns)));
        if let Some(lists) = &mut lists {
            lists.list_up_to(share);
        }
        (self.values.as_slice_mut().unwrap_or_default(), lists)
    }
}

impl<T: Scalar> Tensor<Cpu<T>> for Matrix<T> {
    fn zeros(_: &Cpu<T>, rows: usize, columns: usize) -> Result<Self> {
        let values = Array2::from_shape_vec((rows, columns), host::zeros(rows, columns, "cpu")?);
        let values = values.map_err(|_| host::out_of_memory::<T>(rows, columns, "cpu"))?;
        Ok(Matrix { values, lists: None, listed: false })
    }

    fn like(&self, cpu: &Cpu<T>) -> Result<Self> {
        Self::zeros(cpu, self.rows(), self.columns())
    }

    fn upload(&mut self, cpu: &Cpu<T>, values: &[T]) -> Result<()> {
        shapes::upload(self, values.len())?;
        self.slice_mut().copy_from_slice(values);
        cpu.list_rows(self);
        Ok(())
    }

    fn download(&self, _: &Cpu<T>) -> Result<Vec<T>> {
        Ok(self.slice().to_vec())
    }

    fn copy(&self, cpu: &Cpu<T>, target: &mut Self) -> Result<()> {
        shapes::copy(self, target)?;
        cpu.copy_slice(self.slice(), target.slice_mut());
        cpu.list_rows(target);
        Ok(())
    }
}

/// A layer's weights in host memory, as products read them.
pub struct Weight<T> {
    /// In a group for each place.
    pub(crate) panels: Panels<T>,
    /// What its units see, if not everything.
    pub(crate) fields: Option<Fields>,
}

impl<T: Scalar> Shape for Weight<T> {
    fn rows(&self) -> usize {
        self.panels.extent().0
    }
    fn columns(&self) -> usize {
        self.panels.extent().1
    }
}

impl<T: Scalar> Connected for Weight<T> {
    fn fields(&self) -> Option<&Fields> {
        self.fields.as_ref()
    }
}

impl<T: Scalar> Weight<T> {
    /// Zeros: local where there are fields.
    pub(crate) fn of_fields(rows: usize, columns: usize, fields: Option<&Fields>) -> Result<Self> {
        let grouping = Grouping { columns, groups: fields.map_or(1, Fields::places) };
        let panels =
            Panels::new(rows, grouping).ok_or_else(|| host::out_of_memory::<T>(rows, columns, "cpu"))?;
        Ok(Weight { panels, fields: fields.cloned() })
    }

    /// The first rows, row-major.
    pub(crate) fn first_rows(&self, count: usize) -> Vec<T> {
        self.panels.rows(count)
    }
}

impl<T: Scalar> Tensor<Cpu<T>> for Weight<T> {
    fn zeros(_: &Cpu<T>, rows: usize, columns: usize) -> Result<Self> {
        Weight::of_fields(rows, columns, None)
    }

    fn like(&self, _: &Cpu<T>) -> Result<Self> {
        Weight::of_fields(self.rows(), self.columns(), self.fields())
    }

    fn upload(&mut self, _: &Cpu<T>, values: &[T]) -> Result<()> {
        shapes::upload(self, values.len())?;
        self.panels.load(values);
        Ok(())
    }

    fn download(&self, _: &Cpu<T>) -> Result<Vec<T>> {
        Ok(self.panels.rows(self.rows()))
    }

    fn copy(&self, cpu: &Cpu<T>, target: &mut Self) -> Result<()> {
        shapes::copy_weight(self, target)?;
        cpu.copy_slice(self.panels.values(), target.panels.values_mut());
        Ok(())
    }
}
