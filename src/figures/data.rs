//! The numbers of a figure, as a table for other programs.

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
}

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

    /// A curve is drawn: its panel, the titles of the axes, its stroke, its points.
    pub fn curve(
        &mut self,
        panel: &str,
        (x_name, y_name): (&str, &str),
        stroke: Stroke,
        points: &[(f64, f64)],
    ) {
        let finite = points.iter().filter(|(x, y)| x.is_finite() && y.is_finite());
        self.rows.extend(finite.map(|(x, y)| Row {
            panel: panel.to_owned(),
            stroke: Some(stroke),
            series: String::new(),
            x_name: x_name.to_owned(),
            x: x.to_string(),
            y_name: y_name.to_owned(),
            y: y.to_string(),
        }));
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
        });
    }

    /// CSV with a line for each number; none where nothing was drawn that is one.
    pub fn csv(&self) -> Option<String> {
        if self.rows.is_empty() {
            return None;
        }
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["panel", "series", "x_name", "x", "y_name", "y"]).ok()?;
        for row in &self.rows {
            let alike = |stroke: &Stroke| row.stroke.is_some_and(|own| own.looks_like(stroke));
            let named = self.names.iter().find(|(_, stroke)| alike(stroke)).map(|(name, _)| name);
            let series = named.unwrap_or(&row.series);
            writer.write_record([&row.panel, series, &row.x_name, &row.x, &row.y_name, &row.y]).ok()?;
        }
        String::from_utf8(writer.into_inner().ok()?).ok()
    }
}
