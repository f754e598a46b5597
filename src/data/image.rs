//! The shape of an image.

use serde::{Deserialize, Serialize};

/// Height and width of an image in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageShape {
    /// Rows of pixels.
    pub height: usize,
    /// Columns of pixels.
    pub width: usize,
}

impl ImageShape {
    /// Pixels of an image.
    pub fn pixels(self) -> usize {
        self.height * self.width
    }
}
