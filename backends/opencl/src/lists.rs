//! Which elements of a matrix are not 0: most of an activity's are after an epoch, and products by lists visit only the
//! others.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use ff_backend::Result;

use crate::local::Seen;
use crate::memory::Buffer;
use crate::scratch::Slot;
use crate::{Matrix, OpenCl, Tile};

/// A tile of `project_by_lists`: `LIST_ROWS` and `LIST_WIDTH` of project_lists.cl.
pub(crate) const PROJECT: Tile = Tile { rows: 8, columns: 128, depth: 1 };
/// A tile of `learn_by_lists`: `TILE_FEATURES` and `TILE_COLUMNS` of learn_lists.cl.
pub(crate) const LEARN: Tile = Tile { rows: 32, columns: 128, depth: 1 };

/// A bit for each element that is not 0, `words` words of 32 a row.
pub(crate) struct Marked {
    pub(crate) buffer: Rc<Buffer>,
    pub(crate) words: usize,
}

/// The marks of a matrix, as long as it stays as it is.
#[derive(Default)]
pub(crate) struct Marks {
    buffer: RefCell<Option<Rc<Buffer>>>,
    valid: Cell<bool>,
}

impl Marks {
    /// The matrix has changed.
    pub(crate) fn forget(&self) {
        self.valid.set(false);
    }
}

impl OpenCl {
    /// Marks of a left operand of `rows` rows and `columns` columns.
    pub(crate) fn marks(&self, seen: &Seen, rows: usize, columns: usize) -> Result<Marked> {
        let words = columns.div_ceil(32);
        let marked = match seen {
            Seen::All(matrix) if matrix.marks.valid.get() => return self.marks_to_fill(matrix),
            Seen::All(matrix) => self.marks_to_fill(matrix)?,
            Seen::Laid(_) => Marked { buffer: self.scratch(Slot::SeenMarks, rows * words)?, words },
        };
        if let Some(lists) = &self.lists {
            let args = self.args().buffer(seen.buffer()).count(rows).count(columns).count(words);
            // Eight work-items make a word.
            let items = self.tuning.product_items()[0];
            let groups = [(rows * words).div_ceil(items / 8), 1];
            self.launch(&lists.mark, groups, [items, 1], args.buffer(&marked.buffer))?;
        }
        Ok(marked)
    }

    /// A matrix's marks, which are valid from the next launch on.
    pub(crate) fn marks_to_fill(&self, matrix: &Matrix) -> Result<Marked> {
        let words = matrix.columns.div_ceil(32);
        let bytes = matrix.rows.saturating_mul(words).saturating_mul(size_of::<u32>());
        let mut held = matrix.marks.buffer.borrow_mut();
        let buffer = match held.take().filter(|buffer| buffer.holds(bytes)) {
            Some(buffer) => buffer,
            None => {
                let what = || format!("marks of {} rows", matrix.rows);
                Rc::new(self.pool.zeros(&self.context, &self.queue, bytes, what)?)
            }
        };
        matrix.marks.valid.set(true);
        *held = Some(Rc::clone(&buffer));
        Ok(Marked { buffer, words })
    }
}
