//! Receptive fields as TensorBoard shows them.

use super::raster::{Color, RgbImage};
use crate::spec::FieldPictures;

const WHITE: Color = [255; 3];
const GRAY: Color = [128; 3];
/// Ends of a palette that color-blind readers can tell apart; red means positive.
const POSITIVE: Color = [178, 24, 43];
const NEGATIVE: Color = [33, 102, 172];

/// Small images are enlarged to about this many pixels a side.
const SIDE: usize = 56;

/// The incoming weights of `count` units as pictures, in a square grid.
///
/// `weight` is [fan_in, fan_out], row by row. Red is positive, white zero, blue negative, the full
/// color being the largest |w| of the unit's own picture. Of color images the weights of red, green and blue are
/// mixed around gray, which is zero. Weights that are missing, not finite, or of label pixels are gray. Units of a
/// local layer are shown with what they see alone.
pub fn receptive_fields(weight: &[f32], fan_out: usize, pictures: FieldPictures, count: usize) -> RgbImage {
    const GAP: usize = 2;
    let shown = pictures.shown(fan_out, count);
    let count = shown.len();
    let columns = (1..).find(|c| c * c >= count).unwrap_or(1);
    let lines = count.div_ceil(columns).max(1);
    let (wide, high) = (enlargement(pictures.width()), enlargement(pictures.height()));
    let (width, height) = (pictures.width() * wide + GAP, pictures.height() * high + GAP);

    let mut image = RgbImage::filled(GAP + columns * width, GAP + lines * height, GRAY);
    for (i, unit) in shown.into_iter().enumerate() {
        let field = |value: usize| {
            let at = pictures.row(unit, value)? * fan_out + unit;
            weight.get(at).copied().filter(|w| w.is_finite())
        };
        let largest = (0..pictures.values()).filter_map(field).fold(0.0, |m: f32, w| m.max(w.abs()));
        let strength = |w: f32| if w == 0.0 { 0.0 } else { f64::from(w / largest) };
        let channels = pictures.channels();
        let color = |pixel: usize| {
            let channel = |c: usize| field(pixel * channels + c).map(strength);
            match channels {
                1 => channel(0).map(|w| blend(WHITE, if w > 0.0 { POSITIVE } else { NEGATIVE }, w.abs())),
                _ => Some([channel(0)?, channel(1)?, channel(2)?].map(|w| (127.5 * (1.0 + w)).round() as u8)),
            }
        };
        let x = GAP + i % columns * width;
        let y = GAP + i / columns * height;
        let pixels = 0..pictures.width() * pictures.height();
        for (pixel, color) in pixels.filter_map(|p| Some((p, color(p)?))) {
            let (x, y) = (x + pixel % pictures.width() * wide, y + pixel / pictures.width() * high);
            image.fill(x, y, wide, high, color);
        }
    }
    image
}

/// The whole factor that brings a side closest to `SIDE` pixels, never below 1.
fn enlargement(side: usize) -> usize {
    ((SIDE + side / 2) / side.max(1)).max(1)
}

/// `from` at 0, `to` at 1.
fn blend(from: Color, to: Color, share: f64) -> Color {
    let mix = |a: u8, b: u8| (f64::from(a) + share * (f64::from(b) - f64::from(a))).round() as u8;
    let ([r, g, b], [to_r, to_g, to_b]) = (from, to);
    [mix(r, to_r), mix(g, to_g), mix(b, to_b)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::ImageShape;

    fn pixel(image: &RgbImage, x: usize, y: usize) -> Color {
        let at = 3 * (y * image.width + x);
        [image.pixels[at], image.pixels[at + 1], image.pixels[at + 2]]
    }

    /// FNV-1a: enough to notice that a picture changed.
    fn fingerprint(image: &RgbImage) -> u64 {
        assert_eq!(image.pixels.len(), 3 * image.width * image.height);
        image
            .pixels
            .iter()
            .fold(0xcbf2_9ce4_8422_2325, |hash, &b| (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
    }

    #[test]
    fn enlargement_approaches_fifty_six() {
        let sides = [1, 8, 28, 32, 56, 100, 500].map(|s| s * enlargement(s));
        assert_eq!(sides, [56, 56, 56, 64, 56, 100, 500]);
        assert_eq!(enlargement(0), 56);
    }

    #[test]
    fn fields_are_scaled_by_their_own_largest_weight() {
        // Two units, a row before the image, and a label in its first pixel.
        let weight = [9.0, 9.0, 9.0, 9.0, 2.0, 0.0, -1.0, 0.0, 0.0, f32::NAN];
        let pictures = FieldPictures::new(ImageShape::gray(2, 2), 2, 1, None);
        let image = receptive_fields(&weight, 2, pictures, 9);
        assert_eq!((image.width, image.height), (2 + 2 * 58, 2 + 58));
        let corners =
            |x: usize| [(0, 0), (28, 0), (0, 28), (28, 28)].map(|(dx, dy)| pixel(&image, x + dx, 2 + dy));
        let half = blend(WHITE, NEGATIVE, 0.5);
        assert_eq!(corners(2), [GRAY, POSITIVE, half, WHITE]);
        assert_eq!(corners(60), [GRAY, WHITE, WHITE, GRAY]);
        assert_eq!(fingerprint(&image), 15_655_681_635_967_730_773);
    }

    #[test]
    fn three_channels_are_mixed_around_gray() {
        // One unit, two pixels: red up and blue half down; the label takes the first's place, and is two rows of its own.
        let weight = [2.0, 0.0, -1.0, 1.0, 1.0, 1.0];
        let color = |width| ImageShape { height: 1, width, channels: 3 };
        let image = receptive_fields(&weight, 1, FieldPictures::new(color(2), 0, 0, None), 1);
        assert_eq!((image.width, image.height), (2 + 2 * 28 + 2, 2 + 58));
        assert_eq!([pixel(&image, 5, 5), pixel(&image, 40, 5)], [[255, 128, 64], [191; 3]]);
        let hidden = receptive_fields(&weight, 1, FieldPictures::new(color(2), 3, 3, None), 1);
        assert_eq!([pixel(&hidden, 5, 5), pixel(&hidden, 40, 5)], [GRAY, [255; 3]]);
        let cut = receptive_fields(&weight, 1, FieldPictures::new(color(2), 4, 4, None), 1);
        assert_eq!([pixel(&cut, 5, 5), pixel(&cut, 40, 5)], [GRAY, GRAY]);
    }

    #[test]
    fn odd_fields_are_drawn_all_the_same() {
        let pictures = FieldPictures::new(ImageShape::gray(1, 1), 0, 0, None);
        assert_eq!(receptive_fields(&[], 0, pictures, 10).width, 60);
        assert_eq!(pixel(&receptive_fields(&[], 3, pictures, 10), 5, 5), GRAY);
        let tiny = receptive_fields(&[f32::MIN_POSITIVE], 1, pictures, 1);
        assert_eq!(pixel(&tiny, 5, 5), POSITIVE);
    }
}
