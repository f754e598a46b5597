//! What a backend holds on its device.

use std::cell::Cell;
use std::rc::Rc;

use ff_backend::{Backend, BackendError, Connected, Fields, Result, Shape, Tensor, shapes};

use crate::codes::{failure, is_of_memory};
use crate::driver::{Context, Memory, Queue};
use crate::lists::Marks;
use crate::local::Local;
use crate::{Candidate, OpenCl};

/// Bytes behind the end of every buffer that a kernel may read, though not use: a vector's width.
const MARGIN: usize = 64;

/// Memory on the device, counted while it is held.
pub(crate) struct Buffer {
    pub(crate) memory: Memory,
    bytes: usize,
    held: Rc<Cell<usize>>,
}

impl Buffer {
    pub(crate) fn holds(&self, bytes: usize) -> bool {
        bytes + MARGIN <= self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.held.set(self.held.get() - self.bytes);
    }
}

/// Where buffers come from.
pub(crate) struct Pool {
    held: Rc<Cell<usize>>,
    device: String,
    memory_bytes: u64,
    largest_buffer_bytes: u64,
}

impl Pool {
    pub(crate) fn new(candidate: &Candidate) -> Self {
        Pool {
            held: Rc::default(),
            device: candidate.name.clone(),
            memory_bytes: candidate.memory_bytes,
            largest_buffer_bytes: candidate.largest_buffer_bytes,
        }
    }

    /// `wanted` bytes of zeros, for `what`.
    pub(crate) fn zeros(
        &self,
        context: &Context,
        queue: &Queue,
        wanted: usize,
        what: impl Fn() -> String,
    ) -> Result<Buffer> {
        let held_bytes = self.held.get();
        let too_much = || BackendError::OutOfMemory {
            what: what(),
            wanted_bytes: wanted,
            held_bytes,
            device: self.device.clone(),
        };
        let bytes = wanted.checked_next_multiple_of(MARGIN).and_then(|bytes| bytes.checked_add(MARGIN));
        let bytes = bytes.ok_or_else(too_much)?;
        // Drivers that overcommit would fail only when the memory is touched.
        let total = bytes.checked_add(held_bytes).ok_or_else(too_much)? as u64;
        if bytes as u64 > self.largest_buffer_bytes || self.memory_bytes > 0 && total > self.memory_bytes {
            return Err(too_much());
        }
        // What went wrong before, and shows here, is not for want of memory.
        let failed = |code| if is_of_memory(code) { too_much() } else { failure(code, "allocate") };
        let memory = context.memory(bytes).map_err(failed)?;
        // Many drivers allocate here.
        queue.clear(&memory).map_err(failed)?;
        self.held.set(held_bytes + bytes);
        Ok(Buffer { memory, bytes, held: Rc::clone(&self.held) })
    }
}

/// A row-major matrix of f32 on the device: also weights are one.
pub struct Matrix {
    pub(crate) buffer: Buffer,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) parts: Parts,
    pub(crate) marks: Marks,
    /// What the units of local weights see.
    pub(crate) local: Option<Rc<Local>>,
}

/// Sums of squares as `project` leaves them: one part for each of its tiles in a row, `[count, columns]`. Who reads
/// them adds them up: a launch is saved. The matrix itself is not valid before they are added up.
#[derive(Default)]
pub(crate) struct Parts {
    buffer: Option<Buffer>,
    /// 0: the matrix is valid.
    count: Cell<usize>,
}

impl Parts {
    /// The matrix is valid from now on.
    pub(crate) fn forget(&self) {
        self.count.set(0);
    }
}

impl Matrix {
    /// What was noted of its elements holds no more.
    pub(crate) fn changed(&self) {
        self.parts.forget();
        self.marks.forget();
    }

    /// Where the matrix or its parts lie, and how many parts there are.
    pub(crate) fn in_parts(&self) -> (&Buffer, usize) {
        match (&self.parts.buffer, self.parts.count.get()) {
            (Some(parts), count @ 1..) => (parts, count),
            _ => (&self.buffer, 1),
        }
    }
}

impl OpenCl {
    /// Room for `count` parts of `squares`, which stand for it from the next launch on.
    pub(crate) fn parts<'a>(&self, squares: &'a mut Matrix, count: usize) -> Result<&'a Buffer> {
        let bytes = count.saturating_mul(squares.columns).saturating_mul(size_of::<f32>());
        let held = squares.parts.buffer.take().filter(|buffer| buffer.holds(bytes));
        let buffer = match held {
            Some(buffer) => buffer,
            None => {
                let what = || format!("{count} parts of {} sums of squares", squares.columns);
                self.pool.zeros(&self.context, &self.queue, bytes, what)?
            }
        };
        squares.parts.count.set(count);
        Ok(squares.parts.buffer.insert(buffer))
    }

    /// Makes a matrix valid whose parts were not added up yet.
    pub(crate) fn add_parts(&self, squares: &Matrix) -> Result<()> {
        if squares.parts.count.get() > 0 {
            let args = self.args().squares(squares).buffer(&squares.buffer);
            self.launch_elements(&self.small.add_parts, squares.columns, args)?;
            squares.parts.forget();
        }
        Ok(())
    }
}

impl Tensor<OpenCl> for Matrix {
    fn zeros(backend: &OpenCl, rows: usize, columns: usize) -> Result<Self> {
        let bytes = rows.saturating_mul(columns).saturating_mul(size_of::<f32>());
        let what = || format!("a matrix of {rows} × {columns}");
        let OpenCl { pool, context, queue, .. } = backend;
        Ok(Matrix {
            buffer: pool.zeros(context, queue, bytes, what)?,
            rows,
            columns,
            parts: Parts::default(),
            marks: Marks::default(),
            local: None,
        })
    }

    fn like(&self, backend: &OpenCl) -> Result<Self> {
        Ok(Matrix { local: self.local.clone(), ..backend.zeros(self.rows, self.columns)? })
    }

    fn upload(&mut self, backend: &OpenCl, values: &[f32]) -> Result<()> {
        shapes::upload(self, values.len())?;
        self.changed();
        if values.is_empty() { Ok(()) } else { backend.queue.write(&self.buffer.memory, values) }
    }

    fn download(&self, backend: &OpenCl) -> Result<Vec<f32>> {
        backend.add_parts(self)?;
        match self.elements() {
            0 => backend.queue.finish().map(|()| Vec::new()),
            count => backend.queue.read(&self.buffer.memory, count),
        }
    }

    fn copy(&self, backend: &OpenCl, target: &mut Self) -> Result<()> {
        shapes::copy_weight(self, target)?;
        backend.add_parts(self)?;
        target.changed();
        match self.elements() * size_of::<f32>() {
            0 => Ok(()),
            bytes => backend.queue.copy(&self.buffer.memory, &target.buffer.memory, bytes),
        }
    }
}

impl Connected for Matrix {
    fn fields(&self) -> Option<&Fields> {
        self.local.as_ref().map(|local| &local.fields)
    }
}

impl Shape for Matrix {
    fn rows(&self) -> usize {
        self.rows
    }
    fn columns(&self) -> usize {
        self.columns
    }
}

/// A list of u32 on the device.
pub struct Indices {
    pub(crate) buffer: Buffer,
    pub(crate) len: usize,
}

impl Shape for Indices {
    fn rows(&self) -> usize {
        1
    }
    fn columns(&self) -> usize {
        self.len
    }
}

/// u8 images on the device.
pub struct Images {
    pub(crate) buffer: Buffer,
    pub(crate) count: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
}

impl Shape for Images {
    fn rows(&self) -> usize {
        self.count
    }
    fn columns(&self) -> usize {
        self.height * self.width
    }
}
