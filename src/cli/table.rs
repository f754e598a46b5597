//! Tables for a terminal: what does not fit its width is left out, the least needed first.

use std::io::IsTerminal;

/// Space between columns.
const GAP: usize = 2;
/// No field is shortened to less than this.
const NARROWEST: usize = 12;
/// The widest column is not shortened to less than this before others are left out.
const LEGIBLE: usize = 26;

/// A column: its title and a field for each row.
#[derive(Clone, Debug)]
pub struct Column {
    pub title: String,
    /// The title where room is scarce.
    pub brief: String,
    pub fields: Vec<String>,
    /// Columns of a higher number are left out first; 0 stays.
    pub dispensable: u8,
}

impl Column {
    /// A column whose title is as brief as can be.
    pub fn new(title: impl Into<String>, fields: Vec<String>, dispensable: u8) -> Self {
        let title = title.into();
        Column { brief: title.clone(), title, fields, dispensable }
    }

    /// The same with a shorter title for narrow terminals.
    pub fn brief(self, brief: &str) -> Self {
        Column { brief: brief.to_owned(), ..self }
    }

    fn width(&self) -> usize {
        let fields = self.fields.iter().chain([&self.title]);
        fields.map(|field| field.chars().count()).max().unwrap_or(0)
    }

    /// Fields cut in their middle to so many letters.
    fn shortened(&self, width: usize) -> Column {
        let cut = |text: &String| -> String {
            let letters: Vec<char> = text.chars().collect();
            if letters.len() <= width {
                return text.clone();
            }
            // The end of a path tells more than its beginning.
            let head = (width - 1) / 3;
            let tail = letters.len() - (width - 1 - head);
            letters[..head].iter().chain(&['…']).chain(&letters[tail..]).collect()
        };
        Column::new(cut(&self.title), self.fields.iter().map(cut).collect(), self.dispensable)
    }
}

/// Columns of the terminal that stdout is; none where it is none.
pub fn terminal_width() -> Option<usize> {
    if !std::io::stdout().is_terminal() {
        return None;
    }
    terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))
}

/// The table as text, its title line first, and the titles of the columns that were left out for want of room.
pub fn render(columns: &[Column], width: Option<usize>) -> (String, Vec<String>) {
    let mut shown: Vec<Column> = columns.to_vec();
    let mut left_out = Vec::new();
    if let Some(width) = width {
        if total(&shown) > width {
            shown.iter_mut().for_each(|column| column.title.clone_from(&column.brief));
        }
        leave_out(&mut shown, &mut left_out, width, 2);
        shorten_widest(&mut shown, width, LEGIBLE);
        leave_out(&mut shown, &mut left_out, width, 1);
        shorten_widest(&mut shown, width, NARROWEST);
    }
    left_out.reverse();
    (text(&shown), left_out)
}

/// Leaves out columns of at least this number until the rest fits.
fn leave_out(shown: &mut Vec<Column>, left_out: &mut Vec<String>, width: usize, least: u8) {
    while total(shown) > width {
        let last = shown.iter().enumerate().max_by_key(|(at, column)| (column.dispensable, *at));
        let Some((at, _)) = last.filter(|(_, column)| column.dispensable >= least) else { break };
        left_out.push(shown.remove(at).title);
    }
}

/// Shortens the widest column to what the others leave, but to no less than `least`.
fn shorten_widest(shown: &mut [Column], width: usize, least: usize) {
    let over = total(shown).saturating_sub(width);
    if let Some(column) = shown.iter_mut().max_by_key(|column| column.width()).filter(|_| over > 0) {
        *column = column.shortened(column.width().saturating_sub(over).max(least));
    }
}

fn total(columns: &[Column]) -> usize {
    columns.iter().map(|column| column.width() + GAP).sum::<usize>().saturating_sub(GAP)
}

fn text(columns: &[Column]) -> String {
    let rows = columns.iter().map(|column| column.fields.len()).max().unwrap_or(0);
    let mut text = String::new();
    for row in 0..=rows {
        let mut line = String::new();
        for column in columns {
            let field = match row {
                0 => Some(&column.title),
                _ => column.fields.get(row - 1),
            };
            let width = column.width() + GAP;
            line += &format!("{:width$}", field.map_or("", String::as_str));
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(title: &str, field: &str, dispensable: u8) -> Column {
        Column::new(title, vec![field.into()], dispensable)
    }

    #[test]
    fn the_least_needed_columns_go_first_and_the_widest_is_shortened() {
        let columns = [
            column("run", "runs/threshold/threshold=0.5-01234567", 0),
            column("accuracy", "0.9812", 0),
            column("seconds", "12.5", 2),
            column("loss", "0.1", 1),
        ];
        let widths = |width| {
            let (text, left_out) = render(&columns, width);
            (text.lines().map(|line| line.chars().count()).max(), left_out)
        };
        assert_eq!(widths(None), (Some(37 + 2 + 8 + 2 + 7 + 2 + 4), Vec::new()));
        assert_eq!(widths(Some(53)).1, ["seconds"]);
        let (width, left_out) = widths(Some(40));
        assert!(width <= Some(40));
        assert_eq!(left_out, ["loss", "seconds"]);
        assert!(render(&columns, Some(40)).0.contains("01234567"));
    }
}
