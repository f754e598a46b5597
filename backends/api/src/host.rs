//! What backends in host memory have in common: lists and images, the processor's name, its memory, allocations that
//! may fail.

use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use crate::{Backend, BackendError, IndexSlice, Result, Shape, shapes};

/// A list of u32 in host memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Indices(pub Vec<u32>);

impl Indices {
    /// `target[..values.len()]` ← `values`; entries beyond stay as they are.
    ///
    /// # Errors
    /// [`BackendError::Shape`] where there are more values than entries.
    pub fn upload(&mut self, values: &[u32]) -> Result<()> {
        shapes::upload_indices(self, values.len())?;
        self.0[..values.len()].copy_from_slice(values);
        Ok(())
    }
}

impl Shape for Indices {
    fn rows(&self) -> usize {
        1
    }
    fn columns(&self) -> usize {
        self.0.len()
    }
}

impl<B: Backend<Indices = Indices>> IndexSlice<'_, B> {
    /// Entry `row` of the slice. Panics beyond the list's end, which the checks of [`shapes`] rule out.
    pub fn entry(&self, row: usize) -> usize {
        self.indices.0[self.offset + row] as usize
    }
}

/// Bytes of images that a data set and backends in host memory share; whoever changes them gets a copy of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pixels(Arc<Vec<u8>>);

impl From<Vec<u8>> for Pixels {
    fn from(bytes: Vec<u8>) -> Self {
        Pixels(Arc::new(bytes))
    }
}

impl Deref for Pixels {
    type Target = Vec<u8>;
    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl DerefMut for Pixels {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        Arc::make_mut(&mut self.0)
    }
}

/// u8 images in host memory.
#[derive(Clone, Debug)]
pub struct Images {
    /// `[count, height, width]`.
    pub pixels: Pixels,
    /// Number of images.
    pub count: usize,
    /// Rows of pixels of an image.
    pub height: usize,
    /// Pixels of such a row.
    pub width: usize,
}

impl Images {
    /// Images of `height · width` pixels from their concatenated bytes, which are not copied.
    ///
    /// # Errors
    /// [`BackendError::Shape`] where the bytes are no whole number of images.
    pub fn new(pixels: &Pixels, height: usize, width: usize) -> Result<Self> {
        let count = shapes::images(pixels.len(), height, width)?;
        Ok(Images { pixels: pixels.clone(), count, height, width })
    }

    /// Pixel (y, x) of an image, / 255; 0 beyond the image.
    pub fn pixel(&self, image: usize, y: isize, x: isize) -> f64 {
        let inside = (0..self.height as isize).contains(&y) && (0..self.width as isize).contains(&x);
        if !inside {
            return 0.0;
        }
        f64::from(self.pixels[(image * self.height + y as usize) * self.width + x as usize]) / 255.0
    }
}

impl Shape for Images {
    fn rows(&self) -> usize {
        self.count
    }
    fn columns(&self) -> usize {
        self.height * self.width
    }
}

/// The processor's name, or the architecture's where that is unknown.
pub fn processor_name() -> String {
    let described = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = described.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    name.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.trim().to_owned())
}

/// Bytes of the host's memory; 0 where unknown.
pub fn memory_bytes() -> u64 {
    let described = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = described
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse::<u64>().ok());
    kib.map_or(0, |kib| kib * 1024)
}

/// rows · columns zeros, for the backend of that name.
///
/// # Errors
/// [`BackendError::OutOfMemory`] where the allocator refuses.
pub fn zeros<T: Clone + Default>(rows: usize, columns: usize, backend: &str) -> Result<Vec<T>> {
    let refused = || out_of_memory::<T>(rows, columns, backend);
    let count = rows.checked_mul(columns).ok_or_else(refused)?;
    let mut values = reserve(count).ok_or_else(refused)?;
    values.resize(count, T::default());
    Ok(values)
}

thread_local! {
    static REFUSAL_IS_HANDLED: Cell<bool> = const { Cell::new(false) };
}

/// An empty vector with space for `count` values; `None` where the allocator refuses.
pub fn reserve<T>(count: usize) -> Option<Vec<T>> {
    let mut values = Vec::new();
    REFUSAL_IS_HANDLED.set(true);
    let reserved = values.try_reserve_exact(count);
    REFUSAL_IS_HANDLED.set(false);
    reserved.ok().map(|()| values)
}

/// Whether this thread is in [`reserve`]. An allocator that ends the program where memory is refused does not do so
/// then.
pub fn refusal_is_handled() -> bool {
    REFUSAL_IS_HANDLED.get()
}

/// The error of a matrix that there is no memory for.
pub fn out_of_memory<T>(rows: usize, columns: usize, backend: &str) -> BackendError {
    BackendError::OutOfMemory {
        what: format!("a {rows} × {columns} matrix"),
        wanted_bytes: rows.saturating_mul(columns).saturating_mul(size_of::<T>()),
        held_bytes: 0,
        device: backend.into(),
    }
}
