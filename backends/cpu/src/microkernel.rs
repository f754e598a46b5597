//! The microkernel: a tile of MR × NR sums in vector registers, and the instruction sets it is compiled for.
//!
//! Each sum is added up over k in ascending order, by fused multiply-adds, whatever the vectors are: numbers depend
//! neither on threads, nor on how a matrix is cut, nor on which processor with FMA it is. A term 0 · b leaves a finite
//! sum as it is, so a product that visits only what is not 0 ([`Microkernel::accumulate`]) has the same bits.

mod portable;
mod vector;
#[cfg(target_arch = "x86_64")]
mod x86;

use crate::Scalar;
use crate::lists::List;
use crate::micro_panels::MicroPanel;

pub(crate) use portable::Portable;

/// Rows of a tile.
pub const MR: usize = 8;
/// Columns of a tile.
pub const NR: usize = 32;
/// Elements that one mask of [`Microkernel::nonzero`] tells of, and one line of [`Microkernel::read`] has.
pub const MASKED: usize = 16;
/// Chains of [`Microkernel::read`].
pub const CHAINS: usize = 4;

/// The sums of a tile.
pub type Tile<T> = [[T; NR]; MR];

/// Work made of products, compiled once for each instruction set.
pub trait Kernel<T: Scalar> {
    /// The work; implementations are `#[inline(always)]`, so that all of it uses its caller's vectors.
    fn run<M: Microkernel<T>>(self);
}

/// Work that waits on memory or divides: between multiplications it costs little.
pub trait Interleaved {
    /// Parts of the work.
    const PIECES: usize;
    /// Does one part; `#[inline(always)]`, since a call would empty the registers.
    fn piece(&mut self, piece: usize);
}

/// Nothing is interleaved.
impl Interleaved for () {
    const PIECES: usize = 1;
    #[inline(always)]
    fn piece(&mut self, _piece: usize) {}
}

/// Products in the vectors of one instruction set. Only [`InstructionSet::run`] hands one out, where the processor
/// has it.
pub trait Microkernel<T: Scalar> {
    /// sums += Σ a[k]ᵀ b[k] over the lines k of a micro-panel, b a panel `[depth, NR]`. Each piece of `interleaved` is
    /// done on the way.
    fn multiply(a: MicroPanel<T>, b: &[T], sums: &mut Tile<T>, interleaved: &mut impl Interleaved);

    /// sums += Σ value · b[at] over the entries of a list, b a panel `[depth, NR]`.
    fn accumulate(list: List<T>, b: &[T], sums: &mut [T; NR]);

    /// sums[k mod CHAINS] += x[k] · b[k], rounded twice, b lines of MASKED. What is left over beyond a multiple of CHAINS
    /// goes to the first.
    fn read(x: &[T], b: &[T], sums: &mut [[T; MASKED]; CHAINS]);

    /// Bit i is set where x[i] is not 0; what is not a number is not 0.
    fn nonzero(x: &[T; MASKED]) -> u32;

    /// Fetches the cache line of `values[at]` into the second-level cache, if there is such an element.
    fn fetch(values: &[T], at: usize);
}

/// The instructions that products are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstructionSet {
    /// x86-64 with AVX-512 (F, VL, DQ, BW): 32 registers of 512 bits.
    Avx512,
    /// x86-64 with AVX2 and FMA: 16 registers of 256 bits.
    Avx2,
    /// Plain Rust, for any processor. Where the compiler may not assume FMA, each term is rounded twice.
    Portable,
}

impl InstructionSet {
    /// All of them, the fastest first.
    pub const ALL: [InstructionSet; 3] =
        [InstructionSet::Avx512, InstructionSet::Avx2, InstructionSet::Portable];

    /// Whether this processor has it.
    #[must_use]
    pub fn is_available(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx512 => x86::has_avx512(),
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx2 => x86::has_avx2(),
            #[cfg(not(target_arch = "x86_64"))]
            InstructionSet::Avx512 | InstructionSet::Avx2 => false,
            InstructionSet::Portable => true,
        }
    }

    /// The fastest that this processor has.
    #[must_use]
    pub fn detect() -> Self {
        Self::ALL.into_iter().find(|set| set.is_available()).unwrap_or(InstructionSet::Portable)
    }

    /// Its name, as `ff devices` prints it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            InstructionSet::Avx512 => "AVX-512",
            InstructionSet::Avx2 => "AVX2",
            InstructionSet::Portable => "portable",
        }
    }

    /// Does the work in its vectors.
    #[inline]
    pub(crate) fn run<T: Scalar>(self, work: impl Kernel<T>) {
        match self {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: a `Cpu` is made only with an instruction set that is available.
            InstructionSet::Avx512 => unsafe { x86::avx512(work) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            InstructionSet::Avx2 => unsafe { x86::avx2(work) },
            _ => work.run::<Portable>(),
        }
    }
}

#[cfg(test)]
mod tests;
