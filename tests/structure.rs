//! Arrows between modules point one way: read from the `use` lines and paths of src, no folder and no file depends on
//! one that depends on it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A module's path below the crate: `["cli", "sweep"]`.
type Module = Vec<String>;
/// What depends on what, with a reason to print.
type Graph = BTreeMap<Module, BTreeMap<Module, String>>;

/// One file of src.
#[derive(Default)]
struct File {
    /// Paths that it only passes on: `pub use`.
    passed_on: Vec<Vec<String>>,
    /// Paths that it uses.
    used: Vec<Vec<String>>,
    /// Names that it defines.
    defined: BTreeSet<String>,
}

struct Source(BTreeMap<Module, File>);

fn words(path: &str) -> Vec<String> {
    path.split("::").map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()
}

/// The paths of a use tree: `a::{b, c as d}` is `a::b` and `a::c`.
fn expanded(tree: &str) -> Vec<Vec<String>> {
    let Some((before, rest)) = tree.split_once('{') else {
        return vec![words(tree.split(" as ").next().unwrap())];
    };
    let inner = rest.rsplit_once('}').map_or(rest, |(inner, _)| inner);
    let (mut parts, mut depth) = (vec![String::new()], 0);
    for c in inner.chars() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        match c {
            ',' if depth == 0 => parts.push(String::new()),
            _ => parts.last_mut().unwrap().push(c),
        }
    }
    let parts = parts.iter().filter(|part| !part.trim().is_empty());
    parts.flat_map(|part| expanded(part)).map(|path| [words(before), path].concat()).collect()
}

/// Text without comments and string literals' `//`, and without the tests at its end.
fn code(text: &str) -> String {
    let lines = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]\nmod tests {"));
    let lines = lines.map(|line| if line.trim_start().starts_with("//") { "" } else { line });
    let text = lines.collect::<Vec<_>>().join("\n");
    text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned()
}

fn parsed(text: &str) -> File {
    let mut file = File::default();
    let mut rest = String::new();
    let text = code(text);
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let (public, tree) = match line.trim_start() {
            line if line.starts_with("use ") => (false, line.strip_prefix("use ")),
            line if line.starts_with("pub use ") => (true, line.strip_prefix("pub use ")),
            line => {
                (line.starts_with("pub(") && line.contains(") use "), line.split_once(") use ").map(|p| p.1))
            }
        };
        let Some(tree) = tree else {
            rest.push_str(line);
            rest.push('\n');
            continue;
        };
        let mut tree = tree.to_owned();
        while !tree.contains(';') {
            tree.push_str(lines.next().unwrap());
        }
        let paths = expanded(tree.split(';').next().unwrap());
        if public { file.passed_on.extend(paths) } else { file.used.extend(paths) }
    }
    for kind in ["struct", "enum", "trait", "fn", "type", "const", "static", "union"] {
        for (at, _) in rest.match_indices(&format!("{kind} ")) {
            let before = rest[..at].lines().next_back().unwrap_or_default();
            // Only what stands at the start of a line is the module's own.
            if before.is_empty() || before.starts_with("pub") {
                let name = rest[at + kind.len() + 1..].split(|c: char| !c.is_alphanumeric() && c != '_');
                file.defined.extend(name.map(str::to_owned).next());
            }
        }
    }
    for start in ["crate::", "super::", "self::"] {
        for (at, _) in rest.match_indices(start) {
            let is_inside =
                rest[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':' || c == '$');
            if !is_inside {
                let path = rest[at..].split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').next();
                file.used.push(words(path.unwrap()));
            }
        }
    }
    file
}

impl Source {
    fn read(folder: &Path) -> Self {
        let mut files = BTreeMap::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(next) = folders.pop() {
            for entry in std::fs::read_dir(next).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                if path.extension().is_none_or(|extension| extension != "rs") {
                    continue;
                }
                let below = path.strip_prefix(folder).unwrap().with_extension("");
                let mut module: Module = below.iter().map(|word| word.to_str().unwrap().to_owned()).collect();
                if module.iter().any(|word| word == "tests" || word == "fixtures") {
                    continue;
                }
                module.pop_if(|last| ["mod", "lib", "main"].contains(&last.as_str()));
                files.entry(module).or_insert(parsed(&std::fs::read_to_string(&path).unwrap()));
            }
        }
        Source(files)
    }

    /// The module that a path is looked up in, and what is left of the path; `None` outside of the crate.
    fn base(&self, module: &Module, path: &[String]) -> Option<(Module, Vec<String>)> {
        let mut base = module.clone();
        let mut path = path.to_vec();
        match path.first()?.as_str() {
            "crate" => base.clear(),
            "super" | "self" => {}
            first => {
                base.push(first.to_owned());
                return self.0.contains_key(&base).then(|| (base, path.split_off(1)));
            }
        }
        if base.is_empty() {
            path.remove(0);
        }
        while path.first().is_some_and(|first| first == "super" || first == "self") {
            if path.remove(0) == "super" {
                base.pop();
            }
        }
        Some((base, path))
    }

    /// The file that defines what a path names.
    fn owner(&self, module: &Module, path: &[String], depth: usize) -> Option<Module> {
        let (mut at, path) = self.base(module, path)?;
        assert!(depth < 20, "{path:?} in {module:?} is passed on in a circle");
        for (index, word) in path.iter().enumerate() {
            let mut child = at.clone();
            child.push(word.clone());
            if self.0.contains_key(&child) {
                at = child;
                continue;
            }
            let file = &self.0[&at];
            if file.defined.contains(word) {
                return Some(at);
            }
            let named = file.passed_on.iter().find(|passed| passed.last() == Some(word));
            if let Some(passed) = named {
                return self.owner(&at, passed, depth + 1).or(Some(at));
            }
            let globs = file.passed_on.iter().filter(|passed| passed.last().is_some_and(|last| last == "*"));
            for glob in globs {
                let path = [&glob[..glob.len() - 1], &path[index..]].concat();
                let owner = self.owner(&at, &path, depth + 1)?;
                if self.0[&owner].defined.contains(word) {
                    return Some(owner);
                }
            }
            return Some(at);
        }
        Some(at)
    }

    /// File by file: who uses what another file defines.
    fn graph(&self) -> Graph {
        let mut graph = Graph::new();
        for (module, file) in &self.0 {
            let edges = graph.entry(module.clone()).or_default();
            for path in &file.used {
                let Some(owner) = self.owner(module, path, 0).filter(|owner| owner != module) else {
                    continue;
                };
                let reason = format!("{} uses {} ({})", module.join("::"), owner.join("::"), path.join("::"));
                edges.entry(owner).or_insert(reason);
            }
        }
        graph
    }
}

/// Taken together by their first `depth` words.
fn gathered(graph: &Graph, depth: usize) -> Graph {
    let short = |module: &Module| module.iter().take(depth).cloned().collect::<Module>();
    let mut gathered = Graph::new();
    for (from, edges) in graph {
        let node = gathered.entry(short(from)).or_default();
        for (to, reason) in edges.iter().filter(|(to, _)| short(to) != short(from)) {
            node.entry(short(to)).or_insert(reason.clone());
        }
    }
    gathered
}

/// The edges that lie on a circle: whoever is used comes back to its user.
fn circles(graph: &Graph) -> Vec<&str> {
    let reaches = |from: &Module, to: &Module| {
        let (mut seen, mut open) = (BTreeSet::from([from]), vec![from]);
        while let Some(next) = open.pop() {
            let unseen =
                graph.get(next).into_iter().flat_map(BTreeMap::keys).filter(|next| seen.insert(next));
            open.extend(unseen);
        }
        seen.contains(to)
    };
    let edges = graph.iter().flat_map(|(from, edges)| edges.iter().map(move |(to, why)| (from, to, why)));
    edges.filter(|(from, to, _)| reaches(to, from)).map(|(_, _, why)| why.as_str()).collect()
}

fn assert_no_circle(graph: &Graph, what: &str) {
    let found = circles(graph);
    assert!(found.is_empty(), "{what} depend on each other both ways:\n{}", found.join("\n"));
}

#[test]
fn folders_depend_on_each_other_one_way() {
    let source = Source::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let graph = source.graph();
    assert!(graph.len() > 100 && graph.values().map(BTreeMap::len).sum::<usize>() > 300, "src was not read");
    for depth in 1..4 {
        assert_no_circle(&gathered(&graph, depth), &format!("modules, {depth} deep"));
    }
}

#[test]
fn files_depend_on_each_other_one_way() {
    let source = Source::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert_no_circle(&source.graph(), "files");
}

#[test]
fn use_lines_are_read_as_the_compiler_reads_them() {
    let file =
        parsed("use crate::a::{B, c::{D as E, F}};\npub use super::g::*;\nfn h() { crate::i::j(); }\n");
    let used: Vec<String> = file.used.iter().map(|path| path.join("::")).collect();
    assert_eq!(used, ["crate::a::B", "crate::a::c::D", "crate::a::c::F", "crate::i::j"]);
    assert_eq!(file.passed_on, [["super", "g", "*"]]);
    assert!(file.defined.contains("h"));
}

#[test]
fn circles_are_found() {
    let edge = |from: &str, to: &str| {
        (vec![from.to_owned()], BTreeMap::from([(vec![to.to_owned()], String::new())]))
    };
    let line = Graph::from([edge("a", "b"), edge("b", "c")]);
    assert!(circles(&line).is_empty());
    let round = Graph::from([edge("a", "b"), edge("b", "c"), edge("c", "b")]);
    assert_eq!(circles(&round).len(), 2);
}
