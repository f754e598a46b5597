//! Panels: strips of a matrix in the order in which a product reads them.

use crate::Scalar;
use crate::registers::{TALL, WIDE};

/// Elements `from..from + N` of each of these rows, one after the other; what is beyond a row reads as 0.
#[inline(always)]
pub(crate) fn pack_columns<'a, T: Scalar, const N: usize>(
    rows: impl Iterator<Item = &'a [T]>,
    from: usize,
    out: &mut [T],
) {
    for (row, out) in rows.zip(out.as_chunks_mut::<N>().0) {
        let row = row.get(from..).unwrap_or_default();
        match row.first_chunk::<N>() {
            Some(whole) => *out = *whole,
            None => {
                *out = [T::zero(); N];
                out[..row.len()].copy_from_slice(row);
            }
        }
    }
}

/// Panels of 8 columns of these rows, from column `from` on, as many as there is room for.
#[inline(always)]
pub(crate) fn pack_strips<T: Scalar>(rows: &[&[T]], from: usize, out: &mut [T]) {
    let out = out.as_chunks_mut::<TALL>().0;
    for (k, row) in rows.iter().enumerate() {
        let mut row = row.get(from..).unwrap_or_default();
        for out in out.iter_mut().skip(k).step_by(rows.len()) {
            *out = [T::zero(); TALL];
            let (now, rest) = row.split_at(row.len().min(TALL));
            match now.first_chunk::<TALL>() {
                Some(whole) => *out = *whole,
                None => out[..now.len()].copy_from_slice(now),
            }
            row = rest;
        }
    }
}

/// The transpose of up to 8 rows of length `depth`: 8 elements for each column, 0 for rows that are missing.
#[inline(always)]
pub(crate) fn pack_rows<T: Scalar>(rows: &[T], depth: usize, out: &mut [T]) {
    let row = |i: usize| rows.get(i * depth..(i + 1) * depth).unwrap_or_default();
    let rows: [&[T]; TALL] = std::array::from_fn(row);
    for (k, out) in out.as_chunks_mut::<TALL>().0.iter_mut().enumerate() {
        for (out, row) in out.iter_mut().zip(rows) {
            *out = row.get(k).copied().unwrap_or(T::zero());
        }
    }
}

/// Number of panels of `N` that cover `extent`.
pub(crate) fn panels<const N: usize>(extent: usize) -> usize {
    extent.div_ceil(N)
}

/// Elements of all the panels of width `N` that cover `extent`, each `depth` long.
pub(crate) fn panel_space<const N: usize>(extent: usize, depth: usize) -> usize {
    panels::<N>(extent) * N * depth
}

/// Columns that panel `index` of a matrix with `columns` columns really has.
pub(crate) fn columns_of(index: usize, columns: usize) -> usize {
    (columns - index * WIDE).min(WIDE)
}
