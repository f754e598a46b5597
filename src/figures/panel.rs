//! One coordinate system on the page: axes, ticks, grid and the curves within.

use plotters::style::Color;

use super::canvas::{Anchor, Canvas, LABEL, Point, Rect, SMALL, TextLook, fitting_size, text_width};
use super::estimate::Estimate;
use super::labels::Below;
use super::palette::{FAINT, INK, MUTED, PAPER};
use super::scale::Axis;
pub use super::stroke::{Mark, Stroke};

impl Stroke {
    /// The stroke's mark at a point of the page.
    pub fn put_mark(self, canvas: &mut Canvas, (x, y): Point) {
        let radius = self.width * 1.8;
        match self.mark {
            Mark::None | Mark::Dot => canvas.dot((x, y), radius, self.color),
            Mark::Ring | Mark::End => {
                canvas.dot((x, y), radius + 1.0, self.color);
                canvas.dot((x, y), radius - 2.0, PAPER);
            }
            Mark::Cross => {
                for (up, down) in [(-radius, radius), (radius, -radius)] {
                    canvas.line(vec![(x - radius, y + up), (x + radius, y + down)], self.color, 3.0);
                }
            }
        }
    }
}

/// Two axes around an area.
#[derive(Clone, Debug)]
pub struct Panel {
    /// Where data are drawn.
    pub area: Rect,
    title: String,
    x: Axis,
    y: Axis,
}

impl Panel {
    /// Draws axes inside `slot`; an empty `title` takes no room.
    pub fn draw(canvas: &mut Canvas, slot: Rect, title: &str, x: Axis, y: Axis) -> Self {
        let widest = y.ticks.iter().map(|(_, label)| text_width(label, LABEL)).fold(0.0, f64::max);
        let widest = widest.min(slot.width / 4.0);
        let left = widest + if y.title.is_empty() { 14.0 } else { 56.0 };
        let top = if title.is_empty() { 12.0 } else { 46.0 };
        let below = Self::labels_below(&x, slot.width - left - 16.0);
        let bottom = below.height + if x.title.is_empty() { 0.0 } else { 40.0 };
        let panel = Self { area: slot.inset(left, top, 16.0, bottom), title: title.to_owned(), x, y };
        canvas.text_within(
            title,
            (panel.area.center().0, slot.y + 18.0),
            TextLook::new(LABEL, Anchor::Center),
            panel.area.width,
        );
        panel.draw_y(canvas, slot, widest);
        panel.draw_x(canvas, slot, below);
        if panel.y.ticks.is_empty() {
            let look = TextLook::new(SMALL, Anchor::Center).color(MUTED);
            canvas.text("no finite values", panel.area.center(), look);
        }
        panel
    }

    fn draw_y(&self, canvas: &mut Canvas, slot: Rect, widest: f64) {
        let area = self.area;
        let mut free = f64::INFINITY;
        for (value, label) in &self.y.ticks {
            let y = self.y_of(*value);
            canvas.fill(Rect::new(area.x, y - 0.75, area.width, 1.5), FAINT);
            canvas.fill(Rect::new(area.x - 7.0, y - 1.0, 7.0, 2.0), INK);
            if y < free {
                canvas.text_within(label, (area.x - 12.0, y), TextLook::new(LABEL, Anchor::Right), widest);
                free = y - LABEL;
            }
        }
        canvas.fill(Rect::new(area.x - 1.0, area.y, 2.0, area.height + 1.0), INK);
        let mut look = TextLook::new(LABEL, Anchor::Center);
        look.upright = true;
        look.size = fitting_size(&self.y.title, look.size, slot.height);
        // A title longer than its axis is centered on the slot, to stay on the page.
        let beside = text_width(&self.y.title, look.size) <= area.height;
        let middle = if beside { area.center().1 } else { slot.center().1 };
        canvas.text(&self.y.title, (slot.x + 14.0, middle), look);
    }

    /// Names all have to be read; of numbers some will do.
    fn labels_below(x: &Axis, width: f64) -> Below {
        if x.names.is_empty() {
            return Below::plain();
        }
        let room = width / x.ticks.len().max(1) as f64 - 14.0;
        Below::fitting(x.ticks.iter().map(|(_, label)| label.as_str()), room)
    }

    fn draw_x(&self, canvas: &mut Canvas, slot: Rect, below: Below) {
        let area = self.area;
        let bottom = area.bottom();
        let mut free = f64::NEG_INFINITY;
        for (value, label) in &self.x.ticks {
            let x = self.x_of(*value);
            canvas.fill(Rect::new(x - 1.0, bottom, 2.0, 7.0), INK);
            let half = text_width(label, LABEL) / 2.0;
            if !self.x.names.is_empty() || x - half > free {
                below.write(canvas, label, (x, bottom));
                free = x + half + 12.0;
            }
        }
        canvas.fill(Rect::new(area.x - 1.0, bottom - 1.0, area.width + 1.0, 2.0), INK);
        let look = TextLook::new(LABEL, Anchor::Center);
        let at = (area.center().0, bottom + below.height + 22.0);
        canvas.text_within(&self.x.title, at, look, slot.width);
    }

    /// The same axes, for what is drawn so many pixels to the right.
    pub fn aside(&self, pixels: f64) -> Self {
        let area = Rect { x: self.area.x + pixels, ..self.area };
        Self { area, ..self.clone() }
    }

    fn x_of(&self, x: f64) -> f64 {
        self.area.x + self.x.position(x) * self.area.width
    }

    fn y_of(&self, y: f64) -> f64 {
        self.area.bottom() - self.y.position(y) * self.area.height
    }

    /// The page's point for a pair of values.
    pub fn at(&self, (x, y): Point) -> Point {
        (self.x_of(x), self.y_of(y))
    }

    /// A curve, interrupted where a value is not finite.
    pub fn curve(&self, canvas: &mut Canvas, values: &[Point], stroke: Stroke) {
        values.iter().for_each(|point| self.record(canvas, *point, stroke, None));
        self.trace(canvas, values, stroke);
    }

    /// The same of means, with their error bars.
    pub fn estimates(&self, canvas: &mut Canvas, estimates: &[Estimate], stroke: Stroke) {
        for estimate in estimates {
            let (x, y) = estimate.at;
            self.record(canvas, (x, y), stroke, Some(estimate));
            let along_x = estimate.across().map(|(low, high)| [(low, y), (high, y)]);
            let along_y = estimate.up().map(|(low, high)| [(x, low), (x, high)]);
            for ends in [along_x, along_y].into_iter().flatten() {
                error_bar(canvas, ends.map(|end| self.at(end)), stroke);
            }
        }
        let means: Vec<Point> = estimates.iter().map(|estimate| estimate.at).collect();
        self.trace(canvas, &means, stroke);
    }

    /// What is drawn, for other programs.
    fn record(&self, canvas: &mut Canvas, (x, y): Point, stroke: Stroke, estimate: Option<&Estimate>) {
        if x.is_finite() && y.is_finite() {
            let (x, y) = ((self.x.title.as_str(), self.x.told(x)), (self.y.title.as_str(), y.to_string()));
            canvas.data.point(&self.title, stroke, x, y, estimate);
        }
    }

    fn trace(&self, canvas: &mut Canvas, values: &[Point], stroke: Stroke) {
        let runs = values.split(|(x, y)| !self.x.shows(*x) || !self.y.shows(*y));
        for run in runs.filter(|run| !run.is_empty()) {
            let points: Vec<Point> = run.iter().map(|value| self.at(*value)).collect();
            if stroke.joined {
                line(canvas, points.clone(), stroke);
            }
            let lonely = points.len() == 1 || !stroke.joined;
            let marked = match stroke.mark {
                Mark::None if !lonely => &[],
                Mark::Cross | Mark::End if stroke.joined => {
                    points.last().map(std::slice::from_ref).unwrap_or_default()
                }
                _ => points.as_slice(),
            };
            marked.iter().for_each(|point| stroke.put_mark(canvas, *point));
        }
    }

    /// The area between a curve and the x axis.
    pub fn area_under(&self, canvas: &mut Canvas, values: &[Point], color: impl Color) {
        let mut points: Vec<Point> = values.iter().map(|value| self.at(*value)).collect();
        if let (Some(first), Some(last)) = (points.first().copied(), points.last().copied()) {
            points.push((last.0, self.area.bottom()));
            points.push((first.0, self.area.bottom()));
            canvas.polygon(points, color);
        }
    }
}

/// A thin line between points of the page, one right of or above the other, with a cap at each.
fn error_bar(canvas: &mut Canvas, ends: [Point; 2], stroke: Stroke) {
    const CAP: f64 = 8.0;
    const WIDTH: f64 = 2.5;
    let [(x, _), (other, _)] = ends;
    let (across, up) = if x == other { (CAP, 0.0) } else { (0.0, CAP) };
    canvas.line(ends.to_vec(), stroke.color, WIDTH);
    for (x, y) in ends {
        canvas.line(vec![(x - across, y - up), (x + across, y + up)], stroke.color, WIDTH);
    }
}

/// A line in the stroke's manner, between points of the page.
pub fn line(canvas: &mut Canvas, points: Vec<Point>, stroke: Stroke) {
    if points.len() < 2 {
        return;
    }
    if stroke.dashed {
        for dash in dashes(&points, 12.0, 9.0) {
            canvas.line(dash, stroke.color, stroke.width);
        }
    } else {
        canvas.line(points, stroke.color, stroke.width);
    }
}

fn dashes(points: &[Point], on: f64, off: f64) -> Vec<Vec<Point>> {
    let mut dashes = Vec::new();
    let mut current: Vec<Point> = points.first().copied().into_iter().collect();
    let (mut drawing, mut left) = (true, on);
    for pair in points.windows(2) {
        let [(x0, y0), (x1, y1)] = pair else { continue };
        let length = (x1 - x0).hypot(y1 - y0);
        let mut done = 0.0;
        while length - done > left {
            done += left;
            let part = done / length;
            let point = (x0 + (x1 - x0) * part, y0 + (y1 - y0) * part);
            current.push(point);
            if drawing {
                dashes.push(std::mem::take(&mut current));
            }
            current = vec![point];
            drawing = !drawing;
            left = if drawing { on } else { off };
        }
        left -= length - done;
        current.push((*x1, *y1));
    }
    if drawing && current.len() > 1 {
        dashes.push(current);
    }
    dashes
}
