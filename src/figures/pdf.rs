//! A [`Canvas`] as PDF: vectors at a size in print, letters as outlines.

use std::io::Write;

use ab_glyph::{Font, FontRef, Glyph, OutlineCurve};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use pdf_writer::types::{LineCapStyle, LineJoinStyle};
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect as PageBox, Ref};
use plotters::style::{RGBAColor, RGBColor};

use super::FigureError;
use super::canvas::{Anchor, Canvas, FONT_DATA, PER_INCH, Point, Rect, Shape, TextLook};

const CATALOG: Ref = Ref::new(1);
const PAGES: Ref = Ref::new(2);
const PAGE: Ref = Ref::new(3);
const CONTENT: Ref = Ref::new(4);
const FIRST_FREE: i32 = 5;

/// Points of print per pixel of a canvas.
const POINTS: f32 = 72.0 / PER_INCH as f32;

/// The page as PDF.
pub fn pdf(canvas: &Canvas) -> Result<Vec<u8>, FigureError> {
    let font = FontRef::try_from_slice(FONT_DATA).map_err(|error| FigureError::Draw(error.to_string()))?;
    let (width, height) = (canvas.width as f32 * POINTS, canvas.height as f32 * POINTS);
    let mut painter = Painter { content: Content::new(), font, images: Vec::new(), alphas: Vec::new() };
    // From pixels, y downwards, to points, y upwards.
    painter.content.transform([POINTS, 0.0, 0.0, -POINTS, 0.0, height]);
    painter.content.set_line_cap(LineCapStyle::ButtCap).set_line_join(LineJoinStyle::RoundJoin);
    for shape in &canvas.shapes {
        painter.paint(shape);
    }
    let Painter { content, images, alphas, .. } = painter;
    let image_ref = |index: usize| Ref::new(FIRST_FREE + index as i32);
    let alpha_ref = |index: usize| Ref::new(FIRST_FREE + (images.len() + index) as i32);

    let mut file = Pdf::new();
    file.catalog(CATALOG).pages(PAGES);
    file.pages(PAGES).kids([PAGE]).count(1);
    let mut page = file.page(PAGE);
    page.media_box(PageBox::new(0.0, 0.0, width, height));
    page.parent(PAGES);
    page.contents(CONTENT);
    let mut resources = page.resources();
    let mut objects = resources.x_objects();
    for index in 0..images.len() {
        objects.pair(Name(image_name(index).as_bytes()), image_ref(index));
    }
    objects.finish();
    let mut states = resources.ext_g_states();
    for index in 0..alphas.len() {
        states.pair(Name(alpha_name(index).as_bytes()), alpha_ref(index));
    }
    states.finish();
    resources.finish();
    page.finish();
    for (index, alpha) in alphas.iter().enumerate() {
        file.ext_graphics(alpha_ref(index)).non_stroking_alpha(*alpha).stroking_alpha(*alpha);
    }
    for (index, image) in images.iter().enumerate() {
        let bytes = compressed(&image.rgb)?;
        let mut object = file.image_xobject(image_ref(index), &bytes);
        object.filter(Filter::FlateDecode);
        object.width(image.columns as i32).height(image.rows as i32);
        object.color_space().device_rgb();
        object.bits_per_component(8);
    }
    let bytes = compressed(&content.finish())?;
    file.stream(CONTENT, &bytes).filter(Filter::FlateDecode);
    Ok(file.finish())
}

fn compressed(bytes: &[u8]) -> Result<Vec<u8>, FigureError> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    let fail = |error: std::io::Error| FigureError::Draw(error.to_string());
    encoder.write_all(bytes).map_err(fail)?;
    encoder.finish().map_err(fail)
}

fn image_name(index: usize) -> String {
    format!("I{index}")
}

fn alpha_name(index: usize) -> String {
    format!("A{index}")
}

struct Pixels {
    columns: usize,
    rows: usize,
    rgb: Vec<u8>,
}

/// Paints shapes into the content of a page.
struct Painter {
    content: Content,
    font: FontRef<'static>,
    images: Vec<Pixels>,
    /// Opacities in use, each a state of the page.
    alphas: Vec<f32>,
}

impl Painter {
    fn paint(&mut self, shape: &Shape) {
        match shape {
            Shape::Line { points, color, width } => {
                self.set_color(*color);
                self.content.set_line_width(*width as f32);
                self.path(points);
                self.content.stroke();
            }
            Shape::Polygon { points, color } => {
                self.set_color(*color);
                self.path(points);
                self.content.close_path().fill_nonzero();
            }
            Shape::Box { area, color } => {
                self.set_color(*color);
                let Rect { x, y, width, height } = *area;
                self.content.rect(x as f32, y as f32, width as f32, height as f32).fill_nonzero();
            }
            Shape::Dot { center, radius, color } => {
                self.set_color(*color);
                self.circle(*center, *radius);
                self.content.fill_nonzero();
            }
            Shape::Text { text, at, look } => self.text(text, *at, *look),
            Shape::Image { area, columns, pixels } => self.image(*area, *columns, pixels),
        }
    }

    fn set_color(&mut self, RGBAColor(r, g, b, alpha): RGBAColor) {
        let part = |value: u8| f32::from(value) / 255.0;
        let alpha = alpha as f32;
        let known = self.alphas.iter().position(|other| *other == alpha);
        let index = known.unwrap_or_else(|| {
            self.alphas.push(alpha);
            self.alphas.len() - 1
        });
        self.content.set_parameters(Name(alpha_name(index).as_bytes()));
        self.content.set_fill_rgb(part(r), part(g), part(b));
        self.content.set_stroke_rgb(part(r), part(g), part(b));
    }

    fn path(&mut self, points: &[Point]) {
        for (index, (x, y)) in points.iter().enumerate() {
            match index {
                0 => self.content.move_to(*x as f32, *y as f32),
                _ => self.content.line_to(*x as f32, *y as f32),
            };
        }
    }

    fn circle(&mut self, (x, y): Point, radius: f64) {
        // The handle of a cubic curve that is a quarter of a circle, to a part in a thousand.
        const HANDLE: f32 = 0.552_284_8;
        let (x, y, r) = (x as f32, y as f32, radius as f32);
        let h = HANDLE * r;
        self.content.move_to(x + r, y);
        self.content.cubic_to(x + r, y + h, x + h, y + r, x, y + r);
        self.content.cubic_to(x - h, y + r, x - r, y + h, x - r, y);
        self.content.cubic_to(x - r, y - h, x - h, y - r, x, y - r);
        self.content.cubic_to(x + h, y - r, x + r, y - h, x + r, y);
        self.content.close_path();
    }

    fn image(&mut self, area: Rect, columns: usize, pixels: &[RGBColor]) {
        let rows = pixels.len() / columns.max(1);
        let rgb = pixels.iter().take(columns * rows).flat_map(|RGBColor(r, g, b)| [*r, *g, *b]).collect();
        let name = image_name(self.images.len());
        self.images.push(Pixels { columns, rows, rgb });
        self.content.save_state();
        // The unit square of an image has its first row at the top.
        let (width, height) = (area.width as f32, area.height as f32);
        self.content.transform([width, 0.0, 0.0, -height, area.x as f32, area.bottom() as f32]);
        self.content.x_object(Name(name.as_bytes()));
        self.content.restore_state();
    }

    /// The outlines of a line of text, the middle of its capitals at a point.
    fn text(&mut self, text: &str, (x, y): Point, look: TextLook) {
        const CAPITALS: f32 = 0.727;
        let per_em = self.font.units_per_em().unwrap_or(1000.0);
        let scale = look.size as f32 / per_em;
        let glyphs: Vec<Glyph> = text
            .chars()
            .filter(|letter| !letter.is_control())
            .map(|letter| self.font.glyph_id(letter).with_scale(per_em))
            .collect();
        let mut places = Vec::new();
        let mut width = 0.0;
        let mut last = None;
        for glyph in &glyphs {
            if let Some(last) = last {
                width += self.font.kern_unscaled(last, glyph.id);
            }
            places.push(width);
            width += self.font.h_advance_unscaled(glyph.id);
            last = Some(glyph.id);
        }
        let start = match look.anchor {
            Anchor::Left => 0.0,
            Anchor::Center => -width / 2.0,
            Anchor::Right => -width,
        };
        let RGBColor(r, g, b) = look.color;
        self.set_color(RGBAColor(r, g, b, 1.0));
        self.content.save_state();
        let (x, y) = (x as f32, y as f32);
        // Letters grow upwards, the page downwards; an upright text reads from bottom to top.
        let turned = match look.upright {
            true => [0.0, -scale, -scale, 0.0, x, y],
            false => [scale, 0.0, 0.0, -scale, x, y],
        };
        self.content.transform(turned);
        let middle = CAPITALS * per_em / 2.0;
        let mut drawn = false;
        for (glyph, place) in glyphs.iter().zip(places) {
            let Some(outline) = self.font.outline(glyph.id) else { continue };
            self.outline(&outline.curves, start + place, -middle);
            drawn = true;
        }
        if drawn {
            self.content.fill_nonzero();
        }
        self.content.restore_state();
    }

    fn outline(&mut self, curves: &[OutlineCurve], dx: f32, dy: f32) {
        let at = |point: ab_glyph::Point| (point.x + dx, point.y + dy);
        let mut end = None;
        for curve in curves {
            let (from, to) = match curve {
                OutlineCurve::Line(a, b) => (at(*a), at(*b)),
                OutlineCurve::Quad(a, _, c) => (at(*a), at(*c)),
                OutlineCurve::Cubic(a, _, _, d) => (at(*a), at(*d)),
            };
            if end != Some(from) {
                self.content.move_to(from.0, from.1);
            }
            match curve {
                OutlineCurve::Line(..) => drop(self.content.line_to(to.0, to.1)),
                OutlineCurve::Quad(_, handle, _) => {
                    let (hx, hy) = at(*handle);
                    let toward = |(x, y): (f32, f32)| (x + (hx - x) * 2.0 / 3.0, y + (hy - y) * 2.0 / 3.0);
                    let (first, second) = (toward(from), toward(to));
                    self.content.cubic_to(first.0, first.1, second.0, second.1, to.0, to.1);
                }
                OutlineCurve::Cubic(_, first, second, _) => {
                    let (first, second) = (at(*first), at(*second));
                    self.content.cubic_to(first.0, first.1, second.0, second.1, to.0, to.1);
                }
            }
            end = Some(to);
        }
    }
}
