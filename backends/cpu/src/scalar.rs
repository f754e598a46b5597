//! What a matrix of this backend may hold, and how tiles of it are shared out.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64;
use std::sync::{Mutex, PoisonError};

use ff_backend::Real;
use ndarray::NdFloat;

use crate::Cpu;
#[cfg(target_arch = "x86_64")]
use crate::microkernel::Microkernel;
use crate::operations::Operations;

/// f32, or f64 for gradient checks.
pub trait Scalar: Real + NdFloat + Operations {
    /// The name of the precision.
    const NAME: &'static str;
    /// Vectors of 512 bits of it.
    #[cfg(target_arch = "x86_64")]
    type Avx512: Microkernel<Self>;
    /// Vectors of 256 bits of it.
    #[cfg(target_arch = "x86_64")]
    type Avx2: Microkernel<Self>;
    /// As [`Real::to_f64`], whose name num-traits has too.
    fn widened(self) -> f64 {
        Real::to_f64(self)
    }
}

impl Scalar for f32 {
    const NAME: &'static str = "fp32";
    #[cfg(target_arch = "x86_64")]
    type Avx512 = x86_64::__m512;
    #[cfg(target_arch = "x86_64")]
    type Avx2 = x86_64::__m256;
}

impl Scalar for f64 {
    const NAME: &'static str = "fp64";
    #[cfg(target_arch = "x86_64")]
    type Avx512 = x86_64::__m512d;
    #[cfg(target_arch = "x86_64")]
    type Avx2 = x86_64::__m256d;
}

impl<T: Scalar> Cpu<T> {
    /// Runs `work` on every item, shared between the threads.
    pub(crate) fn each<I: Send>(&self, items: Vec<I>, work: impl Fn(I) + Sync + Send) {
        self.each_by(items, |_, item| work(item));
    }

    /// As [`Cpu::each`]; `work` is also told the number of its thread.
    ///
    /// The caller is thread 0 and begins at once; the others join in as they wake up.
    pub(crate) fn each_by<I: Send>(&self, items: Vec<I>, work: impl Fn(usize, I) + Sync + Send) {
        let threads = self.threads.min(items.len());
        let queue = Mutex::new(items.into_iter());
        let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        let take_all = |thread| {
            while let Some(item) = next() {
                work(thread, item);
            }
        };
        if threads < 2 {
            return take_all(0);
        }
        let take_all = &take_all;
        self.pool.in_place_scope(|scope| {
            for thread in 1..threads {
                scope.spawn(move |_| take_all(thread));
            }
            take_all(0);
        });
    }

    /// Threads worth waking for elementwise work on so many elements.
    pub(crate) fn threads_for(&self, elements: usize) -> usize {
        // About 5 µs of work, less than it takes a thread to wake up.
        const FEWEST: usize = 16 * 1024;
        (elements / FEWEST).clamp(1, self.threads)
    }

    /// Rows of a part when `rows` are shared between `threads`.
    pub(crate) fn rows_per_part(rows: usize, threads: usize) -> usize {
        rows.div_ceil(threads).max(1)
    }
}
