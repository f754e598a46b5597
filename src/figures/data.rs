//! The numbers of a figure, as a table for other programs.

use super::estimate::Estimate;
use super::stroke::Stroke;

/// A point of a curve, or a cell of a table.
#[derive(Clone, Debug)]
struct Row {
    panel: String,
    stroke: Option<Stroke>,
    series: String,
    x_name: String,
    x: String,
    y_name: String,
    y: String,
    /// Where it is a mean.
    estimate: Option<Estimate>,
}

/// Columns of a figure that shows means: how many values each is of, what its error bars say, and their ends.
const OF_MEANS: [&str; 6] = ["n", "bars", "y_low", "y_high", "x_low", "x_high"];

/// Numbers as they are drawn, and the names that legends give to strokes.
#[derive(Clone, Debug, Default)]
pub struct Data {
    rows: Vec<Row>,
    names: Vec<(String, Stroke)>,
}

impl Data {
    /// A legend names a stroke.
    pub fn name(&mut self, entries: &[(String, Stroke)]) {
        self.names.extend_from_slice(entries);
    }

    /// A point of a curve is drawn: its panel, its stroke, the title of each axis and its value there, and what it is the
    /// mean of, if it is one.
    pub fn point(
        &mut self,
        panel: &str,
        stroke: Stroke,
        (x_name, x): (&str, String),
        (y_name, y): (&str, String),
        estimate: Option<&Estimate>,
    ) {
        self.rows.push(Row {
            panel: panel.to_owned(),
            stroke: Some(stroke),
            series: String::new(),
            x_name: x_name.to_owned(),
            x,
            y_name: y_name.to_owned(),
            y,
            estimate: estimate.copied(),
        });
    }

    /// A cell of a table is drawn: its row, its column, and the number in it.
    pub fn cell(&mut self, (row_name, row): (&str, &str), (column_name, column): (&str, &str), number: &str) {
        if number.is_empty() {
            return;
        }
        self.rows.push(Row {
            panel: String::new(),
            stroke: None,
            series: format!("{row_name} {row}").trim().to_owned(),
            x_name: column_name.to_owned(),
            x: column.to_owned(),
            y_name: String::new(),
            y: number.to_owned(),
            estimate: None,
        });
    }

    /// CSV with a line for each number; none where nothing was drawn that is one.
    pub fn csv(&self) -> Option<String> {
        if self.rows.is_empty() {
            return None;
        }
        let of_means = self.rows.iter().any(|row| row.estimate.is_some());
        let mut writer = csv::Writer::from_writer(Vec::new());
        let mut header = vec!["panel", "series", "x_name", "x", "y_name", "y"];
        header.extend(OF_MEANS.iter().filter(|_| of_means));
        writer.write_record(header).ok()?;
        for row in &self.rows {
            let alike = |stroke: &Stroke| row.stroke.is_some_and(|own| own.looks_like(stroke));
            let named = self.names.iter().find(|(_, stroke)| alike(stroke)).map(|(name, _)| name);
            let series = named.unwrap_or(&row.series);
            let mut fields: Vec<String> =
                [&row.panel, series, &row.x_name, &row.x, &row.y_name, &row.y].map(String::clone).into();
            if of_means {
                fields.extend(row.estimate.as_ref().map(told).unwrap_or_default());
            }
            writer.write_record(fields).ok()?;
        }
        String::from_utf8(writer.into_inner().ok()?).ok()
    }
}

/// What the columns of means say of one; a single value has no error bars.
fn told(estimate: &Estimate) -> [String; 6] {
    let (across, up) = (estimate.across(), estimate.up());
    let bars = if across.or(up).is_some() { estimate.bars } else { "" };
    let end = |end: Option<f64>| end.map(|end| end.to_string()).unwrap_or_default();
    let ends = [up.map(|up| up.0), up.map(|up| up.1), across.map(|x| x.0), across.map(|x| x.1)].map(end);
    let [y_low, y_high, x_low, x_high] = ends;
    [estimate.count.to_string(), bars.to_owned(), y_low, y_high, x_low, x_high]
}
