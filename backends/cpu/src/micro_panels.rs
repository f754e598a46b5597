//! Micro-panels: the left operand of a product, MR of its rows at a time, packed.

use std::ops::Range;

use ff_backend::Fields;

use crate::Scalar;
use crate::microkernel::{MASKED, MR, Microkernel};
use crate::panels::count;

/// Lines of MR elements: what a tile's rows multiply. Lines of zeros may be left out.
#[derive(Clone, Copy)]
pub struct MicroPanel<'a, T> {
    values: &'a [[T; MR]],
    /// Where each line was before others were left out, ascending; none if no line was.
    places: Option<&'a [u32]>,
    /// Where its first line was, left out or not.
    first: u32,
}

impl<'a, T> MicroPanel<'a, T> {
    pub(crate) fn values(&self) -> &'a [[T; MR]] {
        self.values
    }

    /// Where each line was before others were left out, ascending; none if no line was.
    pub(crate) fn places(&self) -> Option<&'a [u32]> {
        self.places
    }

    /// Where its first line was, left out or not: none of the places is before it.
    pub(crate) fn first(&self) -> u32 {
        self.first
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
    /// How many lines are left before each line, of what was transposed.
    before: Vec<u32>,
    counts: Vec<Count>,
}

impl<T: Scalar> MicroPanels<T> {
    /// Room for `count` micro-panels of up to `depth` lines.
    pub(crate) fn room(&mut self, count: usize, depth: usize) -> impl Iterator<Item = MicroPanelMut<'_, T>> {
        let space = self.places.len().max(count * depth);
        self.depth = depth;
        self.values.resize(space, [T::zero(); MR]);
        self.places.resize(space, 0);
        self.before.resize(space, 0);
        self.counts.clear();
        self.counts.resize(count, Count::default());
        let depth = depth.max(1);
        let lines = self.places.chunks_exact_mut(depth).zip(self.before.chunks_exact_mut(depth));
        let room = self.values.chunks_exact_mut(depth).zip(lines).zip(&mut self.counts);
        room.map(|((values, (places, before)), count)| MicroPanelMut { values, places, before, count })
    }

    /// All that is left of a micro-panel.
    pub(crate) fn micro_panel(&self, index: usize) -> MicroPanel<'_, T> {
        self.those_left(index, 0, 0..self.counts[index].left)
    }

    /// What is left of these lines of a micro-panel that was transposed.
    #[inline(always)]
    pub(crate) fn part(&self, index: usize, lines: Range<usize>) -> MicroPanel<'_, T> {
        let Count { left, all } = self.counts[index];
        let before = |line: usize| match line {
            _ if left == all => line,
            _ if line == all => left,
            _ => self.before[index * self.depth + line] as usize,
        };
        self.those_left(index, lines.start, before(lines.start)..before(lines.end))
    }

    /// Some of the lines that are left, the first of which was line `first` or is after it.
    #[inline(always)]
    fn those_left(&self, index: usize, first: usize, left: Range<usize>) -> MicroPanel<'_, T> {
        let (count, own) = (self.counts[index], index * self.depth);
        let part = own + left.start..own + left.end;
        MicroPanel {
            values: &self.values[part.clone()],
            places: (count.left < count.all).then(|| &self.places[part]),
            first: first as u32,
        }
    }
}

/// A micro-panel to be filled.
pub(crate) struct MicroPanelMut<'a, T> {
    values: &'a mut [[T; MR]],
    places: &'a mut [u32],
    before: &'a mut [u32],
    count: &'a mut Count,
}

impl<T: Scalar> MicroPanelMut<'_, T> {
    /// Adds a line, or leaves it out.
    #[inline(always)]
    fn push(&mut self, line: [T; MR], keep: bool) {
        let Count { left, all } = *self.count;
        (self.values[left], self.places[left]) = (line, all as u32);
        // A sum, since branches here would be hard to foresee.
        *self.count = Count { left: left + usize::from(keep), all: all + 1 };
    }

    /// Adds the transpose of up to 8 rows, MASKED columns at a time; rows that are missing are 0.
    #[inline(always)]
    pub(crate) fn transpose<M: Microkernel<T>>(&mut self, rows: [&[T]; MR], skip_zeros: bool) {
        let depth = rows[0].len();
        for first in (0..depth).step_by(MASKED) {
            let mut parts = [[T::zero(); MASKED]; MR];
            for (part, row) in parts.iter_mut().zip(rows) {
                let row = row.get(first..).unwrap_or_default();
                match row.first_chunk::<MASKED>() {
                    Some(whole) => *part = *whole,
                    None => part[..row.len()].copy_from_slice(row),
                }
            }
            let on = parts.iter().fold(0, |on, part| on | M::nonzero(part));
            for k in 0..MASKED.min(depth - first) {
                let mut line = [T::zero(); MR];
                for (x, part) in line.iter_mut().zip(&parts) {
                    *x = part[k];
                }
                self.before[first + k] = self.count.left as u32;
                self.push(line, !skip_zeros || on >> k & 1 == 1);
            }
        }
    }
}

/// The MR columns that a micro-panel takes of rows, or fewer.
#[derive(Clone, Copy)]
pub(crate) enum Columns<'a> {
    /// Those that follow this one.
    From(usize),
    /// These.
    Each(&'a [u32]),
}

impl<'a> Columns<'a> {
    /// Those of a list of MR or fewer, which ascends.
    fn of_list(list: &'a [u32]) -> Self {
        match *list {
            [first, .., last] if list.len() == MR && (last - first) as usize == MR - 1 => {
                Columns::From(first as usize)
            }
            _ => Columns::Each(list),
        }
    }

    /// They, of one row; what is beyond it reads as 0.
    #[inline(always)]
    fn of<T: Scalar>(self, row: &[T]) -> [T; MR] {
        let mut line = [T::zero(); MR];
        match self {
            Columns::From(first) => {
                let row = row.get(first..).unwrap_or_default();
                match row.first_chunk::<MR>() {
                    Some(whole) => line = *whole,
                    None => line[..row.len()].copy_from_slice(row),
                }
            }
            Columns::Each(list) => {
                let values = list.iter().map(|&at| row.get(at as usize).copied().unwrap_or(T::zero()));
                line.iter_mut().zip(values).for_each(|(x, value)| *x = value);
            }
        }
        line
    }
}

/// The columns of all micro-panels of what places see, and which of these micro-panels each place has for each MR of its
/// features. Places that see the same MR features share theirs. Without fields one place sees everything.
pub(crate) fn columns(fields: Option<&Fields>, width: usize) -> (Vec<Columns<'_>>, Vec<u32>) {
    let Some(fields) = fields else {
        let all = 0..count::<MR>(width);
        return (
            all.clone().map(|index| Columns::From(index * MR)).collect(),
            all.map(|index| index as u32).collect(),
        );
    };
    let (mut columns, mut panels) = (Vec::new(), Vec::new());
    let mut known = vec![None; width];
    for list in (0..fields.places()).flat_map(|place| fields.list(place).chunks(MR)) {
        let own = Columns::of_list(list);
        let mut new = || {
            columns.push(own);
            (columns.len() - 1) as u32
        };
        panels.push(match own {
            Columns::From(first) => *known[first].get_or_insert_with(new),
            Columns::Each(_) => new(),
        });
    }
    (columns, panels)
}

/// Packs columns of these rows, those of each micro-panel into it; leaves lines of zeros out if `skip_zeros`. Some rows
/// at a time: they stay in cache, and lines that follow each other are written together.
#[inline(always)]
pub(crate) fn pack_columns_of_rows<T: Scalar>(
    rows: &[&[T]],
    micro_panels: &mut [(Columns, MicroPanelMut<T>)],
    skip_zeros: bool,
) {
    for rows in rows.chunks(MR) {
        for (columns, micro_panel) in &mut *micro_panels {
            for row in rows {
                let line = columns.of(row);
                let on = line.iter().fold(false, |any, x| any | (*x != T::zero()));
                micro_panel.push(line, !skip_zeros | on);
            }
        }
    }
}
