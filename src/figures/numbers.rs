//! Numbers as people write them.

/// Numbers up to this many letters are never rounded.
const SHORT: usize = 6;

/// Values beyond this are as good as infinite on paper.
const HUGE: f64 = 1e30;

/// A value that can be drawn.
pub fn drawable(value: f64) -> bool {
    value.abs() < HUGE
}

/// A number with so many decimals: a real minus sign, and powers of ten where digits would run on.
pub fn number(value: f64, decimals: usize) -> String {
    if value != 0.0 && (value.abs() >= 1e6 || value.abs() < 1e-4) {
        return exact(rounded(value, 3));
    }
    format!("{value:.decimals$}").replace('-', "−")
}

/// A measured number to so many significant digits, without trailing zeros.
pub fn significant(value: f64, digits: i32) -> String {
    if !drawable(value) {
        return "–".to_owned();
    }
    let before = if value == 0.0 { 1 } else { value.abs().log10().floor() as i32 + 1 };
    let text = number(value, (digits - before).clamp(0, 8) as usize);
    if text.contains('.') && !text.contains('e') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// Given numbers in few letters: exact where that is short, else with as few digits as keep different ones
/// apart.
pub fn labels(values: &[f64]) -> Vec<String> {
    let with = |digits: usize| -> Vec<String> {
        let short = |value: f64| Some(exact(value)).filter(|text| text.chars().count() <= SHORT);
        values.iter().map(|value| short(*value).unwrap_or_else(|| exact(rounded(*value, digits)))).collect()
    };
    let is_clear = |labels: &Vec<String>| {
        let different = |index: usize| values.get(index) != values.get(index + 1);
        labels.windows(2).enumerate().all(|(index, pair)| pair[0] != pair[1] || !different(index))
    };
    (2..17).map(with).find(is_clear).unwrap_or_else(|| values.iter().map(|value| exact(*value)).collect())
}

/// Every digit of a number, plain or with a power of ten, whichever is shorter.
pub fn exact(value: f64) -> String {
    let (plain, scientific) = (format!("{value}"), format!("{value:e}"));
    let shorter = if plain.len() <= SHORT.max(scientific.len()) { plain } else { scientific };
    shorter.replace('-', "−")
}

/// To so many significant digits.
pub fn rounded(value: f64, digits: usize) -> f64 {
    format!("{value:.0$e}", digits.saturating_sub(1)).parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_short_and_apart() {
        let told = labels(&[0.0001234, 0.001, 0.02123456, 0.5, 1000.0, 1e7, 123_456_789.0]);
        assert_eq!(told, ["1.2e−4", "0.001", "0.021", "0.5", "1000", "1e7", "1.2e8"]);
        assert_eq!(labels(&[0.00012341, 0.00012348]), ["1.234e−4", "1.235e−4"]);
        assert_eq!(labels(&[-0.5, 0.1 + 0.2]), ["−0.5", "0.3"]);
    }

    #[test]
    fn measured_numbers_have_their_digits() {
        let told = [0.0, 2.0, 0.12345, 1234.6, 2.5e7, -3e-5].map(|value| significant(value, 4));
        assert_eq!(told, ["0", "2", "0.1235", "1235", "2.5e7", "−3e−5"]);
        assert_eq!(significant(f64::NAN, 4), "–");
    }
}
