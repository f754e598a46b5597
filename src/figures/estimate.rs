//! A point that is a mean, and its error bars.

/// A mean at its place.
#[derive(Clone, Copy, Debug)]
pub struct Estimate {
    /// Where it lies, in the units of the axes.
    pub at: (f64, f64),
    /// Half the length of its error bars along x and y, where it has them.
    pub half: (Option<f64>, Option<f64>),
    /// What error bars say: `sd`, `95 % interval`.
    pub bars: &'static str,
    /// How many values it is the mean of.
    pub count: usize,
}

impl Estimate {
    /// The ends of its error bar along x.
    pub fn across(&self) -> Option<(f64, f64)> {
        self.half.0.map(|half| (self.at.0 - half, self.at.0 + half))
    }

    /// The ends of its error bar along y.
    pub fn up(&self) -> Option<(f64, f64)> {
        self.half.1.map(|half| (self.at.1 - half, self.at.1 + half))
    }
}
