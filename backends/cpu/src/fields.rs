//! What the units of a local layer's places see, place by place: rows of features as products and lists read them.

use std::ops::Range;
use std::sync::PoisonError;

use ff_backend::{Fields, Result, Shape, Stretch};

use crate::lists::{KC, ListRow, Lists, RowMut};
use crate::panels::room;
use crate::{Cpu, Matrix, Scalar};

/// The features of a place, of one row; 0 beyond the end of its list.
#[inline(always)]
pub(crate) fn gather<T: Scalar>(stretches: &[Stretch], row: &[T], seen: &mut [T]) {
    let mut end = 0;
    for &Stretch { at, feature, count } in stretches {
        end = at + count;
        seen[at..end].copy_from_slice(&row[feature..feature + count]);
    }
    seen[end..].fill(T::zero());
}

/// The stretches of every place's list.
pub(crate) fn stretches(fields: &Fields) -> Vec<Vec<Stretch>> {
    (0..fields.places()).map(|place| fields.stretches(place, 0..fields.rows())).collect()
}

/// The stretches of each KC entries of every place's list, `at` counted from the first of them. Without fields there is
/// one place, which sees all of `depth` features. There is a block even of nothing.
pub(crate) fn blocks(fields: Option<&Fields>, depth: usize) -> Vec<Vec<Vec<Stretch>>> {
    let parts = || (0..depth.max(1)).step_by(KC).map(|first| first..depth.min(first + KC));
    let Some(fields) = fields else {
        let block = |part: Range<usize>| vec![Stretch { at: 0, feature: part.start, count: part.len() }];
        return vec![parts().map(block).collect()];
    };
    let place = |place: usize| parts().map(|part| fields.stretches(place, part)).collect();
    (0..fields.places()).map(place).collect()
}

/// Adds what every place makes of its features, `[places, rows]`, to the features themselves.
#[inline(always)]
pub(crate) fn scatter<T: Scalar>(stretches: &[Vec<Stretch>], depth: usize, parts: &[T], out: &mut [T]) {
    out.fill(T::zero());
    for (part, stretches) in parts.chunks_exact(depth.max(1)).zip(stretches) {
        for &Stretch { at, feature, count } in stretches {
            let out = out[feature..feature + count].iter_mut();
            out.zip(&part[at..at + count]).for_each(|(out, &x)| *out += x);
        }
    }
}

/// The places of a transposed weight see their own units: those of place p are p · channels and on.
pub(crate) fn transposed(fields: &Fields) -> Result<Fields> {
    let channels = fields.channels() as u32;
    let own = |place: usize| (place as u32 * channels..(place as u32 + 1) * channels).collect();
    Fields::new(fields.units(), fields.rows(), &(0..fields.places()).map(own).collect::<Vec<_>>())
}

impl<T: Scalar> Cpu<T> {
    /// Lists what is not 0 of what each place sees of each row: list row · places + place.
    pub(crate) fn list_fields(&self, features: &Matrix<T>, fields: &Fields, lists: &mut Lists<T>) {
        let (rows, width) = (features.rows(), features.columns());
        let (places, depth) = (fields.places(), fields.rows());
        lists.reset(rows * places, depth);
        let stretches = &stretches(fields);
        let part = Self::rows_per_part(rows, 4 * self.threads_for(rows * places * depth));
        let mut lists: Vec<_> = lists.rows_mut().collect();
        let parts = features
            .slice()
            .chunks((part * width).max(1))
            .zip(lists.chunks_mut((part * places).max(1)))
            .collect();
        self.each_by(parts, |thread, (rows, lists): (&[T], &mut [RowMut<T>])| {
            let mut scratch = self.scratch[thread].lock().unwrap_or_else(PoisonError::into_inner);
            let seen = room(&mut scratch, depth);
            for (row, lists) in rows.chunks_exact(width.max(1)).zip(lists.chunks_mut(places.max(1))) {
                for (list, stretches) in lists.iter_mut().zip(stretches) {
                    gather(stretches, row, seen);
                    self.instructions.run(ListRow { list, row: seen });
                }
            }
        });
    }
}
