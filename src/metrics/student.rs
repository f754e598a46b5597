//! Student's t: how far a mean of few values may lie from the truth.

use std::f64::consts::FRAC_PI_2;

/// The t that a quantity with Student's distribution of `degrees` degrees of freedom stays within, above and below, with
/// probability `level` (0 to 1): 2.776 for 0.95 and 4 degrees. `None` without degrees of freedom, and for a level outside
/// 0 to 1.
pub fn two_sided(level: f64, degrees: usize) -> Option<f64> {
    if degrees == 0 || !(0.0..1.0).contains(&level) {
        return None;
    }
    // The probability grows with the angle whose tangent is t / √degrees, from 0 to a right angle.
    let (mut low, mut high) = (0.0, FRAC_PI_2);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if within(middle, degrees) < level { low = middle } else { high = middle }
    }
    Some(f64::midpoint(low, high).tan() * (degrees as f64).sqrt())
}

/// P(|T| < √n tan θ) of n degrees of freedom (Abramowitz and Stegun, 26.7.3 and 26.7.4): a sum of ⌊n / 2⌋ terms, each the
/// one before it times cos²θ and a ratio of neighboring whole numbers.
fn within(angle: f64, degrees: usize) -> f64 {
    let (sine, cosine) = angle.sin_cos();
    let odd = degrees % 2 == 1;
    let (mut term, mut sum) = (if odd { cosine } else { 1.0 }, 0.0);
    for k in 0..degrees / 2 {
        sum += term;
        let numerator = (2 * k + if odd { 2 } else { 1 }) as f64;
        term *= cosine * cosine * numerator / (numerator + 1.0);
    }
    if odd { (angle + sine * sum) / FRAC_PI_2 } else { sine * sum }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// Abramowitz and Stegun, table 26.10, three decimals.
    #[test]
    fn published_values() {
        let at_95 = [
            (1, 12.706),
            (2, 4.303),
            (3, 3.182),
            (4, 2.776),
            (5, 2.571),
            (9, 2.262),
            (10, 2.228),
            (29, 2.045),
            (30, 2.042),
            (60, 2.000),
            (120, 1.980),
        ];
        for (degrees, published) in at_95 {
            let t = two_sided(0.95, degrees).unwrap();
            assert!((t - published).abs() <= 0.0005, "{degrees}: {t}, published {published}");
        }
        for (level, degrees, published) in
            [(0.99, 4, 4.604), (0.99, 30, 2.750), (0.9, 1, 6.314), (0.5, 2, 0.816)]
        {
            let t = two_sided(level, degrees).unwrap();
            assert!((t - published).abs() <= 0.0005, "{level}, {degrees}: {t}, published {published}");
        }
    }

    /// With one and two degrees of freedom t has a formula; with very many it is the normal distribution's 1.959964.
    #[test]
    fn closed_forms() {
        for level in [0.0, 0.1, 0.5, 0.9, 0.95, 0.99, 0.999] {
            let one = (FRAC_PI_2 * level).tan();
            assert!((two_sided(level, 1).unwrap() - one).abs() < 1e-9 * (1.0 + one), "{level}");
            let two = level * (2.0 / (1.0 - level * level)).sqrt();
            assert!((two_sided(level, 2).unwrap() - two).abs() < 1e-9 * (1.0 + two), "{level}");
        }
        assert!((two_sided(0.95, 100_000).unwrap() - 1.959_964).abs() < 5e-5);
    }

    #[test]
    fn nothing_is_known_of_one_value() {
        assert_eq!(two_sided(0.95, 0), None);
        assert_eq!((two_sided(1.0, 3), two_sided(f64::NAN, 3)), (None, None));
    }
}
