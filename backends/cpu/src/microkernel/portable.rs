//! The microkernel in plain Rust: for processors without FMA, and for other architectures.

use super::vector::{Vector, accumulate, multiply, nonzero, read};
use super::{CHAINS, Interleaved, MASKED, Microkernel, NR, Tile};
use crate::Scalar;
use crate::lists::List;
use crate::micro_panels::MicroPanel;

/// Vectors of the compiler's making.
pub(crate) struct Portable;

/// Elements of a vector.
const LANES: usize = 8;

// SAFETY: plain arrays; every processor has them.
unsafe impl<T: Scalar> Vector for [T; LANES] {
    type Element = T;
    const LANES: usize = LANES;
    #[inline(always)]
    unsafe fn splat(x: T) -> Self {
        [x; LANES]
    }
    #[inline(always)]
    unsafe fn load(from: *const T) -> Self {
        // SAFETY: the caller has the elements; an array is aligned as its elements are.
        unsafe { from.cast::<Self>().read() }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut T) {
        // SAFETY: as above.
        unsafe { to.cast::<Self>().write(self) }
    }
    #[inline(always)]
    unsafe fn multiply_add(self, x: Self, sum: Self) -> Self {
        std::array::from_fn(|i| multiply_add(self[i], x[i], sum[i]))
    }
    #[inline(always)]
    unsafe fn multiply_then_add(self, x: Self, sum: Self) -> Self {
        std::array::from_fn(|i| self[i] * x[i] + sum[i])
    }
    #[inline(always)]
    unsafe fn nonzero(self) -> u32 {
        self.iter().enumerate().fold(0, |mask, (i, x)| mask | u32::from(*x != T::zero()) << i)
    }
}

/// a · x + sum. Without an instruction for it, a fused multiply-add is a call that takes a hundred times as long.
#[inline(always)]
pub(super) fn multiply_add<T: Scalar>(a: T, x: T, sum: T) -> T {
    if cfg!(any(target_feature = "fma", target_arch = "aarch64")) { a.mul_add(x, sum) } else { a * x + sum }
}

impl<T: Scalar> Microkernel<T> for Portable {
    #[inline(always)]
    fn multiply(a: MicroPanel<T>, b: &[T], sums: &mut Tile<T>, interleaved: &mut impl Interleaved) {
        // SAFETY: every processor has plain arrays.
        unsafe { multiply::<[T; LANES], 2>(a, b, sums, interleaved) }
    }
    #[inline(always)]
    fn accumulate(list: List<T>, b: &[T], sums: &mut [T; NR]) {
        // SAFETY: as above.
        unsafe { accumulate::<[T; LANES], { NR / LANES }>(list, b, sums) }
    }
    #[inline(always)]
    fn read(x: &[T], b: &[T], sums: &mut [[T; MASKED]; CHAINS]) {
        // SAFETY: as above.
        unsafe { read::<[T; LANES], { MASKED / LANES }>(x, b, sums) }
    }
    #[inline(always)]
    fn nonzero(x: &[T; MASKED]) -> u32 {
        // SAFETY: as above.
        unsafe { nonzero::<[T; LANES]>(x) }
    }
    #[inline(always)]
    fn fetch(_values: &[T], _at: usize) {}
}
