//! What backends in host memory have in common: the processor's name, its memory, allocations that may fail.

use std::cell::Cell;

use crate::{BackendError, Result};

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
