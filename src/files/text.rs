//! Names and values that others chose, shown where they could be taken for more than text.

/// Text for a terminal: control characters, which could move its cursor or forge its lines, are spelt out. Line
/// breaks and tabs stay.
pub fn for_terminal(text: &str) -> String {
    spelt_out(text, |c| c.is_control() && c != '\n' && c != '\t')
}

/// As [`for_terminal`], on one line.
pub fn on_one_line(text: &str) -> String {
    spelt_out(text, char::is_control)
}

fn spelt_out(text: &str, is_unfit: impl Fn(char) -> bool) -> String {
    // Reading order that is turned around hides what a name ends with.
    let turns = |c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if !text.contains(|c| is_unfit(c) || turns(c)) {
        return text.to_owned();
    }
    text.chars()
        .map(|c| if is_unfit(c) || turns(c) { c.escape_default().to_string() } else { c.to_string() })
        .collect()
}

/// A field for a table that spreadsheets open: what they would compute as a formula is text behind an apostrophe.
pub fn for_spreadsheet(field: &str) -> String {
    let is_formula = field.starts_with(['=', '+', '-', '@', '\t', '\r']) && field.parse::<f64>().is_err();
    if is_formula { format!("'{field}") } else { field.to_owned() }
}

/// What [`for_spreadsheet`] was given.
pub fn from_spreadsheet(field: &str) -> &str {
    let inner = field.strip_prefix('\'');
    inner.filter(|inner| for_spreadsheet(inner) == field).unwrap_or(field)
}

/// A field for a table in Markdown: no HTML, no end of a cell or line.
pub fn for_markdown(field: &str) -> String {
    let escaped = |c| match c {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '|' | '[' | ']' | '`' => format!("\\{c}"),
        c => c.to_string(),
    };
    on_one_line(field).chars().map(escaped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_are_not_moved() {
        assert_eq!(for_terminal("a\u{1b}[2Jb\nc\td\r"), "a\\u{1b}[2Jb\nc\td\\r");
        assert_eq!(on_one_line("a\nff: all is well"), "a\\nff: all is well");
        assert_eq!(on_one_line("gpj\u{202e}.exe"), "gpj\\u{202e}.exe");
        assert_eq!(on_one_line("übung 3×3"), "übung 3×3");
    }

    #[test]
    fn spreadsheets_do_not_compute() {
        for formula in ["=HYPERLINK(\"http://evil\")", "@SUM(1)", "+1+2", "-1+2", "\t=1"] {
            assert_eq!(for_spreadsheet(formula), format!("'{formula}"));
            assert_eq!(from_spreadsheet(&for_spreadsheet(formula)), formula);
        }
        for field in ["-1.5", "+2", "1e-3", "-inf", "mnist", "", "[1, 2]"] {
            assert_eq!(for_spreadsheet(field), field);
            assert_eq!(from_spreadsheet(field), field);
            assert_eq!(from_spreadsheet(&format!("'{field}")), format!("'{field}"));
        }
    }

    #[test]
    fn markdown_holds_no_html() {
        assert_eq!(for_markdown("<script>x</script>|y"), "&lt;script&gt;x&lt;/script&gt;\\|y");
        assert_eq!(for_markdown("[a](b)\n# c"), "\\[a\\](b)\\n# c");
    }
}
