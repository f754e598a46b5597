//! A [`Canvas`] as PNG or SVG, written in one piece.

use std::path::{Path, PathBuf};

use plotters::backend::{BitMapBackend, DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{
    Color, FontDesc, FontFamily, FontStyle, FontTransform, RGBAColor, RGBColor, ShapeStyle, TextStyle,
};

use super::canvas::{Anchor, Canvas, FONT, PER_INCH, Point, Rect, Shape, TextLook, font_size, register};
use super::{FigureError, Format};
use crate::files::write_atomically;

/// PNGs are drawn twice as large and averaged: plotters works in whole pixels and leaves wide
/// lines jagged.
const SMOOTHING: u32 = 2;
/// SVG units per pixel, for the same reason.
const SVG_UNITS: u32 = 10;

/// Writes `folder/name.{png,svg}`; a reader sees the old file or the new one, never a part.
pub fn save(canvas: &Canvas, folder: &Path, name: &str, format: Format) -> Result<PathBuf, FigureError> {
    let bytes = match format {
        Format::Png => png(canvas)?,
        Format::Svg => svg(canvas)?.into_bytes(),
        Format::Pdf => super::pdf::pdf(canvas)?,
    };
    write(folder.join(format!("{name}.{}", format.extension())), &bytes)
}

/// Writes a file of figures, and the folder it lies in.
pub fn write(path: PathBuf, bytes: &[u8]) -> Result<PathBuf, FigureError> {
    let fail = |source| FigureError::Write { path: path.clone(), source };
    std::fs::create_dir_all(path.parent().unwrap_or(Path::new(""))).map_err(fail)?;
    write_atomically(&path, bytes).map_err(|error| fail(error.source))?;
    Ok(path)
}

/// The page as PNG.
pub fn png(canvas: &Canvas) -> Result<Vec<u8>, FigureError> {
    let (width, height) = (canvas.width * SMOOTHING, canvas.height * SMOOTHING);
    let large = pixels(canvas, width, height, SMOOTHING.into())?;
    if canvas.in_print {
        // Print has more dots than screens.
        let per_inch = PER_INCH * f64::from(SMOOTHING);
        return encode_png(width, height, &large, png::Compression::Balanced, Some(per_inch));
    }
    let small = halve(&large, width as usize);
    encode_png(canvas.width, canvas.height, &small, png::Compression::Fast, None)
}

/// The page as PNG at half its size, in a quarter of the time: width, height, file.
pub fn small_png(canvas: &Canvas) -> Result<(u32, u32, Vec<u8>), FigureError> {
    // Whole pairs of rows and columns.
    let (width, height) = (canvas.width & !1, canvas.height & !1);
    let small = halve(&pixels(canvas, width, height, 1.0)?, width as usize);
    Ok((width / 2, height / 2, encode_png(width / 2, height / 2, &small, png::Compression::Fast, None)?))
}

/// RGB of a page that is drawn `scale` times as large.
fn pixels(canvas: &Canvas, width: u32, height: u32, scale: f64) -> Result<Vec<u8>, FigureError> {
    let mut pixels = vec![u8::MAX; width as usize * height as usize * 3];
    let backend = BitMapBackend::with_buffer(&mut pixels, (width, height));
    let mut painter = Painter { backend, scale, pixels: true };
    painter.paint(canvas)?;
    drop(painter);
    Ok(pixels)
}

/// Averages squares of 2 × 2 RGB pixels.
fn halve(large: &[u8], width: usize) -> Vec<u8> {
    let mut small = Vec::with_capacity(large.len() / 4);
    let mut sums = vec![0u16; width * 3];
    for rows in large.chunks_exact(width * 6) {
        let (upper, lower) = rows.split_at(width * 3);
        for (sum, (a, b)) in sums.iter_mut().zip(upper.iter().zip(lower)) {
            *sum = u16::from(*a) + u16::from(*b);
        }
        for [r, g, b, next_r, next_g, next_b] in sums.as_chunks().0 {
            small.extend(
                [(r, next_r), (g, next_g), (b, next_b)].map(|(left, right)| ((left + right + 2) / 4) as u8),
            );
        }
    }
    small
}

/// `Compression::Fast` takes a tenth of the time of `Balanced`, for files that are half as large again: a short training
/// would spend more time on its figures than on its epochs. With dots `per_inch` the file says how large it is in print.
fn encode_png(
    width: u32,
    height: u32,
    rgb: &[u8],
    compression: png::Compression,
    per_inch: Option<f64>,
) -> Result<Vec<u8>, FigureError> {
    let fail = |error: png::EncodingError| FigureError::Draw(error.to_string());
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(compression);
    encoder.set_filter(png::Filter::Adaptive);
    encoder.set_pixel_dims(per_inch.map(|dots| {
        let per_meter = (dots / 0.0254).round() as u32;
        png::PixelDimensions { xppu: per_meter, yppu: per_meter, unit: png::Unit::Meter }
    }));
    let mut writer = encoder.write_header().map_err(fail)?;
    writer.write_image_data(rgb).map_err(fail)?;
    writer.finish().map_err(fail)?;
    Ok(bytes)
}

fn svg(canvas: &Canvas) -> Result<String, FigureError> {
    let units = (canvas.width * SVG_UNITS, canvas.height * SVG_UNITS);
    let mut text = String::new();
    let mut painter = Painter {
        backend: SVGBackend::with_string(&mut text, units),
        scale: SVG_UNITS.into(),
        pixels: false,
    };
    painter.paint(canvas)?;
    painter.backend.present().map_err(drawing_error)?;
    drop(painter);
    // Plotters cannot embed images without a second image library.
    let mut images = String::new();
    for shape in &canvas.shapes {
        if let Shape::Image { area, columns, pixels } = shape {
            images += &embedded(*area, *columns, pixels)?;
        }
    }
    let end = text.rfind("</svg>").unwrap_or(text.len());
    text.insert_str(end, &images);
    Ok(text.replacen(
        &format!("width=\"{}\" height=\"{}\"", units.0, units.1),
        &match canvas.in_print {
            false => format!("width=\"{}\" height=\"{}\"", canvas.width, canvas.height),
            true => {
                let inch = |pixels: u32| f64::from(pixels) / PER_INCH;
                format!("width=\"{:.4}in\" height=\"{:.4}in\"", inch(canvas.width), inch(canvas.height))
            }
        },
        1,
    ))
}

fn embedded(area: Rect, columns: usize, pixels: &[RGBColor]) -> Result<String, FigureError> {
    let rows = pixels.len() / columns.max(1);
    let rgb: Vec<u8> =
        pixels.iter().take(columns * rows).flat_map(|color| [color.0, color.1, color.2]).collect();
    let unit = f64::from(SVG_UNITS);
    Ok(format!(
        "<image x=\"{:.0}\" y=\"{:.0}\" width=\"{:.0}\" height=\"{:.0}\" \
         preserveAspectRatio=\"none\" style=\"image-rendering:pixelated\" \
         href=\"data:image/png;base64,{}\"/>\n",
        area.x * unit,
        area.y * unit,
        area.width * unit,
        area.height * unit,
        base64(&encode_png(columns as u32, rows as u32, &rgb, png::Compression::Balanced, None)?)
    ))
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = (0..3).fold(0u32, |bits, i| bits << 8 | u32::from(chunk.get(i).copied().unwrap_or(0)));
        for digit in 0..4 {
            let index = (bits >> (18 - 6 * digit) & 63) as usize;
            let known = digit <= chunk.len();
            text.push(match DIGITS.get(index) {
                Some(digit) if known => char::from(*digit),
                _ => '=',
            });
        }
    }
    text
}

/// Paints shapes on one of plotters' surfaces.
struct Painter<B> {
    backend: B,
    /// Device units per canvas pixel.
    scale: f64,
    /// The surface is a bitmap, with plotters' bitmap habits.
    pixels: bool,
}

fn drawing_error(error: impl std::fmt::Display) -> FigureError {
    FigureError::Draw(error.to_string())
}

impl<B: DrawingBackend> Painter<B> {
    fn paint(&mut self, canvas: &Canvas) -> Result<(), FigureError> {
        register();
        let page = Rect::new(0.0, 0.0, canvas.width.into(), canvas.height.into());
        self.fill(page, super::palette::PAPER.to_rgba())?;
        for shape in &canvas.shapes {
            match shape {
                Shape::Line { points, color, width } => self.line(points, *color, *width)?,
                Shape::Polygon { points, color } => {
                    let points: Vec<_> = points.iter().map(|point| self.place(*point)).collect();
                    self.backend.fill_polygon(points, &filled(*color)).map_err(drawing_error)?;
                }
                Shape::Box { area, color } => self.fill(*area, *color)?,
                Shape::Dot { center, radius, color } => self.dot(*center, *radius, *color)?,
                Shape::Text { text, at, look } => self.text(text, *at, *look)?,
                Shape::Image { area, columns, pixels } => self.image(*area, *columns, pixels)?,
            }
        }
        Ok(())
    }

    fn place(&self, (x, y): Point) -> (i32, i32) {
        let whole = |v: f64| (v * self.scale).round() as i32;
        (whole(x), whole(y))
    }

    fn fill(&mut self, area: Rect, color: RGBAColor) -> Result<(), FigureError> {
        self.fill_between((area.x, area.y), (area.right(), area.bottom()), color)
    }

    fn fill_between(&mut self, from: Point, to: Point, color: RGBAColor) -> Result<(), FigureError> {
        let (from, to) = (self.place(from), self.place(to));
        self.backend.draw_rect(from, to, &filled(color), true).map_err(drawing_error)
    }

    fn dot(&mut self, center: Point, radius: f64, color: RGBAColor) -> Result<(), FigureError> {
        let radius = (radius * self.scale).round().max(1.0) as u32;
        let center = self.place(center);
        self.backend.draw_circle(center, radius, &filled(color), true).map_err(drawing_error)
    }

    fn line(&mut self, points: &[Point], color: RGBAColor, width: f64) -> Result<(), FigureError> {
        let stroke =
            ShapeStyle { color, filled: false, stroke_width: (width * self.scale).round().max(1.0) as u32 };
        let places: Vec<_> = points.iter().map(|point| self.place(*point)).collect();
        if !self.pixels {
            return self.backend.draw_path(places, &stroke).map_err(drawing_error);
        }
        // Segment by segment: plotters' outline of a whole path breaks at sharp turns.
        for (pair, ends) in places.windows(2).zip(points.windows(2)) {
            self.backend.draw_path(pair.iter().copied(), &stroke).map_err(drawing_error)?;
            if let (true, [_, joint]) = (places.len() > 2, ends) {
                self.dot(*joint, (width - 1.0) / 2.0, color)?;
            }
        }
        Ok(())
    }

    fn image(&mut self, area: Rect, columns: usize, pixels: &[RGBColor]) -> Result<(), FigureError> {
        if !self.pixels {
            return Ok(());
        }
        let rows = pixels.len() / columns.max(1);
        // Neighbours share the very same edge: a sum that rounds otherwise would leave a seam.
        let corner = |column: usize, row: usize| {
            let (x, y) = (column as f64 / columns as f64, row as f64 / rows as f64);
            (area.x + area.width * x, area.y + area.height * y)
        };
        for (index, color) in pixels.iter().take(columns * rows).enumerate() {
            let (column, row) = (index % columns, index / columns);
            self.fill_between(corner(column, row), corner(column + 1, row + 1), color.to_rgba())?;
        }
        Ok(())
    }

    fn text(&mut self, text: &str, at: Point, look: TextLook) -> Result<(), FigureError> {
        // What plotters' vertical centers lack to the middle of the capitals, in em.
        let drop = look.size * if self.pixels { 0.25 } else { 0.09 };
        let (x, y) = at;
        let (at, turn) = if look.upright {
            ((x + drop, y), FontTransform::Rotate270)
        } else {
            ((x, y + drop), FontTransform::None)
        };
        let side = match look.anchor {
            Anchor::Left => HPos::Left,
            Anchor::Center => HPos::Center,
            Anchor::Right => HPos::Right,
        };
        // An even size keeps all glyphs of a bitmap on one base line.
        let size = (font_size(look.size) * self.scale / 2.0).round() * 2.0;
        let font = FontDesc::new(FontFamily::Name(FONT), size, FontStyle::Normal).transform(turn);
        let style = TextStyle::from(font).color(&look.color).pos(Pos::new(side, VPos::Center));
        // Control characters have no glyph, and no place in XML.
        let clean: String = text.chars().filter(|letter| !letter.is_control()).collect();
        let at = self.place(at);
        self.backend.draw_text(&clean, &style, at).map_err(drawing_error)
    }
}

fn filled(color: RGBAColor) -> ShapeStyle {
    ShapeStyle { color, filled: true, stroke_width: 1 }
}
