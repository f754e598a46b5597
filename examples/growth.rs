//! Draws how a step's time and the program's memory grow, from the lines that `benches/growth.py --lines` wrote:
//! `cargo run --example growth LINES PNG`.

use std::error::Error;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::{FontStyle, register_font};
use serde_json::Value;

/// Measured at one size.
struct Point {
    what: String,
    size: f64,
    /// Slope of the dense work.
    theory: f64,
    milliseconds: f64,
    /// Megabytes at most, and reckoned.
    peak: f64,
    reckoned: f64,
}

const TIME: RGBColor = RGBColor(0, 114, 178);
const MEMORY: RGBColor = RGBColor(213, 94, 0);
const MUTED: RGBColor = RGBColor(130, 130, 130);

fn points(text: &str) -> Result<Vec<Point>, Box<dyn Error>> {
    let point = |line: &str| -> Result<Point, Box<dyn Error>> {
        let line: Value = serde_json::from_str(line)?;
        let number = |key: &str| line[key].as_f64().ok_or(format!("{key} is no number"));
        Ok(Point {
            what: line["what"].as_str().unwrap_or_default().into(),
            size: number("size")?,
            theory: number("theory")?,
            milliseconds: number("milliseconds")?,
            peak: number("peak")? / 1e6,
            reckoned: number("reckoned")? / 1e6,
        })
    };
    text.lines().map(point).collect()
}

/// One column of panels for each thing that grows: time above, memory below, both axes logarithmic.
pub fn draw(lines: &Path, png: &Path) -> Result<(), Box<dyn Error>> {
    let points = points(&std::fs::read_to_string(lines)?)?;
    let columns: Vec<&[Point]> = points.chunk_by(|a, b| a.what == b.what).collect();
    register_font("sans-serif", FontStyle::Normal, include_bytes!("../src/figures/font/Inter-Regular.otf"))
        .map_err(|_| "the font is not one")?;
    let (width, height) = (420 * columns.len() as u32, 800);
    let mut pixels = vec![0; (width * height) as usize * 3];
    let page = BitMapBackend::with_buffer(&mut pixels, (width, height)).into_drawing_area();
    page.fill(&WHITE)?;
    for (column, points) in page.split_evenly((1, columns.len())).iter().zip(&columns) {
        // The slope of the work, through the last size that was measured.
        let Some(last) = points.last() else { continue };
        let curve = |y: &dyn Fn(&Point) -> f64| -> Vec<_> { points.iter().map(|p| (p.size, y(p))).collect() };
        let work = |p: &Point| last.milliseconds * (p.size / last.size).powf(last.theory);
        let (above, below) = column.split_vertically(400);
        let measured = (curve(&|p| p.milliseconds), TIME, "measured");
        panel(&above, &last.what, "ms a step", [measured, (curve(&work), MUTED, "slope of the work")])?;
        let measured = (curve(&|p| p.peak), MEMORY, "measured");
        panel(
            &below,
            &last.what,
            "peak memory, MB",
            [measured, (curve(&|p| p.reckoned), MUTED, "reckoned")],
        )?;
    }
    page.present()?;
    drop(page);
    image::save_buffer(png, &pixels, width, height, image::ColorType::Rgb8)?;
    Ok(())
}

/// Points, their color, and their name in the legend.
type Curve<'a> = (Vec<(f64, f64)>, RGBColor, &'a str);

fn panel(
    area: &DrawingArea<BitMapBackend, Shift>,
    what: &str,
    y_title: &str,
    curves: [Curve; 2],
) -> Result<(), Box<dyn Error>> {
    let span = |pick: fn(&(f64, f64)) -> f64| {
        let values = curves.iter().flat_map(|curve| &curve.0).map(pick);
        let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)));
        (0.8 * low..1.25 * high).log_scale()
    };
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(64)
        .build_cartesian_2d(span(|point| point.0), span(|point| point.1))?;
    let label = ("sans-serif", 15);
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_label_formatter(&named)
        .y_label_formatter(&named)
        .x_desc(what)
        .y_desc(y_title)
        .label_style(label)
        .draw()?;
    for (points, color, name) in curves {
        chart
            .draw_series(LineSeries::new(points, color.stroke_width(2)).point_size(3))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
    }
    chart.configure_series_labels().position(SeriesLabelPosition::UpperLeft).label_font(label).draw()?;
    Ok(())
}

/// Labels of a logarithmic axis: of all the multiples of a power of ten, those by 1, 2 and 5.
fn named(value: &f64) -> String {
    let digit = (value / 10f64.powf(value.log10().floor())).round();
    if [1.0, 2.0, 5.0].contains(&digit) { format!("{value}") } else { String::new() }
}

#[allow(dead_code)]
fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [lines, png] = arguments.as_slice() else { return Err("growth LINES PNG".into()) };
    draw(Path::new(lines), Path::new(png))
}
