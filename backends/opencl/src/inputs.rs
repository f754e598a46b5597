//! From stored images to the rows of a batch.

use ff_backend::{IndexSlice, Result, shapes};

use crate::{Images, Matrix, OpenCl};

impl OpenCl {
    pub(crate) fn gather(
        &self,
        images: &Images,
        rows: IndexSlice<Self>,
        shifts: Option<IndexSlice<Self>>,
        skip: usize,
        out: &mut Matrix,
        squares: &mut Matrix,
    ) -> Result<()> {
        shapes::gather::<Self>(images, &rows, shifts.as_ref(), skip, out, squares)?;
        let args = self
            .args()
            .buffer(&images.buffer)
            .count(images.count)
            .count(images.height)
            .count(images.width)
            .slice(&rows)
            .slice(&shifts.unwrap_or(rows))
            .flag(shifts.is_some())
            .count(skip)
            .count(out.columns)
            .out(out)
            .out(squares);
        self.launch_rows(&self.small.gather, out.rows, args)
    }

    pub(crate) fn center(&self, x: &mut Matrix, squares: &mut Matrix) -> Result<()> {
        shapes::center(x, squares)?;
        let args = self.args().changed(x).count(x.columns).out(squares);
        self.launch_rows(&self.small.center, x.rows, args)
    }

    pub(crate) fn hybrid(
        &self,
        x: &mut Matrix,
        masks: &Images,
        which: IndexSlice<Self>,
        squares: &mut Matrix,
    ) -> Result<()> {
        shapes::hybrid::<Self>(x, masks, &which, squares)?;
        let pairs = x.rows / 2;
        let args = self
            .args()
            .changed(x)
            .count(pairs)
            .count(x.columns)
            .buffer(&masks.buffer)
            .count(masks.count)
            .slice(&which)
            .matrix(squares);
        self.launch_rows(&self.small.hybrid, pairs, args)
    }
}
