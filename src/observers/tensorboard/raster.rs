//! An RGB image in memory, and the few things that are drawn on one.

use std::io;

/// Red, green and blue, 0 to 255 each.
pub type Color = [u8; 3];

/// A picture of `width` × `height` pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RgbImage {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Red, green, blue of each pixel, row by row from the top left: `3 · width · height` bytes.
    pub pixels: Vec<u8>,
}

impl RgbImage {
    /// A picture of one color.
    pub fn filled(width: usize, height: usize, color: Color) -> Self {
        let pixels = color.repeat(width * height);
        Self { width, height, pixels }
    }

    /// Colors a rectangle; what lies outside the picture is left out.
    pub fn fill(&mut self, x: usize, y: usize, width: usize, height: usize, color: Color) {
        let right = self.width.min(x.saturating_add(width));
        for row in y..self.height.min(y.saturating_add(height)) {
            let start = 3 * (row * self.width + x);
            let end = 3 * (row * self.width + right);
            // A rectangle wholly to the right has start > end, which is no range.
            for pixel in self.pixels.get_mut(start..end).unwrap_or_default().chunks_exact_mut(3) {
                pixel.copy_from_slice(&color);
            }
        }
    }

    /// The picture as a PNG file.
    ///
    /// # Errors
    /// A side that is 0 or beyond 2³² − 1, or a number of bytes in `pixels` that does not fit the sides.
    pub fn png(&self) -> io::Result<Vec<u8>> {
        let side = |length: usize| u32::try_from(length).map_err(io::Error::other);
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, side(self.width)?, side(self.height)?);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::Fast);
        encoder.set_filter(png::Filter::Adaptive);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&self.pixels)?;
        writer.finish()?;
        Ok(file)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// One character a pixel: `#` where it is not black.
    fn show(image: &RgbImage) -> Vec<String> {
        image
            .pixels
            .chunks(3 * image.width)
            .map(|row| row.chunks(3).map(|p| if p == [0; 3] { '.' } else { '#' }).collect())
            .collect()
    }

    #[test]
    fn drawing_stays_inside() {
        let mut image = RgbImage::filled(3, 2, [0; 3]);
        image.fill(2, 1, 9, 9, [255; 3]);
        image.fill(7, 0, 1, 9, [255; 3]);
        image.fill(0, 7, 9, usize::MAX, [255; 3]);
        assert_eq!(show(&image), ["...", "..#"]);
    }

    #[test]
    fn a_png_holds_the_same_pixels() {
        let image = RgbImage { width: 2, height: 1, pixels: vec![1, 2, 3, 4, 5, 6] };
        let file = image.png().unwrap();
        let mut reader = png::Decoder::new(io::Cursor::new(file)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.height), (2, 1));
        assert_eq!(pixels, image.pixels);
    }

    #[test]
    fn impossible_pictures_are_errors() {
        assert!(RgbImage::filled(0, 4, [0; 3]).png().is_err());
        let mut image = RgbImage::filled(2, 2, [0; 3]);
        image.pixels.pop();
        assert!(image.png().is_err());
    }
}
