//! A table of colored cells with labelled rows and columns.

use plotters::style::RGBColor;

use super::canvas::{Anchor, Canvas, LABEL, Rect, SMALL, TextLook, fitting_size, text_width};
use super::labels::Below;
use super::palette::{INK, PAPER, text_on};

/// Text smaller than this is left out.
const READABLE: f64 = 14.0;
/// Cells narrower than this are drawn without seams.
const SEAM: f64 = 16.0;

/// What one cell shows.
#[derive(Clone, Debug)]
pub struct Cell {
    pub color: RGBColor,
    /// The main number, if there is room for it.
    pub text: String,
    /// A second, smaller one below it.
    pub note: String,
    pub filling: Filling,
}

/// How a cell shows its color.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filling {
    Full,
    /// A frame around white.
    Frame,
}

/// Labels of one side of the table.
#[derive(Clone, Debug)]
pub struct Side<'a> {
    pub title: &'a str,
    pub labels: &'a [String],
    /// Every how many cells a label is drawn.
    pub step: usize,
}

/// Draws the table into `area`; `cells` go row by row from the top.
pub fn draw(canvas: &mut Canvas, area: Rect, rows: &Side, columns: &Side, cells: &[Cell]) {
    for (index, cell) in cells.iter().enumerate() {
        let (row, column) = (index / columns.labels.len().max(1), index % columns.labels.len().max(1));
        if let (Some(row), Some(column)) = (rows.labels.get(row), columns.labels.get(column)) {
            let number = if cell.text.parse::<f64>().is_ok() { cell.text.as_str() } else { "" };
            canvas.data.cell((rows.title, row), (columns.title, column), number);
        }
    }
    let widest =
        rows.labels.iter().map(|label| text_width(label, LABEL)).fold(0.0, f64::max).min(area.width / 4.0);
    let (height, width) = (rows.labels.len(), columns.labels.len());
    let room = (area.width - widest - 60.0) / width.max(1) as f64 * columns.step as f64 - 10.0;
    let below = Below::fitting(labelled(columns).map(|(_, label)| label.as_str()), room);
    let table = area.inset(widest + 56.0, 4.0, 4.0, below.height + 38.0);
    fill(canvas, table, width, height, cells);
    canvas.frame(table, INK, 2.0);
    label_rows(canvas, area, table, rows, widest);
    label_columns(canvas, table, columns, below);
}

fn fill(canvas: &mut Canvas, table: Rect, width: usize, height: usize, cells: &[Cell]) {
    let size = table.cell(0, width, height, 0.0);
    if size.width.min(size.height) < SEAM {
        canvas.image(table, width, cells.iter().map(|cell| cell.color).collect());
        return;
    }
    let room = size.width * 0.88;
    let fit = |text: fn(&Cell) -> &str, most: f64| {
        cells.iter().map(|cell| fitting_size(text(cell), most, room)).fold(most, f64::min)
    };
    let text = fit(|cell| &cell.text, LABEL.min(size.height * 0.6));
    let note = fit(|cell| &cell.note, (SMALL * 0.82).min(size.height * 0.25));
    let noted = note >= READABLE && cells.iter().any(|cell| !cell.note.is_empty());
    for (index, cell) in cells.iter().enumerate() {
        let place = table.cell(index, width, height, 0.0);
        canvas.fill(place, PAPER);
        canvas.fill(place.inset(0.75, 0.75, 0.75, 0.75), cell.color);
        let (x, y) = place.center();
        let mut ink = text_on(cell.color);
        if cell.filling == Filling::Frame {
            let frame = size.width.min(size.height) * 0.1;
            canvas.fill(place.inset(frame, frame, frame, frame), PAPER);
            ink = INK;
        }
        let lift = if noted && !cell.note.is_empty() { 0.6 * text } else { 0.0 };
        if text >= READABLE {
            let look = TextLook::new(text, Anchor::Center).color(ink);
            canvas.text(&cell.text, (x, y - lift), look);
        }
        if noted {
            let look = TextLook::new(note, Anchor::Center).color(ink);
            canvas.text(&cell.note, (x, y + 0.8 * note), look);
        }
    }
}

fn label_rows(canvas: &mut Canvas, area: Rect, table: Rect, rows: &Side, widest: f64) {
    let look = TextLook::new(LABEL, Anchor::Right);
    for (index, label) in labelled(rows) {
        let (_, y) = table.cell(index, 1, rows.labels.len(), 0.0).center();
        canvas.fill(Rect::new(table.x - 8.0, y - 1.0, 7.0, 2.0), INK);
        canvas.text_within(label, (table.x - 13.0, y), look, widest);
    }
    let mut look = TextLook::new(fitting_size(rows.title, LABEL, area.height), Anchor::Center);
    look.upright = true;
    canvas.text(rows.title, (area.x + 14.0, table.center().1), look);
}

fn label_columns(canvas: &mut Canvas, table: Rect, columns: &Side, below: Below) {
    for (index, label) in labelled(columns) {
        let (x, _) = table.cell(index, columns.labels.len(), 1, 0.0).center();
        canvas.fill(Rect::new(x - 1.0, table.bottom() + 1.0, 2.0, 7.0), INK);
        below.write(canvas, label, (x, table.bottom() + 1.0));
    }
    let at = (table.center().0, table.bottom() + below.height + 22.0);
    canvas.text_within(columns.title, at, TextLook::new(LABEL, Anchor::Center), table.width);
}

fn labelled<'a>(side: &'a Side) -> impl Iterator<Item = (usize, &'a String)> + Clone {
    side.labels.iter().enumerate().step_by(side.step.max(1))
}
