//! A message that docs/troubleshooting.md explains is one that the program says.

use std::fs;
use std::path::Path;

use crate::at;

/// All Rust sources below a folder, with string literals that go over lines joined.
fn sources(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            *text += &fs::read_to_string(&path).unwrap();
        }
    }
}

/// Without line breaks, escapes and what is filled in: `{name:.2}` is left out.
fn flat(text: &str) -> String {
    let joined = text.replace("\\\n", " ").replace("\\\"", "\"").replace('`', "");
    let mut flat = String::new();
    for (index, part) in joined.split('{').enumerate() {
        let (inside, rest) = part.split_once('}').unwrap_or(("\n", part));
        let filled_in = index > 0 && !inside.contains(char::is_whitespace);
        flat += if filled_in { rest } else { part };
    }
    flat.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The fixed parts of the messages in a table's first column.
fn explained(markdown: &str) -> Vec<String> {
    let rows = markdown.lines().filter_map(|line| line.strip_prefix("| `"));
    let messages = rows.filter_map(|row| row.split('`').next());
    let parts = messages.flat_map(|message| message.split('…'));
    parts
        .map(|part| part.trim_matches([' ', '?', ';', ',']).to_owned())
        .filter(|part| part.len() > 7)
        .collect()
}

#[test]
fn messages_that_are_explained_are_said() {
    let mut text = String::new();
    for folder in ["src", "backends"] {
        sources(&at(folder), &mut text);
    }
    let said = flat(&text);
    let parts = explained(&fs::read_to_string(at("docs/troubleshooting.md")).unwrap());
    assert!(parts.len() > 20, "only {} messages were found", parts.len());
    let unsaid: Vec<_> = parts.iter().filter(|part| !said.contains(&flat(part))).collect();
    assert!(unsaid.is_empty(), "nothing in the sources says: {unsaid:#?}");
}
