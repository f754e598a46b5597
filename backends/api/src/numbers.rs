//! Scalars, and what must agree bit for bit on every backend: what is flushed to 0, and the one hash.

/// 2⁻¹⁰⁰. Moments, velocities, running means and probabilities of a smaller magnitude are 0, by definition.
///
/// A moment of a silent unit decays step by step. Without this bound it would end among the subnormal numbers, which
/// a processor handles a hundred times slower than others. The bound is far below anything that changes a weight,
/// and far enough above the smallest normal f32 (2⁻¹²⁶) that a product with a learning rate is not subnormal either.
pub const FLUSH_BELOW: f64 = 1.0 / (1_u128 << 100) as f64;

/// A scalar that a backend computes in.
pub trait Real: Copy + Send + Sync + PartialOrd + std::fmt::Debug + Default + 'static {
    /// Distance from 1 to the next number.
    const EPSILON: f64;
    /// Rounds to this precision.
    fn from_f64(value: f64) -> Self;
    /// Widens without loss.
    fn to_f64(self) -> f64;
    /// 0 where |x| < [`FLUSH_BELOW`], else x; what is not a number stays so.
    #[inline(always)]
    fn flushed(self) -> Self {
        let (bound, negative) = (Self::from_f64(FLUSH_BELOW), Self::from_f64(-FLUSH_BELOW));
        if self < bound && self > negative { Self::default() } else { self }
    }
}

impl Real for f32 {
    const EPSILON: f64 = f32::EPSILON as f64;
    fn from_f64(value: f64) -> Self {
        value as f32
    }
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
}

impl Real for f64 {
    const EPSILON: f64 = f64::EPSILON;
    fn from_f64(value: f64) -> Self {
        value
    }
    fn to_f64(self) -> f64 {
        self
    }
}

/// Whether dropout keeps element `index` (row-major) of a matrix, for a step's `seed`.
///
/// A 32-bit finalizer hashes the index, so that every backend draws the same mask without storing it.
/// `drop_below` is `rate · 2³²`.
#[inline]
pub fn dropout_keeps(seed: u32, index: u32, drop_below: u32) -> bool {
    let mut x = index.wrapping_add(seed.wrapping_mul(0x9E37_79B9));
    x ^= seed;
    x ^= x >> 16;
    x = x.wrapping_mul(0x7FEB_352D);
    x ^= x >> 15;
    x = x.wrapping_mul(0x846C_A68B);
    x ^= x >> 16;
    x >= drop_below
}
