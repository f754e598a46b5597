//! The shape of an image.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Height and width of an image in pixels, and the values of a pixel.
///
/// In memory an image is row-major with channels last (H, W, C): value `(y · width + x) · channels + c` is channel c of
/// the pixel in row y and column x. So a color image is one of `height` rows of `width · channels` values, and moving
/// it by dx pixels moves its rows by dx · channels values. A gray image has one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageShape {
    /// Rows of pixels.
    pub height: usize,
    /// Columns of pixels.
    pub width: usize,
    /// Values of a pixel: 1 gray; 3 red, green, blue; 4 with opacity too. Files leave 1 out.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub channels: usize,
}

/// What an image has for channels where nothing is said.
pub(crate) fn one() -> usize {
    1
}

/// Whether to say nothing of channels.
pub(crate) fn is_one(channels: &usize) -> bool {
    *channels == 1
}

impl ImageShape {
    /// The numbers of channels there are.
    pub const CHANNELS: [usize; 3] = [1, 3, 4];

    /// A gray image's.
    pub const fn gray(height: usize, width: usize) -> Self {
        ImageShape { height, width, channels: 1 }
    }

    /// Whether it is as high and as wide, whatever the channels.
    pub const fn has_size_of(self, other: ImageShape) -> bool {
        self.height == other.height && self.width == other.width
    }

    /// Pixels of an image.
    pub const fn pixels(self) -> usize {
        self.height * self.width
    }

    /// Values of a row of pixels: width · channels.
    pub const fn columns(self) -> usize {
        self.width * self.channels
    }

    /// Images, and behind them the same ones turned left to right.
    pub fn and_turned(self, images: &[u8]) -> Vec<u8> {
        let mut all = Vec::with_capacity(2 * images.len());
        all.extend_from_slice(images);
        self.extend_with_turned(&mut all, images);
        all
    }

    /// Images turned left to right.
    pub fn turned(self, images: &[u8]) -> Vec<u8> {
        let mut all = Vec::with_capacity(images.len());
        self.extend_with_turned(&mut all, images);
        all
    }

    fn extend_with_turned(self, all: &mut Vec<u8>, images: &[u8]) {
        for row in images.chunks_exact(self.columns().max(1)) {
            row.rchunks_exact(self.channels).for_each(|pixel| all.extend_from_slice(pixel));
        }
    }

    /// Images that have a plane of pixels for each channel (C, H, W), one after the other, as channels last.
    pub fn interleaved(self, planar: &[u8]) -> Vec<u8> {
        let pixels = self.pixels();
        let mut all = Vec::with_capacity(planar.len());
        for image in planar.chunks_exact(self.values().max(1)) {
            for pixel in 0..pixels {
                all.extend((0..self.channels).map(|channel| image[channel * pixels + pixel]));
            }
        }
        all
    }

    /// Values of an image, which are what a network reads: height · width · channels.
    pub const fn values(self) -> usize {
        self.pixels() * self.channels
    }
}

/// `28×28`; `32×32×3` in color.
impl fmt::Display for ImageShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}×{}", self.height, self.width)?;
        if self.channels == 1 { Ok(()) } else { write!(f, "×{}", self.channels) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLOR: ImageShape = ImageShape { height: 2, width: 2, channels: 3 };

    #[test]
    fn channels_are_told_only_where_there_are_several() {
        let [gray, color] = [ImageShape::gray(8, 9), COLOR].map(|image| {
            let text = serde_json::to_string(&image).unwrap_or_default();
            assert_eq!(serde_json::from_str::<ImageShape>(&text).ok(), Some(image));
            (text, image.to_string())
        });
        assert_eq!(gray, (r#"{"height":8,"width":9}"#.into(), "8×9".into()));
        assert_eq!(color, (r#"{"height":2,"width":2,"channels":3}"#.into(), "2×2×3".into()));
    }

    #[test]
    fn planes_become_pixels() {
        // Two images: red 0 to 3, green 10 to 13, blue 20 to 23; then the same, and 30.
        let planes: Vec<u8> =
            [0, 30].iter().flat_map(|i| [0, 10, 20].map(|c| i + c)).flat_map(|c| c..c + 4).collect();
        let pixels: Vec<u8> =
            [0, 30].iter().flat_map(|i| (0..4).flat_map(move |p| [0, 10, 20].map(|c| i + c + p))).collect();
        assert_eq!(COLOR.interleaved(&planes), pixels);
    }

    #[test]
    fn turning_changes_left_and_right_alone() {
        let images: Vec<u8> = (0..24).collect();
        let both = COLOR.and_turned(&images);
        let (same, turned) = both.split_at(24);
        assert_eq!(same, images);
        for (at, value) in turned.iter().enumerate() {
            let (image, y, x, c) = (at / 12, at / 6 % 2, at / 3 % 2, at % 3);
            assert_eq!(*value, images[((image * 2 + y) * 2 + (1 - x)) * 3 + c]);
        }
        assert_eq!(ImageShape::gray(1, 3).and_turned(&[1, 2, 3]), [1, 2, 3, 3, 2, 1]);
    }
}
