//! Lists of the units that are on: what is left of a matrix of activities, almost all of which are 0.

use crate::Scalar;
use crate::microkernel::{Kernel, MASKED, Microkernel};

/// Columns of a block: products visit a block of all rows before the next one, so that the weights of a block stay in
/// cache.
pub const KC: usize = 256;

/// Entries in ascending order of `at`, all that are not 0: element `at[i]` is `values[i]`.
#[derive(Clone, Copy)]
pub struct List<'a, T> {
    pub at: &'a [u32],
    pub values: &'a [T],
}

/// The list of every row of a matrix, cut into blocks of KC columns.
#[derive(Default)]
pub(crate) struct Lists<T> {
    columns: usize,
    /// A slot of `columns` entries for each row. Memory that no entry has reached is not touched.
    at: Vec<u32>,
    values: Vec<T>,
    /// Of each row, where each block's entries end in the row's slot.
    ends: Vec<u32>,
    /// Whether the entries were written, or only counted.
    complete: bool,
}

/// The list of a row, to be filled.
pub(crate) struct RowMut<'a, T> {
    at: &'a mut [u32],
    values: &'a mut [T],
    ends: &'a mut [u32],
    complete: bool,
}

impl<T: Scalar> Lists<T> {
    /// Empty lists of so many rows.
    pub(crate) fn new(rows: usize, columns: usize) -> Self {
        let (slots, blocks) = (rows * columns, columns.div_ceil(KC));
        Lists {
            columns,
            at: vec![0; slots],
            values: vec![T::zero(); slots],
            ends: vec![0; rows * blocks],
            complete: true,
        }
    }

    /// Empty lists of so many rows, in memory that is kept from step to step.
    pub(crate) fn reset(&mut self, rows: usize, columns: usize) {
        if self.at.len() < rows * columns {
            *self = Lists::new(rows, columns);
        }
        (self.columns, self.complete) = (columns, true);
        self.ends.clear();
        self.ends.resize(rows * self.blocks(), 0);
    }

    /// Whether there are entries, and not only their counts.
    pub(crate) fn are_complete(&self) -> bool {
        self.complete
    }

    /// Decides from the counts of the batch before whether the next one is listed, or only counted: lists that no
    /// product will use cost time too.
    pub(crate) fn list_up_to(&mut self, share: f64) {
        let rows = self.ends.len() / self.blocks().max(1);
        let on: usize = (0..rows).map(|row| self.count(row)).sum();
        self.complete = on as f64 <= share * (rows * self.columns) as f64;
    }

    /// Blocks of a row.
    pub(crate) fn blocks(&self) -> usize {
        self.columns.div_ceil(KC)
    }

    /// Every row's list.
    pub(crate) fn rows_mut(&mut self) -> impl Iterator<Item = RowMut<'_, T>> {
        let complete = self.complete;
        let blocks = self.blocks().max(1);
        let slots = self.at.chunks_mut(self.columns.max(1)).zip(self.values.chunks_mut(self.columns.max(1)));
        let rows = slots.zip(self.ends.chunks_mut(blocks));
        rows.map(move |((at, values), ends)| RowMut { at, values, ends, complete })
    }

    /// The entries of a row in block `block`.
    #[inline(always)]
    pub(crate) fn list(&self, row: usize, block: usize) -> List<'_, T> {
        let ends = &self.ends[row * self.blocks()..];
        let begin = if block == 0 { 0 } else { ends[block - 1] as usize };
        let part = row * self.columns + begin..row * self.columns + ends[block] as usize;
        List { at: &self.at[part.clone()], values: &self.values[part] }
    }

    /// All entries of a row.
    #[inline(always)]
    pub(crate) fn row(&self, row: usize) -> List<'_, T> {
        let part = row * self.columns..row * self.columns + self.count(row);
        List { at: &self.at[part.clone()], values: &self.values[part] }
    }

    /// Number of entries of a row.
    pub(crate) fn count(&self, row: usize) -> usize {
        let blocks = self.blocks();
        if blocks == 0 { 0 } else { self.ends[(row + 1) * blocks - 1] as usize }
    }
}

impl<T: Scalar> RowMut<'_, T> {
    /// Lists what is not 0 in a row, or only counts it.
    #[inline(always)]
    pub(crate) fn take<M: Microkernel<T>>(&mut self, row: &[T]) {
        if self.complete { self.list::<M>(row) } else { self.count::<M>(row) }
    }

    #[inline(always)]
    fn count<M: Microkernel<T>>(&mut self, row: &[T]) {
        let (chunks, rest) = row.as_chunks::<MASKED>();
        let on = chunks.iter().map(|chunk| M::nonzero(chunk).count_ones()).sum::<u32>();
        if let Some(end) = self.ends.last_mut() {
            *end = on + rest.iter().filter(|value| **value != T::zero()).count() as u32;
        }
    }

    #[inline(always)]
    fn list<M: Microkernel<T>>(&mut self, row: &[T]) {
        let mut count = 0;
        for ((block, row), end) in row.chunks(KC).enumerate().zip(&mut *self.ends) {
            let (chunks, rest) = row.as_chunks::<MASKED>();
            let mut first = block * KC;
            for chunk in chunks {
                let mut mask = M::nonzero(chunk);
                while mask != 0 {
                    let i = mask.trailing_zeros() as usize % MASKED;
                    self.at[count] = (first + i) as u32;
                    self.values[count] = chunk[i];
                    count += 1;
                    mask &= mask - 1;
                }
                first += MASKED;
            }
            for (i, &value) in rest.iter().enumerate() {
                if value != T::zero() {
                    self.at[count] = (first + i) as u32;
                    self.values[count] = value;
                    count += 1;
                }
            }
            *end = count as u32;
        }
    }
}

/// One row, from its activities to their list.
pub(crate) struct ListRow<'a, 'b, T> {
    pub list: &'a mut RowMut<'b, T>,
    pub row: &'a [T],
}

impl<T: Scalar> Kernel<T> for ListRow<'_, '_, T> {
    #[inline(always)]
    fn run<M: Microkernel<T>>(self) {
        self.list.take::<M>(self.row);
    }
}

/// The list of every column of some rows: the rows in which it is on.
pub(crate) struct ColumnLists<T> {
    /// Entries that a column has room for.
    room: usize,
    at: Vec<u32>,
    values: Vec<T>,
    counts: Vec<u32>,
}

impl<T> Default for ColumnLists<T> {
    fn default() -> Self {
        ColumnLists { room: 0, at: Vec::new(), values: Vec::new(), counts: Vec::new() }
    }
}

/// The lists of a block's columns, to be filled.
pub(crate) struct ColumnsMut<'a, T> {
    /// Number of the first column.
    first: usize,
    room: usize,
    at: &'a mut [u32],
    values: &'a mut [T],
    counts: &'a mut [u32],
}

impl<T: Scalar> ColumnLists<T> {
    /// Empty lists of `columns` columns for up to `room` rows, in blocks of KC.
    pub(crate) fn blocks(&mut self, columns: usize, room: usize) -> impl Iterator<Item = ColumnsMut<'_, T>> {
        let room = room.max(1);
        let slots = columns * room;
        if self.at.len() < slots {
            // Fresh memory rather than longer: what is not touched costs nothing.
            (self.at, self.values) = (vec![0; slots], vec![T::zero(); slots]);
        }
        self.room = room;
        self.counts.clear();
        self.counts.resize(columns, 0);
        let slots = self.at.chunks_mut(KC * room).zip(self.values.chunks_mut(KC * room));
        let blocks = slots.zip(self.counts.chunks_mut(KC)).enumerate();
        blocks.map(move |(block, ((at, values), counts))| ColumnsMut {
            first: block * KC,
            room,
            at,
            values,
            counts,
        })
    }

    /// The rows in which a column is on; of no column, none.
    #[inline(always)]
    pub(crate) fn list(&self, column: Option<usize>) -> List<'_, T> {
        let Some(column) = column else { return List { at: &[], values: &[] } };
        let part = column * self.room..column * self.room + self.counts[column] as usize;
        List { at: &self.at[part.clone()], values: &self.values[part] }
    }
}

impl<T: Scalar> ColumnsMut<'_, T> {
    /// Adds a row, whose number is larger than those before: its entries among these columns.
    pub(crate) fn add(&mut self, row: usize, list: List<T>) {
        for (&at, &value) in list.at.iter().zip(list.values) {
            let column = at as usize - self.first;
            let slot = column * self.room + self.counts[column] as usize;
            self.at[slot] = row as u32;
            self.values[slot] = value;
            self.counts[column] += 1;
        }
    }

    /// Adds a whole row, zeros left out.
    pub(crate) fn add_dense(&mut self, row: usize, values: &[T]) {
        for (at, &value) in values.iter().enumerate().skip(self.first).take(self.counts.len()) {
            if value != T::zero() {
                self.add(row, List { at: &[at as u32], values: &[value] });
            }
        }
    }
}
