//! Seeded operands. Every value is an f32, so that all precisions start from the same number.

/// Values on the host, row-major.
#[derive(Clone, Debug)]
pub struct Host {
    pub rows: usize,
    pub columns: usize,
    pub values: Vec<f64>,
}

impl Host {
    pub fn filled(rows: usize, columns: usize, value: f64) -> Host {
        Host { rows, columns, values: vec![value; rows * columns] }
    }

    pub fn at(&self, row: usize, column: usize) -> f64 {
        self.values[row * self.columns + column]
    }

    pub fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.columns..][..self.columns]
    }

    pub fn row_mut(&mut self, row: usize) -> &mut [f64] {
        &mut self.values[row * self.columns..][..self.columns]
    }

    /// Σ of squares of each row, `[1, rows]`.
    pub fn squares(&self) -> Host {
        let square = |r| self.row(r).iter().map(|x| x * x).sum();
        let values = (0..self.rows).map(|r| f32_of(square(r))).collect();
        Host { rows: 1, columns: self.rows, values }
    }

    /// The largest magnitude.
    pub fn largest(&self) -> f64 {
        self.values.iter().fold(0.0, |largest, x| x.abs().max(largest))
    }

    /// The largest length of a row.
    pub fn longest_row(&self) -> f64 {
        self.squares().largest().sqrt()
    }

    /// The largest length of a column.
    pub fn longest_column(&self) -> f64 {
        let mut squares = vec![0.0; self.columns];
        for r in 0..self.rows {
            squares.iter_mut().zip(self.row(r)).for_each(|(sum, x)| *sum += x * x);
        }
        squares.into_iter().fold(0.0, f64::max).sqrt()
    }
}

fn f32_of(x: f64) -> f64 {
    f64::from(x as f32)
}

/// A generator of operands (SplitMix64).
#[derive(Clone, Debug)]
pub struct Draw(u64);

impl Draw {
    pub fn seeded(seed: u64) -> Draw {
        Draw(seed.wrapping_mul(0xD134_2543_DE82_EF95).wrapping_add(1))
    }

    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    }

    pub fn word(&mut self) -> u32 {
        (self.bits() >> 32) as u32
    }

    /// Uniform in `0..end`; 0 if `end` is.
    pub fn below(&mut self, end: usize) -> usize {
        self.bits().checked_rem(end as u64).unwrap_or(0) as usize
    }

    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        let unit = (self.bits() >> 11) as f64 / (1_u64 << 53) as f64;
        f32_of(low + unit * (high - low))
    }

    pub fn chance(&mut self, probability: f64) -> bool {
        self.between(0.0, 1.0) < probability
    }

    /// A matrix of `element(self)`.
    pub fn matrix(&mut self, rows: usize, columns: usize, mut element: impl FnMut(&mut Draw) -> f64) -> Host {
        let values = (0..rows * columns).map(|_| f32_of(element(self))).collect();
        Host { rows, columns, values }
    }

    /// Uniform in −1..1.
    /// ± powers of 2 that a step or two of decay leaves clearly above, or clearly below, the bound of flushing; some of
    /// them are subnormal in f32.
    pub fn fading(&mut self, rows: usize, columns: usize) -> Host {
        self.matrix(rows, columns, |draw| {
            let exponent = if draw.chance(0.5) { 90 + draw.below(7) } else { 105 + draw.below(35) };
            let sign = if draw.chance(0.5) { 1.0 } else { -1.0 };
            sign * 0.5_f64.powi(exponent as i32)
        })
    }

    pub fn signed(&mut self, rows: usize, columns: usize) -> Host {
        self.matrix(rows, columns, |draw| draw.between(-1.0, 1.0))
    }

    /// What a rectified layer puts out: half zeros, the others positive; some rows silent.
    pub fn activities(&mut self, rows: usize, columns: usize) -> Host {
        let mut host = self.matrix(rows, columns, |draw| draw.between(-1.0, 1.0).max(0.0));
        for r in (0..rows).filter(|r| r % 5 == 3) {
            host.row_mut(r).fill(0.0);
        }
        host
    }

    /// Indices below `end`, after `offset` that must not be read.
    pub fn indices(&mut self, offset: usize, len: usize, end: usize) -> Vec<u32> {
        let unread = std::iter::repeat_n(0, offset);
        unread.chain((0..len).map(|_| self.below(end) as u32)).collect()
    }

    pub fn pixels(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| if self.chance(0.4) { 0 } else { self.below(256) as u8 }).collect()
    }
}
