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
/// color being the largest |w| of the unit's own picture. Weights that are missing, not finite, or of
/// label pixels are gray. Units of a local layer are shown with what they see alone.
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
        let field = |pixel: usize| {
            let at = pictures.row(unit, pixel)? * fan_out + unit;
            weight.get(at).copied().filter(|w| w.is_finite())
        };
        let pixels = 0..pictures.width() * pictures.height();
        let largest = pixels.clone().filter_map(field).fold(0.0, |m: f32, w| m.max(w.abs()));
        let x = GAP + i % columns * width;
        let y = GAP + i / columns * height;
        for (pixel, w) in pixels.filter_map(|p| Some((p, field(p)?))) {
            let end = if w > 0.0 { POSITIVE } else { NEGATIVE };
            let strength = if w == 0.0 { 0.0 } else { (w / largest).abs() };
            let (x, y) = (x + pixel % pictures.width() * wide, y + pixel / pictures.width() * high);
            image.fill(x, y, wide, high, blend(WHITE, end, strength.into()));
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
        let pictures = FieldPictures::new(ImageShape { height: 2, width: 2 }, 2, 1, None);
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
    fn odd_fields_are_drawn_all_the_same() {
        let pictures = FieldPictures::new(ImageShape { height: 1, width: 1 }, 0, 0, None);
        assert_eq!(receptive_fields(&[], 0, pictures, 10).width, 60);
        assert_eq!(pixel(&receptive_fields(&[], 3, pictures, 10), 5, 5), GRAY);
        let tiny = receptive_fields(&[f32::MIN_POSITIVE], 1, pictures, 1);
        assert_eq!(pixel(&tiny, 5, 5), POSITIVE);
    }
}
