//! Scalars, and the one hash that must agree bit for bit on every backend.

/// A scalar that a backend computes in.
pub trait Real: Copy + Send + Sync + PartialOrd + std::fmt::Debug + Default + 'static {
    /// Distance from 1 to the next number.
    const EPSILON: f64;
    /// Rounds to this precision.
    fn from_f64(value: f64) -> Self;
    /// Widens without loss.
    fn to_f64(self) -> f64;
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
