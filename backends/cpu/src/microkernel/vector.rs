//! The microkernel written once for any vector type.

use super::{CHAINS, Interleaved, MASKED, MR, NR, Tile};
use crate::lists::List;
use crate::micro_panels::MicroPanel;

/// One vector register.
///
/// # Safety
///
/// Every operation needs the instruction set that the type belongs to; `load` and `store` need [`LANES`](Self::LANES)
/// elements behind their pointer.
pub(super) unsafe trait Vector: Copy {
    type Element: Copy;
    const LANES: usize;
    unsafe fn splat(x: Self::Element) -> Self;
    unsafe fn load(from: *const Self::Element) -> Self;
    unsafe fn store(self, to: *mut Self::Element);
    /// self · x + sum; rounded once where the instruction set has FMA.
    unsafe fn multiply_add(self, x: Self, sum: Self) -> Self;
    /// self · x + sum, rounded twice.
    unsafe fn multiply_then_add(self, x: Self, sum: Self) -> Self;
    /// Bit i is set where element i is not 0.
    unsafe fn nonzero(self) -> u32;
}

/// Bit i is set where x[i] is not 0.
///
/// # Safety
///
/// The processor has the instruction set of V.
#[inline(always)]
pub(super) unsafe fn nonzero<V: Vector>(x: &[V::Element; MASKED]) -> u32 {
    let mut mask = 0;
    for first in (0..MASKED).step_by(V::LANES) {
        // SAFETY: LANES divides MASKED.
        mask |= unsafe { V::load(x.as_ptr().add(first)).nonzero() } << first;
    }
    mask
}

/// The tile in blocks of ROWS × 2 registers.
///
/// # Safety
///
/// The processor has the instruction set of V.
#[inline(always)]
pub(super) unsafe fn multiply<V: Vector, const ROWS: usize>(
    a: MicroPanel<V::Element>,
    b: &[V::Element],
    sums: &mut Tile<V::Element>,
    interleaved: &mut impl Interleaved,
) {
    let (values, panel) = (a.values(), b.len() / NR);
    let (depth, places, first) = (values.len(), a.places(), a.first());
    assert!(match places {
        None => depth <= panel,
        Some([]) => true,
        Some(&[least, .., most]) => first <= least && ((most - first) as usize) < panel,
        Some(&[only]) => first <= only && ((only - first) as usize) < panel,
    });
    // What is interleaved is done once a tile.
    let mut interleaved = Some(interleaved);
    for row in (0..MR).step_by(ROWS) {
        for column in (0..NR).step_by(2 * V::LANES) {
            let interleaved = interleaved.take();
            // SAFETY: places ascend, so that all of them are in `b`; the block lies within the tile. `wrapping_add`:
            // of an empty panel only the address is made, never read.
            unsafe {
                let a = values.as_ptr().cast::<V::Element>().wrapping_add(row);
                let b = b.as_ptr().wrapping_add(column);
                let sums = sums.as_mut_ptr().cast::<V::Element>().add(row * NR + column);
                match places {
                    None => block::<V, _, ROWS>(depth, a, b, |k| k, sums, interleaved),
                    Some(places) => {
                        let place = |k: usize| (*places.get_unchecked(k) - first) as usize;
                        block::<V, _, ROWS>(depth, a, b, place, sums, interleaved);
                    }
                }
            }
        }
    }
}

/// Multiplies line k of `a` with line `place(k)` of `b`.
///
/// # Safety
///
/// `a` has `depth` lines of MR, `b` a line of NR at each place, `to` ROWS lines of NR.
#[inline(always)]
unsafe fn block<V: Vector, I: Interleaved, const ROWS: usize>(
    depth: usize,
    mut a: *const V::Element,
    b: *const V::Element,
    place: impl Fn(usize) -> usize,
    to: *mut V::Element,
    mut interleaved: Option<&mut I>,
) {
    // SAFETY: the caller's panels and tile are large enough.
    unsafe {
        let mut sums = [[V::splat(*to); 2]; ROWS];
        for (i, sums) in sums.iter_mut().enumerate() {
            for (v, sum) in sums.iter_mut().enumerate() {
                *sum = V::load(to.add(i * NR + v * V::LANES));
            }
        }
        let mut done = 0;
        for piece in 0..I::PIECES {
            let until = depth * (piece + 1) / I::PIECES;
            for k in done..until {
                let b = b.wrapping_add(place(k) * NR);
                let mut right = [V::load(b); 2];
                for (v, right) in right.iter_mut().enumerate() {
                    *right = V::load(b.wrapping_add(v * V::LANES));
                }
                for (i, sums) in sums.iter_mut().enumerate() {
                    let left = V::splat(*a.wrapping_add(i));
                    for (sum, right) in sums.iter_mut().zip(right) {
                        *sum = left.multiply_add(right, *sum);
                    }
                }
                a = a.wrapping_add(MR);
            }
            done = until;
            if let Some(interleaved) = &mut interleaved {
                interleaved.piece(piece);
            }
        }
        for (i, sums) in sums.into_iter().enumerate() {
            for (v, sum) in sums.into_iter().enumerate() {
                sum.store(to.add(i * NR + v * V::LANES));
            }
        }
    }
}

/// One row of sums in REGISTERS registers, REGISTERS · LANES = NR.
///
/// # Safety
///
/// The processor has the instruction set of V.
#[inline(always)]
pub(super) unsafe fn accumulate<V: Vector, const REGISTERS: usize>(
    list: List<V::Element>,
    b: &[V::Element],
    sums: &mut [V::Element; NR],
) {
    const { assert!(REGISTERS * V::LANES == NR) };
    let List { at, values } = list;
    assert!(at.len() == values.len() && at.last().is_none_or(|last| (*last as usize) < b.len() / NR));
    // SAFETY: entries ascend, so that all of their lines are in `b`.
    unsafe {
        let to = sums.as_mut_ptr();
        let mut sums = [V::splat(*to); REGISTERS];
        for (v, sum) in sums.iter_mut().enumerate() {
            *sum = V::load(to.add(v * V::LANES));
        }
        for (at, value) in at.iter().zip(values) {
            let (left, line) = (V::splat(*value), b.as_ptr().add(*at as usize * NR));
            for (v, sum) in sums.iter_mut().enumerate() {
                *sum = left.multiply_add(V::load(line.add(v * V::LANES)), *sum);
            }
        }
        for (v, sum) in sums.into_iter().enumerate() {
            sum.store(to.add(v * V::LANES));
        }
    }
}

/// Chains of sums in REGISTERS registers each, REGISTERS · LANES = MASKED.
///
/// # Safety
///
/// The processor has the instruction set of V.
#[inline(always)]
pub(super) unsafe fn read<V: Vector, const REGISTERS: usize>(
    x: &[V::Element],
    b: &[V::Element],
    sums: &mut [[V::Element; MASKED]; CHAINS],
) {
    const { assert!(REGISTERS * V::LANES == MASKED) };
    assert!(x.len() <= b.len() / MASKED);
    // SAFETY: a line of `b` is there for each element of `x`; each chain has MASKED sums.
    unsafe {
        let to = sums.as_mut_ptr().cast::<V::Element>();
        let mut chains = [[V::splat(*to); REGISTERS]; CHAINS];
        let at = |chain: usize, v: usize| to.add(chain * MASKED + v * V::LANES);
        for (c, chain) in chains.iter_mut().enumerate() {
            for (v, sum) in chain.iter_mut().enumerate() {
                *sum = V::load(at(c, v));
            }
        }
        let add = |chain: &mut [V; REGISTERS], k: usize| {
            let (factor, line) = (V::splat(*x.as_ptr().add(k)), b.as_ptr().add(k * MASKED));
            for (v, sum) in chain.iter_mut().enumerate() {
                *sum = factor.multiply_then_add(V::load(line.add(v * V::LANES)), *sum);
            }
        };
        let whole = x.len() / CHAINS * CHAINS;
        for first in (0..whole).step_by(CHAINS) {
            for (c, chain) in chains.iter_mut().enumerate() {
                add(chain, first + c);
            }
        }
        for k in whole..x.len() {
            add(&mut chains[0], k);
        }
        for (c, chain) in chains.into_iter().enumerate() {
            for (v, sum) in chain.into_iter().enumerate() {
                sum.store(at(c, v));
            }
        }
    }
}
