//! The pictures of a run that TensorBoard shows: predictions, confusions, receptive fields.

use super::raster::{Color, RgbImage, TEXT_HEIGHT, text_width};

const BLACK: Color = [0; 3];
const WHITE: Color = [255; 3];
const GRAY: Color = [128; 3];
/// As in the figures: nothing to show here.
const MISSING: Color = [222; 3];
const GREEN: Color = [0, 135, 62];
const RED: Color = [200, 30, 45];
/// Ends of a palette that color-blind readers can tell apart; red means positive.
const POSITIVE: Color = [178, 24, 43];
const NEGATIVE: Color = [33, 102, 172];

/// Images in a row, and rows, of the prediction grid.
const GRID: usize = 5;
/// Small images are enlarged to about this many pixels a side.
const SIDE: usize = 56;
/// Classes that a confusion matrix shows.
const MAX_CLASSES: usize = 100;

/// One classified image.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// Gray values [height · width], row by row.
    pub pixels: &'a [u8],
    /// Rows of the image.
    pub height: usize,
    /// Columns of the image.
    pub width: usize,
    /// The true class.
    pub label: usize,
    /// The class that the network chose.
    pub prediction: usize,
}

/// The first 25 samples, five in a row, each under a caption `prediction/label`; caption and border
/// are green where the two agree and red where they differ. Missing pixels are black.
pub fn prediction_grid(samples: &[Sample]) -> RgbImage {
    const BORDER: usize = 2;
    const GAP: usize = 4;
    const BAND: usize = 2 * TEXT_HEIGHT + 4;
    let samples = samples.get(..GRID * GRID).unwrap_or(samples);
    let scaled = |side: usize| side * enlargement(side);
    let width = samples.iter().map(|s| scaled(s.width)).max().unwrap_or(SIDE) + 2 * BORDER;
    let height = samples.iter().map(|s| scaled(s.height)).max().unwrap_or(SIDE) + BAND + BORDER;

    let side = |cell: usize| GAP + GRID * (cell + GAP);
    let mut image = RgbImage::filled(side(width), side(height), WHITE);
    for (i, sample) in samples.iter().enumerate() {
        let x = GAP + i % GRID * (width + GAP);
        let y = GAP + i / GRID * (height + GAP);
        let right = sample.prediction == sample.label;
        image.fill(x, y, width, height, if right { GREEN } else { RED });
        let caption = format!("{}/{}", sample.prediction, sample.label);
        let dot = if 2 * text_width(&caption) <= width { 2 } else { 1 };
        let indent = width.saturating_sub(dot * text_width(&caption)) / 2;
        image.text(x + indent, y + 2, dot, &caption, WHITE);

        let (wide, high) = (enlargement(sample.width), enlargement(sample.height));
        for row in 0..sample.height {
            for column in 0..sample.width {
                let value = sample.pixels.get(row * sample.width + column);
                let (x, y) = (x + BORDER + column * wide, y + BAND + row * high);
                image.fill(x, y, wide, high, value.map_or(BLACK, |&v| [v; 3]));
            }
        }
    }
    image
}

/// A square for each true class (row) and predicted class (column), numbered along both sides; of
/// classes beyond 100 nothing is shown.
///
/// The darker, the larger the share of the row: the shade is √(count / Σ row), so that rare
/// confusions are still to be seen. A class without images is gray.
pub fn confusion_matrix(counts: &[Vec<u64>]) -> RgbImage {
    const DOT: usize = 2;
    const LINE: usize = DOT * TEXT_HEIGHT;
    const GAP: usize = 6;
    let counts = counts.get(..MAX_CLASSES).unwrap_or(counts);
    let classes = counts.len();
    let cell = (320 / classes.max(1)).clamp(8, 40);
    let wide = |text: &str| DOT * text_width(text);
    let longest = wide(&classes.saturating_sub(1).to_string());
    // Numbers that would run into each other are left out.
    let room = longest.max(LINE) + GAP;
    let step = [1, 2, 5].into_iter().find(|step| step * cell >= room).unwrap_or(10);
    let (rows, columns) = ("TRUE", "PREDICTED");
    let left = GAP + DOT * 3 + GAP + longest + GAP;
    let top = GAP + LINE + GAP + LINE + GAP;
    let side = classes * cell;
    let height = (top + side).max(top + rows.len() * (LINE + 2)) + GAP;
    let mut image = RgbImage::filled(left + side.max(wide(columns)) + GAP, height, WHITE);
    let centered = |length: usize, room: usize| room.saturating_sub(length) / 2;
    image.text(left + centered(wide(columns), side), GAP, DOT, columns, BLACK);
    for (place, letter) in rows.chars().enumerate() {
        let above = centered(rows.len() * (LINE + 2), side);
        image.text(GAP, top + above + place * (LINE + 2), DOT, &letter.to_string(), BLACK);
    }
    for (class, row) in counts.iter().enumerate() {
        let along = class * cell;
        if class.is_multiple_of(step) {
            let number = class.to_string();
            let across = wide(&number);
            image.text(left + along + centered(across, cell), top - GAP - LINE, DOT, &number, BLACK);
            let right = left - GAP - across;
            image.text(right, top + along + centered(LINE, cell), DOT, &number, BLACK);
        }
        let total: f64 = row.iter().map(|&count| count as f64).sum();
        for column in 0..classes {
            let count = row.get(column).copied().unwrap_or(0);
            let color = match total {
                0.0 => MISSING,
                total => blend(WHITE, NEGATIVE, (count as f64 / total).sqrt()),
            };
            image.fill(left + column * cell, top + along, cell, cell, color);
        }
    }
    image
}

/// Which rows of a first layer's weight belong to which pixels of the image.
#[derive(Clone, Copy, Debug)]
pub struct PixelRows {
    /// Rows of the image.
    pub height: usize,
    /// Columns of the image.
    pub width: usize,
    /// Pixel p is row `first_pixel_row + p` of the weight.
    pub first_pixel_row: usize,
    /// Pixels 0 to this one hold the label instead of the image; they are shown gray.
    pub label_pixels: usize,
}

/// The incoming weights of the first `count` units as pictures, in a square grid.
///
/// `weight` is [fan_in, fan_out], row by row. Red is positive, white zero, blue negative, the full
/// color being the largest |w| of the unit's own picture. Weights that are missing, not finite, or of
/// label pixels are gray.
pub fn receptive_fields(weight: &[f32], fan_out: usize, rows: PixelRows, count: usize) -> RgbImage {
    const GAP: usize = 2;
    let count = count.min(fan_out);
    let columns = (1..).find(|c| c * c >= count).unwrap_or(1);
    let lines = count.div_ceil(columns).max(1);
    let (wide, high) = (enlargement(rows.width), enlargement(rows.height));
    let (width, height) = (rows.width * wide + GAP, rows.height * high + GAP);

    let mut image = RgbImage::filled(GAP + columns * width, GAP + lines * height, GRAY);
    for unit in 0..count {
        let field = |pixel: usize| {
            let at = (rows.first_pixel_row + pixel) * fan_out + unit;
            let known = pixel >= rows.label_pixels;
            weight.get(at).copied().filter(|w| known && w.is_finite())
        };
        let pixels = 0..rows.width * rows.height;
        let largest = pixels.clone().filter_map(field).fold(0.0, |m: f32, w| m.max(w.abs()));
        let x = GAP + unit % columns * width;
        let y = GAP + unit / columns * height;
        for (pixel, w) in pixels.filter_map(|p| Some((p, field(p)?))) {
            let end = if w > 0.0 { POSITIVE } else { NEGATIVE };
            let strength = if w == 0.0 { 0.0 } else { (w / largest).abs() };
            let (x, y) = (x + pixel % rows.width * wide, y + pixel / rows.width * high);
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

    fn sample(pixels: &[u8], label: usize, prediction: usize) -> Sample<'_> {
        Sample { pixels, height: 28, width: 28, label, prediction }
    }

    #[test]
    fn enlargement_approaches_fifty_six() {
        let sides = [1, 8, 28, 32, 56, 100, 500].map(|s| s * enlargement(s));
        assert_eq!(sides, [56, 56, 56, 64, 56, 100, 500]);
        assert_eq!(enlargement(0), 56);
    }

    #[test]
    fn predictions_are_green_when_right_and_red_when_wrong() {
        let mut pixels = vec![0; 28 * 28];
        pixels[1] = 200;
        let image = prediction_grid(&[sample(&pixels, 7, 7), sample(&pixels, 7, 4)]);
        assert_eq!((image.width, image.height), (4 + 5 * 64, 4 + 5 * 76));
        assert_eq!(pixel(&image, 0, 0), WHITE);
        assert_eq!(pixel(&image, 4, 4), GREEN);
        assert_eq!(pixel(&image, 4 + 64, 4), RED);
        // The second pixel is a square of 2 × 2 below the caption and inside the border.
        let shown = [5, 6, 7, 8, 9, 10].map(|x| pixel(&image, x, 18));
        assert_eq!(shown, [GREEN, BLACK, BLACK, [200; 3], [200; 3], BLACK]);
        assert_eq!(pixel(&image, 4 + 2 * 64, 4), WHITE);
        assert_eq!(fingerprint(&image), 6_740_881_070_991_113_869);
    }

    #[test]
    fn odd_predictions_are_drawn_all_the_same() {
        let whole = prediction_grid(&[]);
        assert!(whole.pixels.iter().all(|&v| v == 255));
        let many = vec![sample(&[1, 2], 123_456_789, 99); 60];
        let image = prediction_grid(&many);
        assert_eq!(image.height, 4 + 5 * 76);
        assert_eq!([7, 8, 10].map(|x| pixel(&image, x, 18)), [[1; 3], [2; 3], BLACK]);
    }

    #[test]
    fn confusions_are_shares_of_the_true_class() {
        let image = confusion_matrix(&[vec![3, 1], vec![0, 0]]);
        let (left, top) = (30, 38);
        assert_eq!((image.width, image.height), (left + 80 + 6, top + 80 + 6));
        let cells = [(0, 0), (40, 0), (0, 40), (40, 40)].map(|(x, y)| pixel(&image, left + x, top + y));
        let shade = |share: f64| blend(WHITE, NEGATIVE, share.sqrt());
        assert_eq!(cells, [shade(0.75), shade(0.25), MISSING, MISSING]);
        assert_eq!(pixel(&image, left + 79, top + 39), shade(0.25));
        assert_eq!(fingerprint(&image), 13_211_383_331_705_132_045);
    }

    #[test]
    fn confusions_of_any_size_are_drawn() {
        assert!(confusion_matrix(&[]).width > 16);
        let hundred = confusion_matrix(&vec![vec![1; 100]; 100]);
        assert_eq!(hundred.width, 38 + 800 + 6);
        assert_eq!(confusion_matrix(&vec![vec![1; 101]; 101]), hundred);
        let ragged = confusion_matrix(&[vec![1, u64::MAX, u64::MAX], vec![]]);
        assert_eq!(pixel(&ragged, 30 + 79, 38 + 79), MISSING);
    }

    #[test]
    fn numbers_of_many_classes_are_apart() {
        let image = confusion_matrix(&vec![vec![1; 100]; 100]);
        // Every fifth class has its number, and white after it.
        let inked = |x: usize| (22..32).any(|y| pixel(&image, x, y) == BLACK);
        let columns: Vec<bool> = (38..838).map(inked).collect();
        let gaps = columns.split(|inked| *inked).map(<[bool]>::len).filter(|gap| *gap > 20).count();
        assert_eq!(gaps, 20);
    }

    #[test]
    fn fields_are_scaled_by_their_own_largest_weight() {
        // Two units, a row before the image, and a label in its first pixel.
        let weight = [9.0, 9.0, 9.0, 9.0, 2.0, 0.0, -1.0, 0.0, 0.0, f32::NAN];
        let rows = PixelRows { height: 2, width: 2, first_pixel_row: 1, label_pixels: 1 };
        let image = receptive_fields(&weight, 2, rows, 9);
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
        let rows = PixelRows { height: 1, width: 1, first_pixel_row: 0, label_pixels: 0 };
        assert_eq!(receptive_fields(&[], 0, rows, 10).width, 60);
        assert_eq!(pixel(&receptive_fields(&[], 3, rows, 10), 5, 5), GRAY);
        let tiny = receptive_fields(&[f32::MIN_POSITIVE], 1, rows, 1);
        assert_eq!(pixel(&tiny, 5, 5), POSITIVE);
    }
}
