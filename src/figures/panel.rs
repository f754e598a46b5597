//! One coordinate system on the page: axes, ticks, grid and the curves within.

use plotters::style::{Color, RGBColor};

use super::canvas::{Anchor, Canvas, LABEL, Point, Rect, SMALL, TextLook, fitting_size, text_width};
use super::palette::{FAINT, INK, MUTED};
use super::scale::Axis;

/// How a curve is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stroke {
    pub color: RGBColor,
    pub width: f64,
    pub dashed: bool,
    /// A dot at every point, not only at lonely ones.
    pub dots: bool,
}

impl Stroke {
    /// A solid line.
    pub fn solid(color: RGBColor) -> Self {
        Self { color, width: 3.5, dashed: false, dots: false }
    }

    /// A dashed line.
    pub fn dashed(color: RGBColor) -> Self {
        Self { dashed: true, ..Self::solid(color) }
    }

    /// The same line with a dot at every point if there are few of them.
    pub fn dots_if_few(self, points: usize) -> Self {
        Self { dots: points <= 20, ..self }
    }
}

/// Two axes around an area.
#[derive(Clone, Debug)]
pub struct Panel {
    /// Where data are drawn.
    pub area: Rect,
    x: Axis,
    y: Axis,
}

impl Panel {
    /// Draws axes inside `slot`; an empty `title` takes no room.
    pub fn draw(canvas: &mut Canvas, slot: Rect, title: &str, x: Axis, y: Axis) -> Self {
        let widest = y.ticks.iter().map(|(_, label)| text_width(label, LABEL)).fold(0.0, f64::max);
        let left = widest + if y.title.is_empty() { 14.0 } else { 56.0 };
        let top = if title.is_empty() { 12.0 } else { 46.0 };
        let bottom = if x.title.is_empty() { 40.0 } else { 80.0 };
        let panel = Self { area: slot.inset(left, top, 16.0, bottom), x, y };
        canvas.text_within(
            title,
            (panel.area.center().0, slot.y + 18.0),
            TextLook::new(LABEL, Anchor::Center),
            panel.area.width,
        );
        panel.draw_y(canvas, slot);
        panel.draw_x(canvas, slot);
        if panel.y.ticks.is_empty() {
            let look = TextLook::new(SMALL, Anchor::Center).color(MUTED);
            canvas.text("no finite values", panel.area.center(), look);
        }
        panel
    }

    fn draw_y(&self, canvas: &mut Canvas, slot: Rect) {
        let area = self.area;
        for (value, label) in &self.y.ticks {
            let y = self.y_of(*value);
            canvas.fill(Rect::new(area.x, y - 0.75, area.width, 1.5), FAINT);
            canvas.fill(Rect::new(area.x - 7.0, y - 1.0, 7.0, 2.0), INK);
            let look = TextLook::new(LABEL, Anchor::Right);
            canvas.text(label, (area.x - 12.0, y), look);
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

    fn draw_x(&self, canvas: &mut Canvas, slot: Rect) {
        let area = self.area;
        let bottom = area.bottom();
        let room = area.width / self.x.ticks.len().max(1) as f64 - 14.0;
        for (value, label) in &self.x.ticks {
            let x = self.x_of(*value);
            canvas.fill(Rect::new(x - 1.0, bottom, 2.0, 7.0), INK);
            let look = TextLook::new(LABEL, Anchor::Center);
            canvas.text_within(label, (x, bottom + 26.0), look, room.max(30.0));
        }
        canvas.fill(Rect::new(area.x - 1.0, bottom - 1.0, area.width + 1.0, 2.0), INK);
        let look = TextLook::new(LABEL, Anchor::Center);
        let at = (area.center().0, bottom + 62.0);
        canvas.text_within(&self.x.title, at, look, slot.width);
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
        let runs = values.split(|(x, y)| !self.x.shows(*x) || !self.y.shows(*y));
        for run in runs.filter(|run| !run.is_empty()) {
            let points: Vec<Point> = run.iter().map(|value| self.at(*value)).collect();
            if stroke.dots || points.len() == 1 {
                for point in &points {
                    canvas.dot(*point, stroke.width * 1.8, stroke.color);
                }
            }
            line(canvas, points, stroke);
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
