//! Labels below an axis or a table: side by side while they fit, else reading upwards.

use super::canvas::{Anchor, Canvas, LABEL, Point, SMALL, TextLook, fitting_size, text_width};

/// Labels are turned before they get smaller than this.
const READABLE: f64 = 17.0;
/// A turned label takes at most this height.
const MOST: f64 = 240.0;

/// How the labels of one axis are written.
#[derive(Clone, Copy, Debug)]
pub struct Below {
    size: f64,
    upright: bool,
    /// What they take below the axis.
    pub height: f64,
}

impl Below {
    /// Labels that stay as they are.
    pub fn plain() -> Self {
        Self { size: LABEL, upright: false, height: 40.0 }
    }

    /// For labels that have `room` pixels each, side by side.
    pub fn fitting<'a>(labels: impl Iterator<Item = &'a str> + Clone, room: f64) -> Self {
        let size = labels.clone().map(|label| fitting_size(label, LABEL, room)).fold(LABEL, f64::min);
        if size >= READABLE {
            return Self { size, ..Self::plain() };
        }
        let longest = labels.map(|label| text_width(label, SMALL)).fold(0.0, f64::max);
        Self { size: SMALL, upright: true, height: longest.min(MOST) + 16.0 }
    }

    /// Writes one label below the point `(x, y)` of the axis.
    pub fn write(&self, canvas: &mut Canvas, label: &str, (x, y): Point) {
        if self.upright {
            let look = TextLook { upright: true, ..TextLook::new(self.size, Anchor::Right) };
            canvas.text_within(label, (x, y + 12.0), look, MOST);
        } else {
            canvas.text(label, (x, y + 26.0), TextLook::new(self.size, Anchor::Center));
        }
    }
}
