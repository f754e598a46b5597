//! Memory that operations share between their own launches. The queue is in order, so one of each will do.

use std::cell::RefCell;
use std::rc::Rc;

use ff_backend::Result;

use crate::OpenCl;
use crate::memory::Buffer;

/// What a piece of scratch memory is for.
#[derive(Clone, Copy)]
pub(crate) enum Slot {
    /// Stands for what a kernel does not read.
    Nothing,
    /// Scales of input rows.
    Scales,
    /// Input rows that take part in a gradient.
    Active,
    /// How many they are.
    Count,
    /// Mean of a peer's means; it may be a double.
    MeanOfMeans,
    /// Sum of the rows that a peer pulls.
    PullRow,
    /// What it pulls them by.
    PullLine,
    /// Weights with rows and columns exchanged.
    Transposed,
    /// Rows less their mean, of length one.
    Centred,
    /// How alike they are.
    Similarities,
    /// What that asks of each.
    Pull,
    /// What the places of a local layer see.
    Seen,
    /// What they send back.
    SentBack,
    /// Marks of what they see.
    SeenMarks,
}

/// A buffer for each slot, as large as was ever needed.
#[derive(Default)]
pub(crate) struct Scratch(RefCell<[Option<Rc<Buffer>>; 14]>);

impl OpenCl {
    /// At least `count` numbers of four bytes.
    pub(crate) fn scratch(&self, slot: Slot, count: usize) -> Result<Rc<Buffer>> {
        let bytes = count.saturating_mul(size_of::<f32>());
        let held = &mut self.scratch.0.borrow_mut()[slot as usize];
        match held {
            Some(buffer) if buffer.holds(bytes) => Ok(Rc::clone(buffer)),
            _ => {
                let what = || format!("{count} intermediate numbers");
                let buffer = Rc::new(self.pool.zeros(&self.context, &self.queue, bytes, what)?);
                *held = Some(Rc::clone(&buffer));
                Ok(buffer)
            }
        }
    }
}
