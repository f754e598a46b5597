//! Sentences for a terminal: broken between words, not within them.

use super::table;

/// The text in lines that the terminal at stdout has room for; as it is where there is none. A longer word has a line
/// of its own.
pub fn for_terminal(text: &str) -> String {
    broken(text, table::terminal_width().unwrap_or(usize::MAX))
}

fn broken(text: &str, width: usize) -> String {
    let mut lines = String::new();
    let mut letters = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if letters > 0 && letters + 1 + length > width {
            lines.push('\n');
            letters = 0;
        } else if letters > 0 {
            lines.push(' ');
            letters += 1;
        }
        lines += word;
        letters += length;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::broken;

    #[test]
    fn lines_end_with_words() {
        let text = "to choose a setting, hold rows out (--set validation_size=N)";
        assert_eq!(broken(text, usize::MAX), text);
        assert_eq!(broken(text, 20), "to choose a setting,\nhold rows out (--set\nvalidation_size=N)");
        assert_eq!(broken(text, 3).split('\n').collect::<Vec<_>>().join(" "), text);
    }
}
