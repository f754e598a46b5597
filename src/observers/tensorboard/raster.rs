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

/// A row of a glyph is three bits, the leftmost pixel highest.
const DIGITS: [[u8; 5]; 10] = [
    [0b111, 0b101, 0b101, 0b101, 0b111],
    [0b010, 0b110, 0b010, 0b010, 0b111],
    [0b111, 0b001, 0b111, 0b100, 0b111],
    [0b111, 0b001, 0b111, 0b001, 0b111],
    [0b101, 0b101, 0b111, 0b001, 0b001],
    [0b111, 0b100, 0b111, 0b001, 0b111],
    [0b111, 0b100, 0b111, 0b101, 0b111],
    [0b111, 0b001, 0b010, 0b010, 0b010],
    [0b111, 0b101, 0b111, 0b101, 0b111],
    [0b111, 0b101, 0b111, 0b001, 0b111],
];
/// The other characters there are.
const OTHERS: [(char, [u8; 5]); 9] = [
    ('/', [0b001, 0b001, 0b010, 0b100, 0b100]),
    ('C', [0b111, 0b100, 0b100, 0b100, 0b111]),
    ('D', [0b110, 0b101, 0b101, 0b101, 0b110]),
    ('E', [0b111, 0b100, 0b111, 0b100, 0b111]),
    ('I', [0b111, 0b010, 0b010, 0b010, 0b111]),
    ('P', [0b111, 0b101, 0b111, 0b100, 0b100]),
    ('R', [0b110, 0b101, 0b110, 0b101, 0b101]),
    ('T', [0b111, 0b010, 0b010, 0b010, 0b010]),
    ('U', [0b101, 0b101, 0b101, 0b101, 0b111]),
];

/// Height of a text at scale 1, in pixels.
pub(super) const TEXT_HEIGHT: usize = 5;

/// Width of a text at scale 1, in pixels: three for each character and one between two.
pub(super) fn text_width(text: &str) -> usize {
    (4 * text.chars().count()).saturating_sub(1)
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

    /// Writes digits, slashes and some capitals, `scale` pixels a dot, with (x, y) as the top left corner; any
    /// other character is a space.
    pub(super) fn text(&mut self, x: usize, y: usize, scale: usize, text: &str, color: Color) {
        for (position, character) in text.chars().enumerate() {
            let digit = character.to_digit(10).and_then(|d| DIGITS.get(d as usize));
            let other = || OTHERS.iter().find(|(other, _)| *other == character).map(|(_, glyph)| glyph);
            let Some(glyph) = digit.or_else(other) else { continue };
            for (row, bits) in glyph.iter().enumerate() {
                for column in (0..3).filter(|column| bits >> (2 - column) & 1 == 1) {
                    let x = x + scale * (4 * position + column);
                    self.fill(x, y + scale * row, scale, scale, color);
                }
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
    fn text_is_legible() {
        let mut image = RgbImage::filled(text_width("7/42") + 1, TEXT_HEIGHT, [0; 3]);
        image.text(0, 0, 1, "7/42", [255; 3]);
        assert_eq!(
            show(&image),
            [
                "###...#.#.#.###.",
                "..#...#.#.#...#.",
                ".#...#..###.###.",
                ".#..#.....#.#...",
                ".#..#.....#.###.",
            ]
        );
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
