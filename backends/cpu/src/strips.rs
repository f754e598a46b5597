//! Strips: the left operand of a product, eight of its rows at a time.

use crate::Scalar;
use crate::registers::TALL;

/// Lines of 8 elements: what a tile's rows multiply. Lines of zeros may be left out.
#[derive(Clone, Copy)]
pub struct Strip<'a, T> {
    values: &'a [[T; TALL]],
    /// Where each line was before others were left out, ascending; none if no line was.
    places: Option<&'a [u32]>,
}

impl<'a, T> Strip<'a, T> {
    pub(crate) fn values(&self) -> &'a [[T; TALL]] {
        self.values
    }

    /// Where each line was before others were left out, ascending; none if no line was.
    pub(crate) fn places(&self) -> Option<&'a [u32]> {
        self.places
    }
}

/// How many lines a strip holds, and of how many.
#[derive(Clone, Copy, Default)]
struct Count {
    left: usize,
    all: usize,
}

/// Memory of strips, kept from step to step.
#[derive(Default)]
pub(crate) struct Strips<T> {
    depth: usize,
    values: Vec<[T; TALL]>,
    places: Vec<u32>,
    counts: Vec<Count>,
}

impl<T: Scalar> Strips<T> {
    /// Room for `count` strips of up to `depth` lines.
    pub(crate) fn room(&mut self, count: usize, depth: usize) -> impl Iterator<Item = StripMut<'_, T>> {
        let space = self.places.len().max(count * depth);
        self.depth = depth;
        self.values.resize(space, [T::zero(); TALL]);
        self.places.resize(space, 0);
        self.counts.clear();
        self.counts.resize(count, Count::default());
        let depth = depth.max(1);
        let room = self.values.chunks_exact_mut(depth).zip(self.places.chunks_exact_mut(depth));
        room.zip(&mut self.counts).map(|((values, places), count)| StripMut { values, places, count })
    }

    pub(crate) fn strip(&self, index: usize) -> Strip<'_, T> {
        let Count { left, all } = self.counts[index];
        let part = index * self.depth..index * self.depth + left;
        let places = (left < all).then(|| &self.places[part.clone()]);
        Strip { values: &self.values[part], places }
    }
}

/// A strip to be filled.
pub(crate) struct StripMut<'a, T> {
    values: &'a mut [[T; TALL]],
    places: &'a mut [u32],
    count: &'a mut Count,
}

impl<T: Scalar> StripMut<'_, T> {
    /// The transpose of up to 8 rows; rows that are missing are 0.
    #[inline(always)]
    pub(crate) fn transpose(&mut self, rows: [&[T]; TALL]) {
        let depth = rows[0].len();
        let lines = self.values.iter_mut().enumerate().take(depth);
        if rows.iter().all(|row| row.len() == depth) {
            lines.for_each(|(k, line)| *line = rows.map(|row| row[k]));
        } else {
            lines.for_each(|(k, line)| *line = rows.map(|row| row.get(k).copied().unwrap_or(T::zero())));
        }
        *self.count = Count { left: depth, all: depth };
    }

    /// Leaves lines of zeros out.
    #[inline(always)]
    pub(crate) fn skip_zeros(&mut self) {
        let mut count = 0;
        for k in 0..self.count.left {
            let line = self.values[k];
            self.values[count] = line;
            self.places[count] = k as u32;
            // A sum, since branches here would be hard to foresee.
            count += usize::from(line.iter().fold(false, |any, x| any | (*x != T::zero())));
        }
        self.count.left = count;
    }
}

/// Strips of 8 columns of these rows each, from column `from` on.
#[inline(always)]
pub(crate) fn pack_strips<T: Scalar>(rows: &[&[T]], from: usize, strips: &mut [StripMut<T>]) {
    for (k, row) in rows.iter().enumerate() {
        let mut row = row.get(from..).unwrap_or_default();
        for strip in &mut *strips {
            let (now, rest) = row.split_at(row.len().min(TALL));
            strip.values[k] = now.first_chunk::<TALL>().copied().unwrap_or_else(|| {
                let mut line = [T::zero(); TALL];
                line[..now.len()].copy_from_slice(now);
                line
            });
            row = rest;
        }
    }
    strips.iter_mut().for_each(|strip| *strip.count = Count { left: rows.len(), all: rows.len() });
}
