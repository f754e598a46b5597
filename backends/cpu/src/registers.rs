//! Vector registers, and the one loop that products are made of.
//!
//! A tile is 8 × 32 sums, and each is added up over k in order, by fused multiply-adds, whatever the registers are:
//! numbers depend neither on threads, nor on how a matrix is cut, nor on which processor with FMA it is.

use crate::Scalar;
use crate::strips::Strip;

/// Rows of a tile.
pub const TALL: usize = 8;
/// Columns of a tile.
pub const WIDE: usize = 32;

/// The sums of a tile.
pub type Tile<T> = [[T; WIDE]; TALL];

/// Work that multiplies panels, compiled once for each kind of register.
pub trait PanelWork<T: Scalar> {
    /// The work; implementations are `#[inline(always)]`, so that all of it uses its caller's vectors.
    fn run<R: Registers<T>>(self);
}

/// Work that waits on memory or divides: between multiplications it costs little.
pub trait Aside {
    /// Parts of the work.
    const PIECES: usize;
    /// Does one part; `#[inline(always)]`, since a call would empty the registers.
    fn piece(&mut self, piece: usize);
}

/// Nothing to do aside.
impl Aside for () {
    const PIECES: usize = 1;
    #[inline(always)]
    fn piece(&mut self, _piece: usize) {}
}

/// Vector registers that hold `T`. Only [`Processor`] hands them out, where the processor has them.
pub trait Registers<T: Scalar> {
    /// sums += Σ a[k]ᵀ b[k] over the lines k of a strip, b a panel `[depth, 32]`. Each piece of the work `aside` is
    /// done on the way.
    fn multiply(a: Strip<T>, b: &[T], sums: &mut Tile<T>, aside: &mut impl Aside);

    /// Fetches the cache line of `values[at]` into the second-level cache, if there is such an element.
    fn fetch(values: &[T], at: usize);
}

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::Processor;

#[cfg(not(target_arch = "x86_64"))]
pub(crate) use elsewhere::Processor;

#[cfg(target_arch = "x86_64")]
pub(crate) mod x86 {
    use std::arch::x86_64::*;

    use super::{Aside, PanelWork, Registers, TALL, Tile, WIDE};
    use crate::Scalar;
    use crate::strips::Strip;

    /// A processor that multiplies tiles.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum Processor {
        /// 32 registers of 512 bits.
        Avx512,
        /// 16 registers of 256 bits.
        Avx2,
    }

    impl Processor {
        /// The widest registers of this one.
        pub(crate) fn detect() -> Option<Self> {
            if !is_x86_feature_detected!("fma") || !is_x86_feature_detected!("avx2") {
                return None;
            }
            let all = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512bw");
            Some(if all { Processor::Avx512 } else { Processor::Avx2 })
        }

        /// Does the work with its registers.
        #[inline]
        pub(crate) fn run<T: Scalar>(self, work: impl PanelWork<T>) {
            #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
            fn avx512<T: Scalar, W: PanelWork<T>>(work: W) {
                work.run::<T::Avx512>();
            }
            #[target_feature(enable = "avx2,fma")]
            fn avx2<T: Scalar, W: PanelWork<T>>(work: W) {
                work.run::<T::Avx2>();
            }
            match self {
                // SAFETY: `detect` found the features.
                Processor::Avx512 => unsafe { avx512(work) },
                Processor::Avx2 => unsafe { avx2(work) },
            }
        }
    }

    /// One register.
    trait Vector: Copy {
        type Element: Copy;
        const LANES: usize;
        unsafe fn splat(x: Self::Element) -> Self;
        unsafe fn load(from: *const Self::Element) -> Self;
        unsafe fn store(self, to: *mut Self::Element);
        /// self · x + sum, rounded once.
        unsafe fn multiply_add(self, x: Self, sum: Self) -> Self;
    }

    macro_rules! vector {
        ($vector:ty, $scalar:ty, $lanes:literal, $rows:literal, $splat:ident, $load:ident, $store:ident,
         $multiply_add:ident) => {
            impl Vector for $vector {
                type Element = $scalar;
                const LANES: usize = $lanes;
                #[inline(always)]
                unsafe fn splat(x: $scalar) -> Self {
                    unsafe { $splat(x) }
                }
                #[inline(always)]
                unsafe fn load(from: *const $scalar) -> Self {
                    unsafe { $load(from) }
                }
                #[inline(always)]
                unsafe fn store(self, to: *mut $scalar) {
                    unsafe { $store(to, self) }
                }
                #[inline(always)]
                unsafe fn multiply_add(self, x: Self, sum: Self) -> Self {
                    unsafe { $multiply_add(self, x, sum) }
                }
            }

            impl Registers<$scalar> for $vector {
                #[inline(always)]
                fn multiply(
                    a: Strip<$scalar>,
                    b: &[$scalar],
                    sums: &mut Tile<$scalar>,
                    aside: &mut impl Aside,
                ) {
                    multiply::<$vector, $rows>(a, b, sums, aside);
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
    vector!(__m512, f32, 16, 8, _mm512_set1_ps, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_fmadd_ps);
    vector!(__m512d, f64, 8, 8, _mm512_set1_pd, _mm512_loadu_pd, _mm512_storeu_pd, _mm512_fmadd_pd);
    vector!(__m256, f32, 8, 4, _mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_fmadd_ps);
    vector!(__m256d, f64, 4, 4, _mm256_set1_pd, _mm256_loadu_pd, _mm256_storeu_pd, _mm256_fmadd_pd);

    /// The tile in blocks of ROWS × 2 registers.
    #[inline(always)]
    fn multiply<V: Vector, const ROWS: usize>(
        a: Strip<V::Element>,
        b: &[V::Element],
        sums: &mut [[V::Element; WIDE]; TALL],
        aside: &mut impl Aside,
    ) {
        let (values, panel) = (a.values(), b.len() / WIDE);
        let (depth, places) = (values.len(), a.places());
        assert!(places.map_or(depth, |places| places.last().map_or(0, |last| *last as usize + 1)) <= panel);
        // What is done aside is done once a tile.
        let mut aside = Some(aside);
        for row in (0..TALL).step_by(ROWS) {
            for column in (0..WIDE).step_by(2 * V::LANES) {
                let aside = aside.take();
                // SAFETY: places ascend, so that all of them are in `b`; the block lies within the tile.
                unsafe {
                    let (a, b) = (values.as_ptr().cast::<V::Element>().add(row), b.as_ptr().add(column));
                    let sums = sums.as_mut_ptr().cast::<V::Element>().add(row * WIDE + column);
                    match places {
                        None => block::<V, _, ROWS>(depth, a, b, |k| k, sums, aside),
                        Some(places) => {
                            let place = |k: usize| *places.get_unchecked(k) as usize;
                            block::<V, _, ROWS>(depth, a, b, place, sums, aside);
                        }
                    }
                }
            }
        }
    }

    /// Multiplies line k of `a` with line `place(k)` of `b`.
    #[inline(always)]
    unsafe fn block<V: Vector, A: Aside, const ROWS: usize>(
        depth: usize,
        mut a: *const V::Element,
        b: *const V::Element,
        place: impl Fn(usize) -> usize,
        to: *mut V::Element,
        mut aside: Option<&mut A>,
    ) {
        // SAFETY: the caller's panels and tile are large enough.
        unsafe {
            let mut sums = [[V::splat(*to); 2]; ROWS];
            for (i, sums) in sums.iter_mut().enumerate() {
                for (v, sum) in sums.iter_mut().enumerate() {
                    *sum = V::load(to.add(i * WIDE + v * V::LANES));
                }
            }
            let mut done = 0;
            for piece in 0..A::PIECES {
                let until = depth * (piece + 1) / A::PIECES;
                for k in done..until {
                    let b = b.add(place(k) * WIDE);
                    let mut right = [V::splat(*b); 2];
                    for (v, right) in right.iter_mut().enumerate() {
                        *right = V::load(b.add(v * V::LANES));
                    }
                    for (i, sums) in sums.iter_mut().enumerate() {
                        let left = V::splat(*a.add(i));
                        for (sum, right) in sums.iter_mut().zip(right) {
                            *sum = left.multiply_add(right, *sum);
                        }
                    }
                    a = a.add(TALL);
                }
                done = until;
                if let Some(aside) = &mut aside {
                    aside.piece(piece);
                }
            }
            for (i, sums) in sums.into_iter().enumerate() {
                for (v, sum) in sums.into_iter().enumerate() {
                    sum.store(to.add(i * WIDE + v * V::LANES));
                }
            }
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod elsewhere {
    use super::PanelWork;
    use crate::Scalar;

    /// No processor here multiplies tiles: OpenBLAS does.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum Processor {}

    impl Processor {
        pub(crate) fn detect() -> Option<Self> {
            None
        }
        pub(crate) fn run<T: Scalar>(self, _work: impl PanelWork<T>) {
            match self {}
        }
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;
    use crate::strips::{StripMut, Strips, pack_strips};

    struct Multiply<'a> {
        a: Strip<'a, f32>,
        b: &'a [f32],
        sums: &'a mut Tile<f32>,
        pieces: &'a mut Pieces,
    }

    struct Pieces(Vec<usize>);

    impl Aside for Pieces {
        const PIECES: usize = 16;
        #[inline(always)]
        fn piece(&mut self, piece: usize) {
            self.0.push(piece);
        }
    }

    impl PanelWork<f32> for Multiply<'_> {
        #[inline(always)]
        fn run<R: Registers<f32>>(self) {
            R::multiply(self.a, self.b, self.sums, self.pieces);
        }
    }

    /// All registers give the bits of fused multiply-adds one after the other, whether zeros are left out or not.
    #[test]
    fn tiles_add_up_in_order_in_any_registers() {
        let Some(widest) = Processor::detect() else {
            return println!("skipped: a processor without FMA");
        };
        for processor in [widest, Processor::Avx2] {
            for depth in [0, 1, 7, 40, 301] {
                // Every third line is 0.
                let wave = |i: usize| if (i / TALL).is_multiple_of(3) { 0.0 } else { (i as f32 * 0.7).sin() };
                let a: Vec<f32> = (0..depth * TALL).map(wave).collect();
                let b: Vec<f32> = (0..depth * WIDE).map(|i| (i as f32 * 0.3).cos()).collect();
                let lines: Vec<&[f32]> = a.chunks(TALL).collect();
                for skip_zeros in [false, true] {
                    let mut strips = Strips::default();
                    let mut packed: Vec<_> = strips.room(1, depth).collect();
                    pack_strips(&lines, 0, &mut packed);
                    if skip_zeros {
                        packed.iter_mut().for_each(StripMut::skip_zeros);
                    }
                    let mut sums = [[0.5; WIDE]; TALL];
                    let mut pieces = Pieces(Vec::new());
                    let a_strip = strips.strip(0);
                    processor.run(Multiply { a: a_strip, b: &b, sums: &mut sums, pieces: &mut pieces });
                    assert_eq!(
                        a_strip.values().len(),
                        if skip_zeros { depth - depth.div_ceil(3) } else { depth }
                    );
                    assert_eq!(pieces.0, (0..16).collect::<Vec<_>>());
                    for (i, sums) in sums.iter().enumerate() {
                        for (j, sum) in sums.iter().enumerate() {
                            let in_order = (0..depth)
                                .fold(0.5f32, |sum, k| a[k * TALL + i].mul_add(b[k * WIDE + j], sum));
                            assert_eq!(
                                sum.to_bits(),
                                in_order.to_bits(),
                                "{processor:?}, depth {depth}, ({i}, {j})"
                            );
                        }
                    }
                }
            }
        }
    }
}
