//! Colors that stay apart for color-blind readers and in gray print.

use plotters::style::RGBColor;

/// Text and axes.
pub const INK: RGBColor = RGBColor(33, 33, 33);
/// Secondary text.
pub const MUTED: RGBColor = RGBColor(95, 95, 95);
/// Grid lines.
pub const FAINT: RGBColor = RGBColor(228, 228, 228);
/// No value here.
pub const ABSENT: RGBColor = RGBColor(222, 222, 222);
/// A curve without a rank.
pub const UNFINISHED: RGBColor = RGBColor(165, 165, 165);
/// The page.
pub const PAPER: RGBColor = RGBColor(255, 255, 255);

/// First of the Okabe–Ito colors.
pub const BLUE: RGBColor = RGBColor(0, 114, 178);
/// Its opposite.
pub const VERMILLION: RGBColor = RGBColor(213, 94, 0);
/// A right prediction.
pub const GREEN: RGBColor = RGBColor(0, 158, 115);
/// A wrong prediction: darker than [`GREEN`] where hues look alike.
pub const RED: RGBColor = RGBColor(190, 20, 30);

/// Okabe–Ito without its yellow, too pale for lines on white.
pub const SERIES: [RGBColor; 8] = [
    BLUE,
    VERMILLION,
    GREEN,
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
    RGBColor(0, 0, 0),
    RGBColor(127, 127, 127),
];

/// A color per series: Okabe–Ito while it lasts, else along [`rank`].
pub fn series(index: usize, count: usize) -> RGBColor {
    match SERIES.get(index) {
        Some(color) if count <= SERIES.len() => *color,
        _ => rank(index as f64 / count.saturating_sub(1).max(1) as f64),
    }
}

/// White at 0 to dark blue at 1.
pub fn amount(fraction: f64) -> RGBColor {
    ramp(
        &[
            PAPER,
            RGBColor(198, 219, 239),
            RGBColor(107, 174, 214),
            RGBColor(33, 113, 181),
            RGBColor(8, 48, 107),
        ],
        fraction,
    )
}

/// Blue at −1, white at 0, vermillion at 1.
pub fn signed(value: f64) -> RGBColor {
    ramp(&[RGBColor(0, 60, 110), BLUE, PAPER, VERMILLION, RGBColor(120, 45, 0)], (value + 1.0) / 2.0)
}

/// Viridis less its pale end: purple at 0, green at 1.
pub fn rank(fraction: f64) -> RGBColor {
    ramp(
        &[RGBColor(68, 1, 84), RGBColor(59, 82, 139), RGBColor(33, 145, 140), RGBColor(122, 200, 70)],
        fraction,
    )
}

/// Black or white, whichever is read better on `background`.
pub fn text_on(background: RGBColor) -> RGBColor {
    let RGBColor(r, g, b) = background;
    let luminance = 0.299 * f64::from(r) + 0.587 * f64::from(g) + 0.114 * f64::from(b);
    if luminance < 140.0 { PAPER } else { INK }
}

fn ramp(stops: &[RGBColor], fraction: f64) -> RGBColor {
    if !fraction.is_finite() {
        return ABSENT;
    }
    let place = fraction.clamp(0.0, 1.0) * stops.len().saturating_sub(1) as f64;
    let at = |index: usize| stops.get(index).or(stops.last()).copied().unwrap_or(ABSENT);
    let (low, high) = (at(place as usize), at(place as usize + 1));
    let mix = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * place.fract()).round() as u8;
    RGBColor(mix(low.0, high.0), mix(low.1, high.1), mix(low.2, high.2))
}
