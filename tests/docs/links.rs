//! Links between the documents, to files and to headings.

use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::blocks::prose;
use crate::{at, documents};

/// The targets of `[…](target)` and `src="target"`, with their lines.
fn targets(markdown: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (index, line) in prose(markdown).lines().enumerate() {
        for (opening, closing) in [("](", ')'), ("src=\"", '"')] {
            let behind = line.split(opening).skip(1);
            let ends = behind.filter_map(|text| text.split_once(closing));
            found.extend(ends.map(|(target, _)| (index + 1, target.to_owned())));
        }
    }
    found
}

/// The anchors of a document's headings, as GitHub and mdBook make them.
fn anchors(markdown: &str) -> Vec<String> {
    let text = prose(markdown);
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let words = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = words.chars().filter(|&c| c.is_alphanumeric() || "-_ ".contains(c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

/// A path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

/// What is wrong with a link from a document.
fn wrong(document: &str, target: &str) -> Option<String> {
    if target.starts_with("https://") {
        return None;
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let folder = Path::new(document).parent().unwrap_or(Path::new(""));
    let file = if path.is_empty() { PathBuf::from(document) } else { plain(&folder.join(path)) };
    if !at(&file.to_string_lossy()).exists() {
        return Some(format!("{} is not there", file.display()));
    }
    if document.starts_with("docs/") && !file.starts_with("docs") {
        return Some("leads out of the book".into());
    }
    let found = || anchors(&fs::read_to_string(at(&file.to_string_lossy())).unwrap());
    (!anchor.is_empty() && !found().iter().any(|known| known == anchor))
        .then(|| format!("no heading #{anchor}"))
}

#[test]
fn every_link_leads_somewhere() {
    let mut broken = Vec::new();
    let mut count = 0;
    for document in documents() {
        for (line, target) in targets(&fs::read_to_string(at(&document)).unwrap()) {
            count += 1;
            let problem = wrong(&document, &target);
            broken.extend(problem.map(|problem| format!("{document}:{line}: ({target}) {problem}")));
        }
    }
    assert!(count > 50, "only {count} links were found");
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn a_broken_link_is_found() {
    assert_eq!(targets("a [b](c.md#d), `x`\n```\n[e](f)\n```\n"), [(1, "c.md#d".into())]);
    assert_eq!(anchors("# Ten lines: `of` NumPy\n"), ["ten-lines-of-numpy"]);
    assert!(wrong("docs/README.md", "nowhere.md").is_some());
    assert!(wrong("docs/README.md", "../README.md").is_some());
    assert!(wrong("docs/README.md", "python.md#nothing").is_some());
    assert!(wrong("docs/README.md", "python.md#ten-lines-of-numpy").is_none());
}

#[test]
fn the_summary_names_every_chapter() {
    let summary = fs::read_to_string(at("docs/SUMMARY.md")).unwrap();
    let named: Vec<String> =
        targets(&summary).into_iter().map(|(_, target)| format!("docs/{target}")).collect();
    let is_chapter = |path: &String| path.starts_with("docs/") && !path.ends_with("SUMMARY.md");
    let chapters = documents().into_iter().filter(is_chapter);
    let missing: Vec<String> = chapters.filter(|chapter| !named.contains(chapter)).collect();
    assert!(missing.is_empty(), "docs/SUMMARY.md does not name {missing:?}");
}
