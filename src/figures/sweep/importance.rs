//! Which knobs of a search made a difference.

use super::super::canvas::{Anchor, Canvas, LABEL, Look, Rect, SMALL, TextLook, text_width};
use super::super::palette::{BLUE, FAINT, INK, MUTED};
use super::axis::Axis;
use super::search::Compared;
use super::table::Table;

/// Groups that a knob's values are put into, of about as many cells each.
const GROUPS: usize = 4;

/// How much of the ranking each knob explains by itself, the most first.
pub fn draw(table: &Table, compared: &Compared, name: &str, look: Look) -> Option<Canvas> {
    let ranks = ranks(&compared.accuracies);
    let mut shares: Vec<(&Axis, f64)> =
        table.axes.iter().map(|axis| (axis, explained(&groups(axis, compared), &ranks))).collect();
    shares.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let facts = [
        compared.told(),
        "ω²: variance of the ranks of accuracy between groups of a knob's values, chance taken off"
            .to_owned(),
    ];
    let mut canvas = look.canvas_of(230.0 + 64.0 * shares.len() as f64);
    let body = canvas.heading("Importance of each knob", name, &facts);
    let widest = shares.iter().map(|(axis, _)| text_width(&axis.words, LABEL)).fold(0.0, f64::max);
    let bars = body.inset(widest.min(body.width / 3.0) + 20.0, 0.0, 110.0, 44.0);
    let row = bars.height / shares.len().max(1) as f64;
    for percent in [0.0, 25.0, 50.0, 75.0, 100.0] {
        let x = bars.x + bars.width * percent / 100.0;
        canvas.fill(Rect::new(x - 0.75, bars.y, 1.5, bars.height), FAINT);
        let at = (x, bars.bottom() + 24.0);
        canvas.text(&format!("{percent} %"), at, TextLook::new(SMALL, Anchor::Center).color(MUTED));
    }
    for (index, (axis, share)) in shares.iter().enumerate() {
        canvas.data.cell(("", ""), ("knob", &axis.words), &format!("{:.2}", 100.0 * share));
        let y = bars.y + row * (index as f64 + 0.5);
        let look = TextLook::new(LABEL, Anchor::Right);
        canvas.text_within(&axis.words, (bars.x - 14.0, y), look, bars.x - body.x - 14.0);
        canvas.fill(Rect::new(bars.x, y - 0.3 * row, (bars.width * share).max(2.0), 0.6 * row), BLUE);
        let at = (bars.x + bars.width * share + 12.0, y);
        canvas.text(&format!("{:.0} %", 100.0 * share), at, TextLook::new(SMALL, Anchor::Left));
    }
    canvas.fill(Rect::new(bars.x - 1.0, bars.y, 2.0, bars.height), INK);
    Some(canvas)
}

/// The group of each cell: one for each value where these are few or words, else groups of about equal size in the
/// order of the numbers.
fn groups(axis: &Axis, compared: &Compared) -> Vec<usize> {
    let places: Vec<usize> = compared.cells.iter().map(|cell| axis.index(cell)).collect();
    if !axis.is_ordered() || axis.values.len() <= GROUPS {
        return places;
    }
    let mut sorted = places.clone();
    sorted.sort_unstable();
    let below = |place: usize| sorted.partition_point(|other| *other < place);
    places.iter().map(|&place| below(place) * GROUPS / sorted.len()).collect()
}

/// Ranks from 0; equal values share their mean.
fn ranks(values: &[f64]) -> Vec<f64> {
    let count =
        |value: f64, is: fn(f64, f64) -> bool| values.iter().filter(|other| is(**other, value)).count();
    values
        .iter()
        .map(|&value| {
            let (below, equal) =
                (count(value, |other, own| other < own), count(value, |other, own| other == own));
            below as f64 + (equal as f64 - 1.0) / 2.0
        })
        .collect()
}

/// ω² of the values between groups, from 0 to 1: (SS_between − (k − 1) · MS_within) / (SS_total + MS_within).
fn explained(groups: &[usize], values: &[f64]) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let squares =
        |values: &[f64], around: f64| values.iter().map(|value| (value - around).powi(2)).sum::<f64>();
    let total = squares(values, mean(values));
    let mut seen: Vec<usize> = groups.to_vec();
    seen.sort_unstable();
    seen.dedup();
    let within: f64 = seen
        .iter()
        .map(|group| {
            let own = groups.iter().zip(values).filter(|(other, _)| *other == group);
            let own: Vec<f64> = own.map(|(_, value)| *value).collect();
            squares(&own, mean(&own))
        })
        .sum();
    let free = values.len() as f64 - seen.len() as f64;
    if free < 1.0 || total <= 0.0 {
        return 0.0;
    }
    let error = within / free;
    ((total - within - (seen.len() as f64 - 1.0) * error) / (total + error)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_decides_explains_all_and_what_does_not_nothing() {
        let values = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];
        let halves = [0, 0, 0, 0, 1, 1, 1, 1];
        // SS_total 42, SS_within 10, MS_within 10/6.
        let expected = (42.0 - 10.0 - 10.0 / 6.0) / (42.0 + 10.0 / 6.0);
        assert!((explained(&halves, &values) - expected).abs() < 1e-12);
        assert_eq!(explained(&[0, 1, 0, 1, 1, 0, 1, 0], &values), 0.0);
        assert_eq!(explained(&halves, &[2.0; 8]), 0.0);
    }

    #[test]
    fn equal_values_share_a_rank() {
        assert_eq!(ranks(&[5.0, 1.0, 5.0, 9.0]), [1.5, 0.0, 1.5, 3.0]);
    }
}
