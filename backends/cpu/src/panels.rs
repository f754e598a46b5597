//! Panels: the right operand of a product, NR of its columns at a time, in the order in which tiles read it.

use std::ops::Range;

use ff_backend::host;

use crate::Scalar;
use crate::microkernel::{MR, NR};

/// How columns lie in panels: in groups of equally many, no two of which share a panel. The places of local weights are
/// groups; of dense ones there is one.
#[derive(Clone, Copy)]
pub(crate) struct Grouping {
    pub columns: usize,
    pub groups: usize,
}

impl Grouping {
    /// Columns of a group.
    fn wide(self) -> usize {
        self.columns / self.groups.max(1)
    }

    /// Panels of a group.
    fn panels_of_a_group(self) -> usize {
        count::<NR>(self.wide())
    }

    /// Panels of all groups.
    pub(crate) fn panels(self) -> usize {
        self.groups * self.panels_of_a_group()
    }

    /// The group of a panel.
    pub(crate) fn group_of(self, panel: usize) -> usize {
        panel / self.panels_of_a_group().max(1)
    }

    /// The columns of a panel.
    pub(crate) fn columns_of(self, panel: usize) -> Range<usize> {
        let group = self.group_of(panel);
        let first = (panel - group * self.panels_of_a_group()) * NR;
        group * self.wide() + first..group * self.wide() + self.wide().min(first + NR)
    }

    /// Every group in parts of `wide` columns, a multiple of NR, or less.
    pub(crate) fn parts(self, wide: usize) -> impl Iterator<Item = Range<usize>> {
        let (own, wide) = (self.wide(), wide.max(NR));
        let group = move |group: usize| {
            let parts = (0..own).step_by(wide);
            parts.map(move |first| group * own + first..group * own + own.min(first + wide))
        };
        (0..self.groups).flat_map(group)
    }
}

/// Weights, and their optimizer's moments: panels one after the other, each `[rows, NR]`. Zeros fill up the last one of
/// each group, and follow every panel's rows, so that a tile may begin in any row.
pub(crate) struct Panels<T> {
    memory: Vec<T>,
    /// Where a cache line begins, so that vectors lie in one.
    skip: usize,
    rows: usize,
    grouping: Grouping,
}

impl<T: Scalar> Panels<T> {
    /// All zeros; none if there is not so much memory.
    pub(crate) fn new(rows: usize, grouping: Grouping) -> Option<Self> {
        let count = grouping.panels().checked_mul(rows.checked_add(MR)?)?.checked_mul(NR)?;
        let mut memory = host::reserve(count.checked_add(LINE)?)?;
        let skip = begin(&mut memory, count);
        Some(Panels { memory, skip, rows, grouping })
    }

    pub(crate) fn extent(&self) -> (usize, usize) {
        (self.rows, self.grouping.columns)
    }

    pub(crate) fn grouping(&self) -> Grouping {
        self.grouping
    }

    /// Elements of a panel.
    fn space(&self) -> usize {
        (self.rows + MR) * NR
    }

    /// All elements, those that fill up too.
    pub(crate) fn values(&self) -> &[T] {
        &self.memory[self.skip..][..self.grouping.panels() * self.space()]
    }

    pub(crate) fn values_mut(&mut self) -> &mut [T] {
        let count = self.grouping.panels() * self.space();
        &mut self.memory[self.skip..][..count]
    }

    /// A panel's rows.
    pub(crate) fn panel(&self, index: usize) -> &[T] {
        &self.values()[index * self.space()..][..self.rows * NR]
    }

    /// Every panel in `count` blocks of `tall` rows, the first of which has `lead` rows more; the last has what is left.
    pub(crate) fn blocks(&mut self, lead: usize, tall: usize, count: usize) -> Vec<&mut [T]> {
        let space = self.space();
        let cut = |panel| {
            let (mut blocks, mut rest): (Vec<&mut [T]>, &mut [T]) = (Vec::with_capacity(count), panel);
            for index in 1..count {
                let rows = if index == 1 { lead + tall } else { tall };
                let (block, after) = rest.split_at_mut(rows * NR);
                blocks.push(block);
                rest = after;
            }
            blocks.push(rest);
            blocks
        };
        self.values_mut().chunks_exact_mut(space).flat_map(cut).collect()
    }

    /// Each group's weights with rows and columns exchanged, panel by panel as `each` runs them; none if there is not so
    /// much memory.
    pub(crate) fn transposed(&self, each: impl FnOnce(Vec<(usize, &mut [T])>, &Self)) -> Option<Self> {
        let groups = self.grouping.groups;
        let grouping = Grouping { columns: groups.checked_mul(self.rows)?, groups };
        let mut transposed = Panels::new(self.grouping.wide(), grouping)?;
        let space = transposed.space();
        let panels = transposed.values_mut().chunks_exact_mut(space.max(1)).enumerate().collect();
        each(panels, self);
        Some(transposed)
    }

    /// NR rows of a group's weights as the columns of panel `index` of the transposed.
    pub(crate) fn transpose_rows(&self, index: usize, out: &mut [T]) {
        let (across, down) = (self.grouping.panels_of_a_group(), count::<NR>(self.rows).max(1));
        let (group, index) = (index / down, index % down);
        let rows = index * NR..self.rows.min((index + 1) * NR);
        for (i, panel) in (group * across..(group + 1) * across).enumerate() {
            let source = &self.panel(panel)[rows.start * NR..rows.end * NR];
            let out = out[i * NR * NR..].as_chunks_mut::<NR>().0;
            for (column, out) in out.iter_mut().take(self.grouping.columns_of(panel).len()).enumerate() {
                out.iter_mut().zip(source.as_chunks::<NR>().0).for_each(|(out, row)| *out = row[column]);
            }
        }
    }

    /// Takes over row-major values.
    pub(crate) fn load(&mut self, values: &[T]) {
        let (grouping, space) = (self.grouping, self.space());
        for (panel, out) in self.values_mut().chunks_exact_mut(space).enumerate() {
            let columns = grouping.columns_of(panel);
            let rows = values.chunks_exact(grouping.columns.max(1)).map(|row| &row[..columns.end]);
            pack_columns::<T, NR>(rows, columns.start, out);
        }
    }

    /// The first `rows` rows, row-major.
    pub(crate) fn rows(&self, rows: usize) -> Vec<T> {
        let mut values = Vec::with_capacity(rows * self.grouping.columns);
        for row in 0..rows {
            for panel in 0..self.grouping.panels() {
                let wide = self.grouping.columns_of(panel).len();
                values.extend_from_slice(&self.panel(panel)[row * NR..][..wide]);
            }
        }
        values
    }
}

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

/// Number of panels of `N` that cover `extent`.
pub(crate) fn count<const N: usize>(extent: usize) -> usize {
    extent.div_ceil(N)
}

/// Bytes of a cache line.
const LINE: usize = 64;

/// Makes memory large enough for `count` elements; where the first cache line begins in it.
fn begin<T: Scalar>(memory: &mut Vec<T>, count: usize) -> usize {
    memory.resize(memory.len().max(count + LINE / size_of::<T>()), T::zero());
    memory.as_ptr().align_offset(LINE).min(memory.len() - count)
}

/// Memory for `count` elements, kept from step to step; it begins with a cache line, so that vectors lie in one.
pub(crate) fn room<T: Scalar>(memory: &mut Vec<T>, count: usize) -> &mut [T] {
    let skip = begin(memory, count);
    &mut memory[skip..skip + count]
}
