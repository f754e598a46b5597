//! Fenced blocks of a Markdown file.

/// A fenced block.
pub struct Block {
    /// The first word behind the fence.
    pub language: String,
    /// Whether the fence says that the block is not run.
    pub no_run: bool,
    /// What is inside.
    pub text: String,
    /// The line of the fence, from 1.
    pub line: usize,
}

/// The blocks of a text, in order.
pub fn blocks(markdown: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in markdown.lines().enumerate() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(words), None) => {
                let words: Vec<&str> = words.split_whitespace().collect();
                let language = words.first().copied().unwrap_or_default().to_owned();
                let no_run = words.contains(&"no-run");
                open = Some(Block { language, no_run, text: String::new(), line: index + 1 });
            }
            (None, Some(block)) => block.text += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

/// The text without its fenced blocks; a line of a block is an empty line.
pub fn prose(markdown: &str) -> String {
    let mut inside = false;
    let keep = |line: &str| {
        let fence = line.starts_with("```");
        inside ^= fence;
        if inside || fence { "\n".to_owned() } else { format!("{line}\n") }
    };
    markdown.lines().map(keep).collect()
}
