//! What colors and strokes mean, always beside the data, never over them.

use plotters::style::RGBColor;

use super::canvas::{Anchor, Canvas, Rect, SMALL, TextLook, fitting_size, text_width};
use super::palette::INK;
use super::panel::{Mark, Stroke, line};

/// Three dashes long.
const SAMPLE: f64 = 54.0;
const GAP: f64 = 12.0;
const BETWEEN: f64 = 28.0;

/// Height of a legend laid out in one row.
pub const ROW: f64 = 46.0;

/// A name and the stroke it stands for.
pub type Entry = (String, Stroke);

/// Entries side by side along the top of `area`, shrunk to fit; returns what is left below.
pub fn row(canvas: &mut Canvas, area: Rect, entries: &[Entry]) -> Rect {
    canvas.data.name(entries);
    let fixed = entries.len() as f64 * (SAMPLE + GAP + BETWEEN) - BETWEEN;
    let words: String = entries.iter().map(|(label, _)| label.as_str()).collect();
    let size = fitting_size(&words, SMALL, area.width - fixed);
    let mut x = area.x;
    for (label, stroke) in entries {
        sample(canvas, x, area.y + 14.0, *stroke);
        x += SAMPLE + GAP;
        canvas.text(label, (x, area.y + 14.0), TextLook::new(size, Anchor::Left));
        x += text_width(label, size) + BETWEEN;
    }
    area.inset(0.0, ROW, 0.0, 0.0)
}

/// Entries below each other along the right of `area`, taking at most a third of it; returns
/// what is left beside them.
pub fn column(canvas: &mut Canvas, area: Rect, entries: &[Entry]) -> Rect {
    canvas.data.name(entries);
    let step = (area.height / entries.len().max(1) as f64).min(40.0);
    let widest =
        entries.iter().map(|(label, _)| text_width(label, SMALL)).fold(0.0, f64::max).min(area.width / 3.0);
    let size = entries
        .iter()
        .map(|(label, _)| fitting_size(label, SMALL, widest))
        .fold(SMALL.min(step * 0.8), f64::min);
    let x = area.right() - widest - SAMPLE - GAP;
    for (index, (label, stroke)) in entries.iter().enumerate() {
        let y = area.y + 20.0 + step * index as f64;
        sample(canvas, x, y, *stroke);
        let look = TextLook::new(size, Anchor::Left);
        canvas.text_within(label, (x + SAMPLE + GAP, y), look, widest);
    }
    area.inset(0.0, 0.0, area.right() - x + 20.0, 0.0)
}

fn sample(canvas: &mut Canvas, x: f64, y: f64, stroke: Stroke) {
    if stroke.joined {
        line(canvas, vec![(x, y), (x + SAMPLE, y)], stroke);
    }
    let at_end = matches!(stroke.mark, Mark::Cross | Mark::End) && stroke.joined;
    let x = if at_end { x + SAMPLE - 8.0 } else { x + SAMPLE / 2.0 };
    if stroke.mark != Mark::None {
        stroke.put_mark(canvas, (x, y));
    }
}

/// A vertical scale of colors at the right of `area`; `marks` are fractions of its height with
/// their labels. Returns what is left beside it.
pub fn color_bar(
    canvas: &mut Canvas,
    area: Rect,
    title: &str,
    color: impl Fn(f64) -> RGBColor,
    marks: &[(f64, String)],
) -> Rect {
    const WIDTH: f64 = 26.0;
    const STEPS: usize = 128;
    let widest = marks.iter().map(|(_, label)| text_width(label, SMALL)).fold(0.0, f64::max);
    let taken = WIDTH + 12.0 + widest + 46.0;
    let bar = Rect::new(area.right() - taken, area.y, WIDTH, area.height);
    let colors = (0..STEPS).map(|step| color(1.0 - (step as f64 + 0.5) / STEPS as f64)).collect();
    canvas.image(bar, 1, colors);
    canvas.frame(bar, INK, 2.0);
    for (fraction, label) in marks {
        let y = bar.bottom() - fraction * bar.height;
        canvas.fill(Rect::new(bar.right(), y - 1.0, 7.0, 2.0), INK);
        let at = (bar.right() + 12.0, y);
        canvas.text(label, at, TextLook::new(SMALL, Anchor::Left));
    }
    let mut look = TextLook::new(fitting_size(title, SMALL, area.height), Anchor::Center);
    look.upright = true;
    canvas.text(title, (area.right() - 14.0, bar.center().1), look);
    area.inset(0.0, 0.0, taken + 28.0, 0.0)
}
