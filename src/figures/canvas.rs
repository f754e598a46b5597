//! A page of shapes, measured in pixels, that knows nothing of PNG or SVG.

use std::sync::Once;

use plotters::style::{Color, FontDesc, FontFamily, FontStyle, RGBAColor, RGBColor, register_font};

use super::data::Data;
use super::palette::{INK, MUTED};

/// The embedded font.
pub static FONT_DATA: &[u8] = include_bytes!("font/Inter-Regular.otf");
/// The embedded font first; the rest is what an SVG viewer without it falls back to.
pub const FONT: &str = "Inter, Helvetica, Arial, sans-serif";
/// Size of a figure's title, in pixels per em as all sizes here.
pub const TITLE: f64 = 32.0;
/// Size of axis titles, tick labels and legends.
pub const LABEL: f64 = 25.0;
/// Size of captions.
pub const SMALL: f64 = 22.0;
/// Text is shrunk to this size before it is cut.
pub const TINY: f64 = 14.0;
/// From one line of a subtitle to the next.
const LINE: f64 = 30.0;
/// Height that [`Canvas::heading`] takes from the top, with one line of subtitle.
const HEADING: f64 = 96.0;
/// Pixels of a canvas per inch of print: a label is 8 points high.
pub const PER_INCH: f64 = 225.0;
/// Width of a figure, unless another is asked for.
const USUAL: f64 = 1400.0;
/// Figures narrower than this have their panels one below another.
const NARROW: f64 = 1000.0;

/// How figures look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// With title and subtitle, as a figure needs that stands by itself; in a paper the caption says it.
    pub titled: bool,
    /// Width in print, in inches; letters keep their size. None: the usual width of about 6.2 inches.
    pub inches: Option<f64>,
}

impl Default for Look {
    fn default() -> Self {
        Self { titled: true, inches: None }
    }
}

impl Look {
    /// Width in pixels.
    pub fn width(self) -> f64 {
        self.inches.map_or(USUAL, |inches| inches * PER_INCH)
    }

    /// Panels side by side, as many as there is room for of so many.
    pub fn columns(self, most: usize) -> usize {
        if self.width() < NARROW { 1 } else { most }
    }

    /// Small panels side by side, of so many that are alike: three at the usual width, two in a column of a paper.
    pub fn facets(self, panels: usize) -> usize {
        const ONE: f64 = 340.0;
        ((self.width() / ONE) as usize).clamp(1, 3).min(panels.max(1))
    }

    /// The page of a figure that is so high at its usual width.
    pub fn canvas(self, height: f64) -> Canvas {
        let width = self.width();
        // A narrow figure is less high, but not in proportion: its letters are not smaller.
        let share = if self.inches.is_some() { (0.4 + 0.6 * width / USUAL).min(1.2) } else { 1.0 };
        self.canvas_of(share * height)
    }

    /// The page of a figure that is so high at this width.
    pub fn canvas_of(self, height: f64) -> Canvas {
        let untitled = if self.titled { 0.0 } else { HEADING };
        let mut canvas =
            Canvas::new(self.width().round() as u32, (height - untitled).max(200.0).round() as u32);
        canvas.titled = self.titled;
        canvas.in_print = self.inches.is_some();
        canvas
    }
}

/// x to the right, y downwards.
pub type Point = (f64, f64);

/// A rectangle by its upper left corner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rect {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

impl Rect {
    /// The rectangle with these corners and extent.
    pub fn new(x: f64, y: f64, width: f64, height: f64) -> Self {
        Self { x, y, width, height }
    }

    /// x of the right edge.
    pub fn right(&self) -> f64 {
        self.x + self.width
    }

    /// y of the lower edge.
    pub fn bottom(&self) -> f64 {
        self.y + self.height
    }

    /// The point in the middle.
    pub fn center(&self) -> Point {
        (self.x + self.width / 2.0, self.y + self.height / 2.0)
    }

    /// What is left after taking these from the left, top, right and bottom.
    pub fn inset(&self, left: f64, top: f64, right: f64, bottom: f64) -> Self {
        Self::new(
            self.x + left,
            self.y + top,
            (self.width - left - right).max(1.0),
            (self.height - top - bottom).max(1.0),
        )
    }

    /// Cell `index` of `columns` × `rows` equal ones, row by row, `gap` apart.
    pub fn cell(&self, index: usize, columns: usize, rows: usize, gap: f64) -> Self {
        let (columns, rows) = (columns.max(1), rows.max(1));
        let width = (self.width - gap * (columns - 1) as f64) / columns as f64;
        let height = (self.height - gap * (rows - 1) as f64) / rows as f64;
        Self::new(
            self.x + (index % columns) as f64 * (width + gap),
            self.y + (index / columns) as f64 * (height + gap),
            width,
            height,
        )
    }
}

/// Which end of a text lies at its point; vertically it is always the middle of its capitals.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Anchor {
    Left,
    Center,
    Right,
}

/// How a text looks.
#[derive(Clone, Copy, Debug)]
pub struct TextLook {
    pub size: f64,
    pub color: RGBColor,
    pub anchor: Anchor,
    /// Reads from bottom to top.
    pub upright: bool,
}

impl TextLook {
    /// Dark, horizontal text.
    pub fn new(size: f64, anchor: Anchor) -> Self {
        Self { size, color: INK, anchor, upright: false }
    }

    /// The same in another color.
    pub fn color(self, color: RGBColor) -> Self {
        Self { color, ..self }
    }
}

/// One mark on the page.
#[derive(Clone, Debug)]
pub enum Shape {
    Line {
        points: Vec<Point>,
        color: RGBAColor,
        width: f64,
    },
    Polygon {
        points: Vec<Point>,
        color: RGBAColor,
    },
    Box {
        area: Rect,
        color: RGBAColor,
    },
    Dot {
        center: Point,
        radius: f64,
        color: RGBAColor,
    },
    Text {
        text: String,
        at: Point,
        look: TextLook,
    },
    /// Square-edged pixels, row by row; nothing may be drawn over them.
    Image {
        area: Rect,
        columns: usize,
        pixels: Vec<RGBColor>,
    },
}

/// Shapes in the order they are painted.
#[derive(Clone, Debug)]
pub struct Canvas {
    pub width: u32,
    pub height: u32,
    pub shapes: Vec<Shape>,
    titled: bool,
    /// Its size is one in print.
    pub in_print: bool,
    /// The numbers that are drawn, for other programs.
    pub data: Data,
}

impl Canvas {
    /// A white page.
    pub fn new(width: u32, height: u32) -> Self {
        Self { width, height, shapes: Vec::new(), titled: true, in_print: false, data: Data::default() }
    }

    /// The whole page less an even margin.
    pub fn page(&self) -> Rect {
        Rect::new(0.0, 0.0, self.width.into(), self.height.into()).inset(28.0, 24.0, 28.0, 22.0)
    }

    /// Title and subtitle in the upper left corner; returns the page below them. Of a long subtitle it is the
    /// name that is shortened; what is said of it goes on in a second line.
    pub fn heading(&mut self, title: &str, name: &str, facts: &[String]) -> Rect {
        let page = self.page();
        if !self.titled {
            return page;
        }
        self.text_within(title, (page.x, page.y + 16.0), TextLook::new(TITLE, Anchor::Left), page.width);
        let mut lines = vec![shorten(name, SMALL, 0.6 * page.width)];
        for fact in facts {
            let last = lines.len() - 1;
            let longer = format!("{} · {fact}", lines[last]);
            if last > 0 || text_width(&longer, SMALL) <= page.width {
                lines[last] = longer;
            } else {
                lines.push(fact.clone());
            }
        }
        let look = TextLook::new(SMALL, Anchor::Left).color(MUTED);
        for (index, line) in lines.iter().enumerate() {
            let y = page.y + 56.0 + LINE * index as f64;
            self.text_within(line, (page.x, y), look, page.width);
        }
        page.inset(0.0, HEADING + LINE * (lines.len() - 1) as f64, 0.0, 0.0)
    }

    /// A polyline.
    pub fn line(&mut self, points: Vec<Point>, color: impl Color, width: f64) {
        self.shapes.push(Shape::Line { points, color: color.to_rgba(), width });
    }

    /// A filled polygon.
    pub fn polygon(&mut self, points: Vec<Point>, color: impl Color) {
        self.shapes.push(Shape::Polygon { points, color: color.to_rgba() });
    }

    /// A filled rectangle.
    pub fn fill(&mut self, area: Rect, color: impl Color) {
        self.shapes.push(Shape::Box { area, color: color.to_rgba() });
    }

    /// The outline of a rectangle.
    pub fn frame(&mut self, area: Rect, color: impl Color, width: f64) {
        let (left, top, right, bottom) = (area.x, area.y, area.right(), area.bottom());
        let half = width / 2.0;
        let color = color.to_rgba();
        for edge in [
            Rect::new(left - half, top - half, area.width + width, width),
            Rect::new(left - half, bottom - half, area.width + width, width),
            Rect::new(left - half, top - half, width, area.height + width),
            Rect::new(right - half, top - half, width, area.height + width),
        ] {
            self.fill(edge, color);
        }
    }

    /// A filled circle.
    pub fn dot(&mut self, center: Point, radius: f64, color: impl Color) {
        self.shapes.push(Shape::Dot { center, radius, color: color.to_rgba() });
    }

    /// A line of text.
    pub fn text(&mut self, text: &str, at: Point, look: TextLook) {
        if !text.is_empty() {
            self.shapes.push(Shape::Text { text: text.to_owned(), at, look });
        }
    }

    /// A line of text shrunk, then cut, to `room` pixels.
    pub fn text_within(&mut self, text: &str, at: Point, look: TextLook, room: f64) {
        let size = fitting_size(text, look.size, room).max(TINY.min(look.size));
        // A text that was shrunk to the room may measure a pixel more.
        self.text(&shorten(text, size, room + 2.0), at, TextLook { size, ..look });
    }

    /// Square-edged pixels, row by row.
    pub fn image(&mut self, area: Rect, columns: usize, pixels: Vec<RGBColor>) {
        if columns > 0 && !pixels.is_empty() {
            self.shapes.push(Shape::Image { area, columns, pixels });
        }
    }
}

/// The largest size up to `size` at which `text` is at most `room` wide.
pub fn fitting_size(text: &str, size: f64, room: f64) -> f64 {
    let width = text_width(text, size);
    if width <= room { size } else { size * room.max(0.0) / width }
}

/// What fits of a text into `room` pixels, with an ellipsis for the rest.
fn shorten(text: &str, size: f64, room: f64) -> String {
    if text_width(text, size) <= room {
        return text.to_owned();
    }
    let mut kept: Vec<char> = text.chars().take(400).collect();
    loop {
        let cut: String = kept.iter().chain(&['…']).collect();
        if kept.pop().is_none() || text_width(&cut, size) <= room {
            return cut;
        }
    }
}

/// Width of a line of text.
pub fn text_width(text: &str, size: f64) -> f64 {
    register();
    // Layout counts whole pixels, so it is asked at ten times the size.
    FontDesc::new(FontFamily::Name(FONT), font_size(size) * 10.0, FontStyle::Normal)
        .layout_box(text)
        .map_or(0.6 * size * text.chars().count() as f64, |(_, (right, _))| f64::from(right) / 10.0)
}

/// Plotters' font size, a line height, from pixels per em.
pub fn font_size(em: f64) -> f64 {
    em * 1.24
}

/// Makes the embedded font known to plotters, which keeps one table per process.
pub fn register() {
    static ONCE: Once = Once::new();
    // A font that cannot be read shows up as an error on the first text drawn.
    ONCE.call_once(|| drop(register_font(FONT, FontStyle::Normal, FONT_DATA)));
}
