//! From stored images to the rows of a batch.

use ff_backend::host::Images;
use ff_backend::{IndexSlice, Result, Shape, shapes};

use crate::kernels::{lane_sums, sum_of_squares};
use crate::vector::{Loop, widest};
use crate::{Cpu, Matrix, Scalar};

impl<T: Scalar> Cpu<T> {
    pub(crate) fn gather(
        &self,
        images: &Images,
        rows: IndexSlice<Self>,
        shifts: Option<IndexSlice<Self>>,
        skip: usize,
        out: &mut Matrix<T>,
        squares: &mut Matrix<T>,
    ) -> Result<()> {
        shapes::gather::<Self>(images, &rows, shifts.as_ref(), skip, out, squares)?;
        self.each_row(out, squares, |row, out| {
            let first = rows.indices.0[rows.offset + row] as usize * images.columns();
            let image = &images.pixels[first..first + images.columns()];
            match shifts.map(|shifts| shifts.indices.0[shifts.offset + row]) {
                Some(shift) => {
                    let by = ((shift / 256) as isize - 128, (shift % 256) as isize - 128);
                    shifted(image, images.height, images.width, by, skip, out);
                }
                None => {
                    for (out, &pixel) in out.iter_mut().zip(&image[skip..]) {
                        *out = brightness(pixel);
                    }
                }
            }
        });
        Ok(())
    }

    pub(crate) fn center(&self, x: &mut Matrix<T>, squares: &mut Matrix<T>) -> Result<()> {
        shapes::center(x, squares)?;
        let features = T::from_f64(x.columns() as f64);
        self.each_row(x, squares, |_, row| widest(Center { features, row }));
        Ok(())
    }

    pub(crate) fn hybrid(
        &self,
        x: &mut Matrix<T>,
        masks: &Images,
        which: IndexSlice<Self>,
        squares: &mut Matrix<T>,
    ) -> Result<()> {
        shapes::hybrid::<Self>(x, masks, &which, squares)?;
        let (pairs, features) = (x.rows() / 2, x.columns());
        let (first, second) = x.slice_mut().split_at_mut(pairs * features);
        let squares = &mut squares.slice_mut()[pairs..];
        let pairs_of_rows = first.chunks_exact(features.max(1)).zip(second.chunks_exact_mut(features.max(1)));
        for (i, ((a, b), square)) in pairs_of_rows.zip(squares).enumerate() {
            let at = which.indices.0[which.offset + i] as usize * masks.columns();
            for ((b, &a), &mask) in b.iter_mut().zip(a).zip(&masks.pixels[at..]) {
                let mask = brightness::<T>(mask);
                *b = mask * a + (T::one() - mask) * *b;
            }
            *square = sum_of_squares(b);
        }
        self.list_rows(x);
        Ok(())
    }
}

/// Subtracts the mean of so many features.
struct Center<'a, T> {
    features: T,
    row: &'a mut [T],
}

impl<T: Scalar> Loop for Center<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let first = self.row.first().copied().unwrap_or_else(T::zero);
        let [sum] = lane_sums(self.row, |x| [x - first]);
        let mean = sum / self.features;
        self.row.iter_mut().for_each(|x| *x = (*x - first) - mean);
    }
}

/// Rounded once: a factor of 1/255 would shift all pixels alike against the label, and a trajectory
/// makes that error grow.
fn brightness<T: Scalar>(pixel: u8) -> T {
    T::from_f64(f64::from(pixel)) / T::from_f64(255.0)
}

/// An image moved by (dy, dx), zeros shifted in, without its first `skip` pixels.
fn shifted<T: Scalar>(
    image: &[u8],
    height: usize,
    width: usize,
    (dy, dx): (isize, isize),
    skip: usize,
    out: &mut [T],
) {
    for (f, out) in out.iter_mut().enumerate() {
        let (y, x) = ((skip + f) / width, (skip + f) % width);
        let (y, x) = (y.checked_add_signed(-dy), x.checked_add_signed(-dx));
        *out = match (y.filter(|y| *y < height), x.filter(|x| *x < width)) {
            (Some(y), Some(x)) => brightness(image[y * width + x]),
            _ => T::zero(),
        };
    }
}
