//! Draws the paper's test errors beside ours, from what `scripts/paper.py` wrote: `cargo run --example paper RESULTS.csv PNG`.

use std::collections::HashMap;
use std::error::Error;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontStyle, register_font};

/// An experiment.
struct Row {
    experiment: String,
    /// 3, 4 or 5: data and errors of a section are alike.
    section: char,
    /// Test errors in %, where there are any.
    paper: Option<f64>,
    ours: Option<f64>,
    /// What ours is of.
    about: String,
    /// Why one of them is missing.
    note: String,
}

/// Of the paper, of ours.
const COLORS: [RGBColor; 2] = [RGBColor(0, 114, 178), RGBColor(213, 94, 0)];
const NAMES: [&str; 2] = ["the paper", "here"];
const INK: RGBColor = RGBColor(33, 33, 33);
const MUTED: RGBColor = RGBColor(95, 95, 95);
const FAINT: RGBColor = RGBColor(228, 228, 228);

const WIDTH: u32 = 1400;
/// What stands above the first panel and below the last.
const HEADING: u32 = 64;
const CAPTION: u32 = 44;
/// A panel's title and its axis.
const AROUND: u32 = 96;
/// An experiment's two bars.
const EACH: u32 = 62;
/// Names of experiments, left of the bars.
const LABELS: u32 = 500;

fn rows(csv: &Path) -> Result<Vec<Row>, Box<dyn Error>> {
    let mut reader = csv::Reader::from_path(csv)?;
    let read = |record: Result<HashMap<String, String>, csv::Error>| -> Result<Row, Box<dyn Error>> {
        let record = record?;
        let field = |name: &str| record.get(name).ok_or(format!("{}: no column `{name}`", csv.display()));
        let number = |name: &str| -> Result<Option<f64>, Box<dyn Error>> {
            match (field(name)?.as_str(), field(name)?.parse::<f64>()) {
                ("", _) => Ok(None),
                (_, Ok(error)) if error.is_finite() => Ok(Some(error)),
                (text, _) => {
                    Err(format!("{}: `{name}` is `{text}`, expected a number", csv.display()).into())
                }
            }
        };
        let ours = number("ours %")?;
        let about = match ours {
            None => String::new(),
            Some(_) => {
                let (epochs, seeds) = (field("epochs")?, field("seeds")?);
                let copy = if field("note")?.contains("of a copy") { "; a copy of the data" } else { "" };
                format!("{}; epochs: {epochs}; seeds: {seeds}{copy}", sizes(field("sizes")?))
            }
        };
        let section = field("section")?;
        Ok(Row {
            experiment: format!("{section}  {}", field("experiment")?),
            section: section.chars().next().unwrap_or('?'),
            paper: number("paper error %")?,
            ours,
            about,
            note: field("note")?.clone(),
        })
    };
    reader.deserialize().map(read).collect()
}

/// Units of the layers: `4×500` for equal ones.
fn sizes(units: &str) -> String {
    let layers: Vec<&str> = units.split_whitespace().collect();
    match layers.first() {
        Some(first) if layers.len() > 1 && layers.iter().all(|units| units == first) => {
            format!("{}×{first} units", layers.len())
        }
        _ => format!("{} units", layers.join(", ")),
    }
}

/// A panel for each section, as errors of 1 % and of 40 % need axes of their own.
pub fn draw(csv: &Path, png: &Path) -> Result<(), Box<dyn Error>> {
    let rows = rows(csv)?;
    register_font("sans-serif", FontStyle::Normal, include_bytes!("../src/figures/font/Inter-Regular.otf"))
        .map_err(|_| "the font is not one")?;
    let panels: Vec<&[Row]> = rows.chunk_by(|a, b| a.section == b.section).collect();
    let height_of = |rows: &[Row]| AROUND + EACH * rows.len() as u32;
    let height = HEADING + panels.iter().map(|rows| height_of(rows)).sum::<u32>() + CAPTION;
    let mut pixels = vec![0; (WIDTH * height) as usize * 3];
    let page = BitMapBackend::with_buffer(&mut pixels, (WIDTH, height)).into_drawing_area();
    page.fill(&WHITE)?;
    page.draw(&text("Test errors of the paper's experiments, %", (24, 34), 30, INK, HPos::Left))?;
    for (name, (color, x)) in NAMES.iter().zip(COLORS.iter().zip([1110, 1270])) {
        page.draw(&Rectangle::new([(x, 24), (x + 22, 44)], color.filled()))?;
        page.draw(&text(name, (x + 32, 34), 22, INK, HPos::Left))?;
    }
    let mut rest = page.split_vertically(HEADING).1;
    for rows in panels {
        let (above, below) = rest.split_vertically(height_of(rows));
        panel(&above, rows)?;
        rest = below;
    }
    let said = "Below each name: what was trained here. scripts/paper.py has the commands, --size full the paper's sizes.";
    rest.draw(&text(said, (24, 18), 20, MUTED, HPos::Left))?;
    page.present()?;
    drop((rest, page));
    image::save_buffer(png, &pixels, WIDTH, height, image::ColorType::Rgb8)?;
    Ok(())
}

/// Two bars for each experiment, the paper's above ours, each with its number, or why there is none.
fn panel(area: &DrawingArea<BitMapBackend, Shift>, rows: &[Row]) -> Result<(), Box<dyn Error>> {
    let title = match rows.first().map(|row| row.section) {
        Some('4') => "CIFAR-10, local receptive fields",
        Some('5') => "MNIST, positive and negative phases apart (sleep)",
        _ => "MNIST",
    };
    let most = rows.iter().flat_map(|row| [row.paper, row.ours]).flatten().fold(1.0, f64::max);
    let mut chart = ChartBuilder::on(area)
        .margin_right(24)
        .margin_top(44)
        .x_label_area_size(52)
        .y_label_area_size(LABELS)
        .build_cartesian_2d(0.0..1.12 * most, rows.len() as f64..0.0)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .y_labels(0)
        .x_labels(8)
        .light_line_style(TRANSPARENT)
        .bold_line_style(FAINT)
        .label_style(("sans-serif", 20))
        .x_label_formatter(&|error| format!("{}", (100.0 * error).round() / 100.0))
        .draw()?;
    area.draw(&text(title, (24, 22), 24, INK, HPos::Left))?;
    for (index, row) in rows.iter().enumerate() {
        let top = index as f64;
        // As the paper writes it; ours to the test image.
        let paper = row.paper.map(|error| (error, format!("{error}")));
        let ours = row.ours.map(|error| (error, format!("{error:.2}")));
        for ((found, color), (from, to)) in
            [paper, ours].into_iter().zip(COLORS).zip([(0.14, 0.48), (0.52, 0.86)])
        {
            let (said, ink) = found.as_ref().map_or((&row.note, MUTED), |(_, number)| (number, INK));
            let error = found.as_ref().map_or(0.0, |(error, _)| *error);
            chart.draw_series([Rectangle::new([(0.0, top + from), (error, top + to)], color.filled())])?;
            let (x, y) = inside(area, chart.backend_coord(&(error, top + (from + to) / 2.0)));
            area.draw(&text(said, (x + 8, y), 18, ink, HPos::Left))?;
        }
        let (x, y) = inside(area, chart.backend_coord(&(0.0, top + 0.5)));
        area.draw(&text(&row.experiment, (x - 14, y - 12), 22, INK, HPos::Right))?;
        area.draw(&text(&row.about, (x - 14, y + 13), 18, MUTED, HPos::Right))?;
    }
    Ok(())
}

/// A point of the page, as the area counts.
fn inside(area: &DrawingArea<BitMapBackend, Shift>, (x, y): (i32, i32)) -> (i32, i32) {
    let (left, top) = area.get_base_pixel();
    (x - left, y - top)
}

/// Text whose middle is at the height of `at`.
fn text(
    said: &str,
    at: (i32, i32),
    size: u32,
    color: RGBColor,
    side: HPos,
) -> Text<'static, (i32, i32), String> {
    let style = ("sans-serif", size).into_font().color(&color).pos(Pos::new(side, VPos::Center));
    Text::new(said.to_owned(), at, style)
}

#[allow(dead_code)]
fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [csv, png] = arguments.as_slice() else { return Err("paper RESULTS.csv PNG".into()) };
    draw(Path::new(csv), Path::new(png))
}
