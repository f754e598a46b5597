//! How curves are drawn.

use plotters::style::RGBColor;

/// What stands at a curve's points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A dot at lonely points only.
    None,
    Dot,
    /// A hollow dot.
    Ring,
    /// A cross, of a line at its last point only.
    Cross,
    /// A hollow dot at the last point.
    End,
}

/// How a curve is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stroke {
    pub color: RGBColor,
    pub width: f64,
    pub dashed: bool,
    pub mark: Mark,
    /// Points are joined.
    pub joined: bool,
}

impl Stroke {
    /// A solid line.
    pub fn solid(color: RGBColor) -> Self {
        Self { color, width: 3.5, dashed: false, mark: Mark::None, joined: true }
    }

    /// A dashed line.
    pub fn dashed(color: RGBColor) -> Self {
        Self { dashed: true, ..Self::solid(color) }
    }

    /// Points on their own.
    pub fn points(color: RGBColor, mark: Mark) -> Self {
        Self { mark, joined: false, ..Self::solid(color) }
    }

    /// The same line with a dot at every point if there are few of them.
    pub fn dots_if_few(self, points: usize) -> Self {
        Self { mark: if points <= 20 { Mark::Dot } else { Mark::None }, ..self }
    }

    /// Whether a reader would take one for the other.
    pub fn looks_like(&self, other: &Self) -> bool {
        let is_ring = |stroke: &Self| stroke.mark == Mark::Ring;
        self.color == other.color && self.dashed == other.dashed && is_ring(self) == is_ring(other)
    }
}
