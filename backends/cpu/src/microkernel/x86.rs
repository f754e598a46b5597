//! The microkernel in AVX-512 and in AVX2 with FMA.

use std::arch::x86_64::*;

use super::vector::{Vector, accumulate, multiply, nonzero, read};
use super::{CHAINS, Interleaved, Kernel, MASKED, Microkernel, NR, Tile};
use crate::Scalar;
use crate::lists::List;
use crate::micro_panels::MicroPanel;

pub(super) fn has_avx512() -> bool {
    has_avx2()
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512bw")
}

pub(super) fn has_avx2() -> bool {
    is_x86_feature_detected!("fma") && is_x86_feature_detected!("avx2")
}

#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
pub(super) fn avx512<T: Scalar, K: Kernel<T>>(work: K) {
    work.run::<T::Avx512>();
}

#[target_feature(enable = "avx2,fma")]
pub(super) fn avx2<T: Scalar, K: Kernel<T>>(work: K) {
    work.run::<T::Avx2>();
}

macro_rules! microkernel {
    ($vector:ty, $scalar:ty, $lanes:literal, rows $rows:literal, $splat:ident, $load:ident, $store:ident,
     $multiply_add:ident, $multiply:ident, $add:ident, nonzero $x:ident $nonzero:expr) => {
        // SAFETY: the intrinsics of one instruction set on its own registers.
        unsafe impl Vector for $vector {
            type Element = $scalar;
            const LANES: usize = $lanes;
            #[inline(always)]
            unsafe fn splat(x: $scalar) -> Self {
                // SAFETY: the caller has the instruction set.
                unsafe { $splat(x) }
            }
            #[inline(always)]
            unsafe fn load(from: *const $scalar) -> Self {
                // SAFETY: the caller has the instruction set and the elements.
                unsafe { $load(from) }
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $scalar) {
                // SAFETY: the caller has the instruction set and the elements.
                unsafe { $store(to, self) }
            }
            #[inline(always)]
            unsafe fn multiply_add(self, x: Self, sum: Self) -> Self {
                // SAFETY: the caller has the instruction set.
                unsafe { $multiply_add(self, x, sum) }
            }
            #[inline(always)]
            unsafe fn multiply_then_add(self, x: Self, sum: Self) -> Self {
                // SAFETY: the caller has the instruction set.
                unsafe { $add($multiply(self, x), sum) }
            }
            #[inline(always)]
            unsafe fn nonzero(self) -> u32 {
                let $x = self;
                // SAFETY: the caller has the instruction set.
                unsafe { $nonzero }
            }
        }

        impl Microkernel<$scalar> for $vector {
            #[inline(always)]
            fn multiply(
                a: MicroPanel<$scalar>,
                b: &[$scalar],
                sums: &mut Tile<$scalar>,
                interleaved: &mut impl Interleaved,
            ) {
                // SAFETY: `InstructionSet::run` hands this out where the processor has it.
                unsafe { multiply::<$vector, $rows>(a, b, sums, interleaved) }
            }
            #[inline(always)]
            fn accumulate(list: List<$scalar>, b: &[$scalar], sums: &mut [$scalar; NR]) {
                // SAFETY: as above.
                unsafe { accumulate::<$vector, { NR / $lanes }>(list, b, sums) }
            }
            #[inline(always)]
            fn read(x: &[$scalar], b: &[$scalar], sums: &mut [[$scalar; MASKED]; CHAINS]) {
                // SAFETY: as above.
                unsafe { read::<$vector, { MASKED / $lanes }>(x, b, sums) }
            }
            #[inline(always)]
            fn nonzero(x: &[$scalar; MASKED]) -> u32 {
                // SAFETY: as above.
                unsafe { nonzero::<$vector>(x) }
            }
            #[inline(always)]
            fn fetch(values: &[$scalar], at: usize) {
                if let Some(value) = values.get(at) {
                    // SAFETY: a hint, about memory that is there.
                    unsafe { _mm_prefetch::<_MM_HINT_T1>((&raw const *value).cast()) };
                }
            }
        }
    };
}

microkernel!(__m512, f32, 16, rows 8, _mm512_set1_ps, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_fmadd_ps,
    _mm512_mul_ps, _mm512_add_ps, nonzero x u32::from(_mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(x, _mm512_setzero_ps())));
microkernel!(__m512d, f64, 8, rows 8, _mm512_set1_pd, _mm512_loadu_pd, _mm512_storeu_pd, _mm512_fmadd_pd,
    _mm512_mul_pd, _mm512_add_pd, nonzero x u32::from(_mm512_cmp_pd_mask::<_CMP_NEQ_UQ>(x, _mm512_setzero_pd())));
microkernel!(__m256, f32, 8, rows 4, _mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_fmadd_ps,
    _mm256_mul_ps, _mm256_add_ps, nonzero x _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_NEQ_UQ>(x, _mm256_setzero_ps())) as u32);
microkernel!(__m256d, f64, 4, rows 4, _mm256_set1_pd, _mm256_loadu_pd, _mm256_storeu_pd, _mm256_fmadd_pd,
    _mm256_mul_pd, _mm256_add_pd, nonzero x _mm256_movemask_pd(_mm256_cmp_pd::<_CMP_NEQ_UQ>(x, _mm256_setzero_pd())) as u32);
