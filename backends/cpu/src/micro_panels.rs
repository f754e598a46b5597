//! Micro-panels: the left operand of a product, MR of its rows at a time, packed.

use crate::Scalar;
use crate::microkernel::MR;

/// Lines of MR elements: what a tile's rows multiply. Lines of zeros may be left out.
#[derive(Clone, Copy)]
pub struct MicroPanel<'a, T> {
    values: &'a [[T; MR]],
    /// Where each line was before others were left out, ascending; none if no line was.
    places: Option<&'a [u32]>,
}

impl<'a, T> MicroPanel<'a, T> {
    pub(crate) fn values(&self) -> &'a [[T; MR]] {
        self.values
    }

    /// Where each line was before others were left out, ascending; none if no line was.
    pub(crate) fn places(&self) -> Option<&'a [u32]> {
        self.places
    }
}

/// How many lines a micro-panel holds, and of how many.
#[derive(Clone, Copy, Default)]
struct Count {
    left: usize,
    all: usize,
}

/// Memory of micro-panels, kept from step to step.
#[derive(Default)]
pub(crate) struct MicroPanels<T> {
    depth: usize,
    values: Vec<[T; MR]>,
    places: Vec<u32>,
    counts: Vec<Count>,
}

impl<T: Scalar> MicroPanels<T> {
    /// Room for `count` micro-panels of up to `depth` lines.
    pub(crate) fn room(&mut self, count: usize, depth: usize) -> impl Iterator<Item = MicroPanelMut<'_, T>> {
        let space = self.places.len().max(count * depth);
        self.depth = depth;
        self.values.resize(space, [T::zero(); MR]);
        self.places.resize(space, 0);
        self.counts.clear();
        self.counts.resize(count, Count::default());
        let depth = depth.max(1);
        let room = self.values.chunks_exact_mut(depth).zip(self.places.chunks_exact_mut(depth));
        room.zip(&mut self.counts).map(|((values, places), count)| MicroPanelMut { values, places, count })
    }

    pub(crate) fn micro_panel(&self, index: usize) -> MicroPanel<'_, T> {
        let Count { left, all } = self.counts[index];
        let part = index * self.depth..index * self.depth + left;
        let places = (left < all).then(|| &self.places[part.clone()]);
        MicroPanel { values: &self.values[part], places }
    }
}

/// A micro-panel to be filled.
pub(crate) struct MicroPanelMut<'a, T> {
    values: &'a mut [[T; MR]],
    places: &'a mut [u32],
    count: &'a mut Count,
}

impl<T: Scalar> MicroPanelMut<'_, T> {
    /// The transpose of up to 8 rows; rows that are missing are 0.
    #[inline(always)]
    pub(crate) fn transpose(&mut self, rows: [&[T]; MR]) {
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

/// Packs MR columns of these rows into each micro-panel, from column `from` on.
#[inline(always)]
pub(crate) fn pack_columns_of_rows<T: Scalar>(
    rows: &[&[T]],
    from: usize,
    micro_panels: &mut [MicroPanelMut<T>],
) {
    for (k, row) in rows.iter().enumerate() {
        let mut row = row.get(from..).unwrap_or_default();
        for micro_panel in &mut *micro_panels {
            let (now, rest) = row.split_at(row.len().min(MR));
            micro_panel.values[k] = now.first_chunk::<MR>().copied().unwrap_or_else(|| {
                let mut line = [T::zero(); MR];
                line[..now.len()].copy_from_slice(now);
                line
            });
            row = rest;
        }
    }
    micro_panels
        .iter_mut()
        .for_each(|micro_panel| *micro_panel.count = Count { left: rows.len(), all: rows.len() });
}
