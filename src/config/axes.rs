//! The varying knobs of an experiment: `[sweep]`, `[[cell]]` and `[search]`.

use std::collections::HashSet;

use ndarray_rand::rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use toml::Value;

use super::document::{Content, Entry, Node};
use super::error::ConfigError;
use super::knobs::{DEPTH, Knob, LAYER_SIZES, LAYERS, LOG_DIR, WIDTH};
use super::layers::Setting;
use super::names;
use super::origin::Origin;
use super::range::{DIGITS, MOST_CELLS, MOST_DIGITS, Range};
use super::takes::describe;

/// A varying knob and its value in one cell.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    /// The knob's name as the file writes it.
    pub(crate) written: String,
    pub(crate) setting: Setting,
}

/// The varying part of one cell.
#[derive(Clone, Debug, Default)]
pub(crate) struct Point {
    pub(crate) choices: Vec<Choice>,
    /// Its table, if it has one of its own.
    pub(crate) table: Option<Origin>,
    /// What the file calls it.
    pub(crate) label: Option<String>,
}

impl Point {
    fn of(choices: Vec<Choice>) -> Self {
        Point { choices, ..Point::default() }
    }

    fn and(&self, other: &Point) -> Self {
        let choices = [self.choices.as_slice(), &other.choices].concat();
        let label = self.label.clone().or(other.label.clone());
        Point { choices, table: self.table.clone().or(other.table.clone()), label }
    }

    /// Whether a value of this point stands there.
    pub(crate) fn is_from(&self, origin: &Origin) -> bool {
        self.choices.iter().any(|choice| choice.setting.origin == *origin)
    }

    /// Where this point and another part: the first places that differ, else their last.
    pub(crate) fn parting(&self, other: &Point) -> (Origin, Origin) {
        let places = |point: &Point| -> Vec<Origin> {
            let choices = point.choices.iter().map(|choice| choice.setting.origin.clone());
            point.table.iter().cloned().chain(choices).collect()
        };
        let (here, there) = (places(self), places(other));
        let parted = here.iter().zip(&there).find(|(a, b)| a != b);
        let (a, b) = parted.map_or((here.last(), there.last()), |(a, b)| (Some(a), Some(b)));
        (a.cloned().unwrap_or(Origin::Default), b.cloned().unwrap_or(Origin::Default))
    }
}

/// A knob that a table names, by its dotted name, its last part, or inside its own table.
struct Named<'a> {
    written: String,
    knob: &'static Knob,
    entry: &'a Entry,
}

impl Named<'_> {
    fn choice(&self, value: Value, node: &Node) -> Result<Choice, ConfigError> {
        let written = self.written.clone();
        let setting = Setting::checked(self.knob, value, node.origin.clone())?;
        Ok(Choice { written, setting })
    }

    /// The values of a list.
    fn list(&self) -> Result<Vec<Choice>, ConfigError> {
        let node = &self.entry.node;
        let items = node.items().unwrap_or_default();
        if items.is_empty() {
            return Err(node.error(format!("`{}` has no values", self.written)));
        }
        let (of, example) = match self.knob.name {
            LAYERS => ("layers", "[[{ kind = \"dense\", units = 500 }]]"),
            _ => ("whole numbers", "[[500, 500]]"),
        };
        let holds_lists = [LAYER_SIZES, LAYERS].contains(&self.knob.name);
        if let Some(item) = items.iter().find(|item| holds_lists && item.items().is_none()) {
            let (name, found) = (self.knob.name, describe(&item.value()));
            return Err(item.error(format!(
                "`{name}` must be a list of {of}, found {found}; its axis is a list of lists, such as {example}"
            )));
        }
        items.iter().map(|item| self.choice(item.value(), item)).collect()
    }

    fn no_axis(&self, range: &str) -> ConfigError {
        let value = self.entry.node.value();
        self.entry.node.error(format!(
            "`{}` must be a list or a range such as {range}, found {}; write [{value}], or give the value \
             in the table of its knob",
            self.written,
            describe(&value)
        ))
    }
}

/// The key of `[sweep]` that names axes that move together.
const ZIP: &str = "zip";

/// The points of `[sweep]`: every combination, the last axis varying fastest. Axes that `zip` names move together.
pub(crate) fn grid(sweep: &Entry) -> Result<Vec<Point>, ConfigError> {
    let entries = table(sweep)?;
    let axes = named(entries.iter().filter(|entry| entry.key != ZIP))?;
    let groups = match entries.iter().find(|entry| entry.key == ZIP) {
        Some(zip) => zipped(zip, &axes)?,
        None => Vec::new(),
    };
    let mut points = vec![Point::default()];
    for (at, axis) in axes.iter().enumerate() {
        let group = groups.iter().find(|group| group.contains(&at));
        let values: Vec<Point> = match group.map(|group| group.as_slice()) {
            // The others of its group stand where its first axis does.
            Some([first, ..]) if *first != at => continue,
            Some(group) => {
                let members = group.iter().filter_map(|&member| axes.get(member));
                together(&members.collect::<Vec<_>>(), &points, sweep)?
            }
            None => {
                let values = values(axis, &points, sweep)?;
                values.into_iter().map(|choice| Point::of(vec![choice])).collect()
            }
        };
        points = cross(&points, &values).ok_or_else(|| too_many(sweep))?;
    }
    Ok(points)
}

/// The values of an axis that is crossed with these points.
fn values(axis: &Named, points: &[Point], sweep: &Entry) -> Result<Vec<Choice>, ConfigError> {
    let node = &axis.entry.node;
    // Counted before each value is looked at: a list may be longer than anyone can wait for.
    let listed = node.items().map_or(1, <[Node]>::len);
    if points.len().saturating_mul(listed) > MOST_CELLS {
        return Err(too_many(sweep));
    }
    match &node.content {
        Content::List(_) => axis.list(),
        Content::Table(_) => {
            let values = Range::steps(axis.knob, node)?;
            values.into_iter().map(|value| axis.choice(value, node)).collect()
        }
        Content::Scalar(_) => Err(axis.no_axis("{ from = 1, to = 8, steps = 4 }")),
    }
}

/// The points of axes that move together: the first values of all, the second ones, and so on.
fn together(axes: &[&Named], points: &[Point], sweep: &Entry) -> Result<Vec<Point>, ConfigError> {
    let columns: Vec<Vec<Choice>> =
        axes.iter().map(|axis| values(axis, points, sweep)).collect::<Result<_, _>>()?;
    let length = columns.first().map_or(0, Vec::len);
    let other = axes.iter().zip(&columns).find(|(_, column)| column.len() != length);
    if let (Some((axis, column)), Some(first)) = (other, axes.first()) {
        return Err(axis.entry.node.error(format!(
            "`{}` has {} values and `{}` has {length}; axes that `zip` moves together need as many each",
            axis.written,
            column.len(),
            first.written
        )));
    }
    let point = |at: usize| Point::of(columns.iter().filter_map(|column| column.get(at).cloned()).collect());
    Ok((0..length).map(point).collect())
}

/// The groups of axes that `zip` names, as places among the axes: a list of names, or a list of such lists.
fn zipped(zip: &Entry, axes: &[Named]) -> Result<Vec<Vec<usize>>, ConfigError> {
    let shape = || {
        zip.node
            .error("`zip` must be a list of axes, such as [\"depth\", \"width\"], or a list of such lists")
    };
    let items = zip.node.items().ok_or_else(shape)?;
    let lists: Vec<&[Node]> = match items.iter().all(|item| item.items().is_none()) {
        true => vec![items],
        false => items.iter().map(|item| item.items().ok_or_else(shape)).collect::<Result<_, _>>()?,
    };
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for list in lists {
        let mut group = Vec::new();
        for node in list {
            let Value::String(name) = node.value() else { return Err(shape()) };
            let knob = names::find(&name).map_err(|message| node.error(message))?;
            let Some(at) = axes.iter().position(|axis| axis.knob.name == knob.name) else {
                return Err(
                    node.error(format!("`{name}` is no axis of this [sweep], so it cannot be zipped"))
                );
            };
            if group.contains(&at) || groups.iter().any(|group| group.contains(&at)) {
                return Err(node.error(format!("`{name}` is zipped twice")));
            }
            group.push(at);
        }
        if group.len() < 2 {
            return Err(zip.node.error("`zip` needs two axes or more to move together"));
        }
        group.sort_unstable();
        groups.push(group);
    }
    Ok(groups)
}

/// Every first point with every second; none if that is beyond all use.
pub(crate) fn cross(first: &[Point], second: &[Point]) -> Option<Vec<Point>> {
    if first.len().checked_mul(second.len())? > MOST_CELLS {
        return None;
    }
    let pairs = first.iter().flat_map(|a| second.iter().map(move |b| a.and(b)));
    Some(pairs.collect())
}

/// The error for more cells than anyone can run.
pub(crate) fn too_many(entry: &Entry) -> ConfigError {
    entry.error(format!("`{}` makes more than {MOST_CELLS} cells", entry.key))
}

/// The key of `[[cell]]` that says what to call the cell.
const LABEL: &str = "name";
/// The longest name of a cell, in letters.
const LONGEST_LABEL: usize = 60;

fn label(entry: &Entry) -> Result<String, ConfigError> {
    match entry.node.value() {
        Value::String(text)
            if (1..=LONGEST_LABEL).contains(&text.trim().chars().count())
                && !text.contains(char::is_control) =>
        {
            Ok(text.trim().to_owned())
        }
        _ => Err(entry.node.error(format!(
            "`name` of a cell must be text of 1 to {LONGEST_LABEL} letters; the backend's is `backend.name`"
        ))),
    }
}

/// The points of `[[cell]]`: one each.
pub(crate) fn cells(cells: &Entry) -> Result<Vec<Point>, ConfigError> {
    let Some(tables) = cells.node.items() else {
        return Err(cells.error("`cell` must be a list of tables: [[cell]]"));
    };
    if tables.len() > MOST_CELLS {
        return Err(too_many(cells));
    }
    let point = |node: &Node| {
        let Some(entries) = node.entries() else {
            return Err(node.error("`cell` must be a list of tables: [[cell]]"));
        };
        let label = entries.iter().find(|entry| entry.key == LABEL).map(label).transpose()?;
        let knobs = named(entries.iter().filter(|entry| entry.key != LABEL))?;
        let choices = knobs.iter().map(|knob| knob.choice(knob.entry.node.value(), &knob.entry.node));
        let table = Some(node.origin.clone());
        Ok(Point { choices: choices.collect::<Result<_, _>>()?, table, label })
    };
    tables.iter().map(point).collect()
}

/// The keys of `[search]` that are not knobs to draw.
pub(crate) const SEARCH_KEYS: [&str; 3] = ["cells", "seed", "halving"];

/// What a knob of a search is drawn from.
enum Source {
    List(Vec<Choice>),
    Range(Range),
}

impl Source {
    /// How many values it has; none where they are as many as there are numbers.
    fn count(&self) -> Option<usize> {
        match self {
            Source::List(choices) => {
                let values: HashSet<_> =
                    choices.iter().map(|choice| choice.setting.value.to_string()).collect();
                Some(values.len())
            }
            Source::Range(range) => range.count(),
        }
    }
}

/// The points of `[search]`: so many, drawn at random from its seed, no two the same.
pub(crate) fn draw(search: &Entry) -> Result<Vec<Point>, ConfigError> {
    let entries = table(search)?;
    let own = |key: &str| entries.iter().find(|entry| entry.key == key);
    let Some(wanted) = own("cells") else {
        return Err(search.error("`search` needs `cells`, the number of cells to draw"));
    };
    let wanted = whole(wanted, 1, MOST_CELLS)?;
    let seed = own("seed").map_or(Ok(0), |entry| whole(entry, 0, usize::MAX))?;
    let drawn: Vec<_> = entries.iter().filter(|e| !SEARCH_KEYS.contains(&e.key.as_str())).collect();
    let axes = named(drawn)?;
    if axes.is_empty() {
        return Err(search.error("`search` names no knob to draw"));
    }
    let source = |axis: &Named| {
        Ok(match &axis.entry.node.content {
            Content::List(items) if items.len() > MOST_CELLS => return Err(too_many(search)),
            Content::List(_) => Source::List(axis.list()?),
            Content::Table(_) => Source::Range(Range::to_draw_from(axis.knob, &axis.entry.node)?),
            Content::Scalar(_) => return Err(axis.no_axis("{ from = 1, to = 8 }")),
        })
    };
    let sources: Vec<Source> = axes.iter().map(source).collect::<Result<_, _>>()?;

    let few = |found| {
        search.error(format!("`search` finds only {found} different cells of the {wanted} asked for"))
    };
    let possible = sources.iter().try_fold(1usize, |cells, source| cells.checked_mul(source.count()?));
    if let Some(possible) = possible.filter(|&possible| possible < wanted) {
        return Err(few(possible));
    }
    // More digits make other numbers, but no other whole ones.
    let most_digits = if possible.is_some() { DIGITS } else { MOST_DIGITS };

    let mut rng = ChaCha8Rng::seed_from_u64(seed as u64);
    let mut seen = HashSet::new();
    let mut points: Vec<Point> = Vec::new();
    for _ in 0..wanted.saturating_mul(20) {
        let drawn: Vec<f64> = axes.iter().map(|_| rng.random()).collect();
        // A draw that was seen before is another with more digits, unless all values are listed or whole.
        for digits in DIGITS..=most_digits {
            let value = |(source, &uniform): (&Source, &f64)| match source {
                Source::List(listed) => {
                    let at = (uniform * listed.len() as f64) as usize;
                    listed.get(at).map(|choice| choice.setting.value.clone())
                }
                Source::Range(range) => Some(range.draw(uniform, digits)),
            };
            let values: Vec<Value> = sources.iter().zip(&drawn).filter_map(value).collect();
            if !seen.insert(values.iter().map(Value::to_string).collect::<Vec<_>>()) {
                continue;
            }
            let mut choices = Vec::new();
            for ((axis, source), value) in axes.iter().zip(&sources).zip(values) {
                let listed = match source {
                    Source::List(listed) => {
                        listed.iter().find(|choice| choice.setting.value == value).cloned()
                    }
                    Source::Range(_) => None,
                };
                choices.push(match listed {
                    Some(choice) => choice,
                    None => axis.choice(value, &axis.entry.node)?,
                });
            }
            points.push(Point::of(choices));
            break;
        }
        if points.len() == wanted {
            return Ok(points);
        }
    }
    Err(few(points.len()))
}

/// The knobs that a table names, each once.
fn named<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Result<Vec<Named<'a>>, ConfigError> {
    let mut found: Vec<Named> = Vec::new();
    for entry in entries {
        match (names::is_table(&entry.key), entry.node.entries()) {
            (true, Some(inside)) => {
                for inner in inside {
                    let written = format!("{}.{}", entry.key, inner.key);
                    add(&mut found, written, inner)?;
                }
            }
            _ => add(&mut found, entry.key.clone(), entry)?,
        }
    }
    Ok(found)
}

fn add<'a>(found: &mut Vec<Named<'a>>, written: String, entry: &'a Entry) -> Result<(), ConfigError> {
    let knob = match names::find(&written) {
        Ok(knob) => knob,
        Err(message) => return Err(entry.error(message)),
    };
    if knob.name == LOG_DIR {
        return Err(entry.error("`logging.log_dir` cannot vary: every cell has a folder of its own"));
    }
    if let Some(earlier) = found.iter().find(|earlier| overlap(earlier.knob.name, knob.name)) {
        let message = format!("`{written}` sets what `{}` sets already", earlier.written);
        return Err(entry.error(message));
    }
    found.push(Named { written, knob, entry });
    Ok(())
}

/// Whether two knobs set the same thing.
pub(crate) fn overlap(one: &str, other: &str) -> bool {
    let short = |knob| knob == DEPTH || knob == WIDTH;
    let whole = |knob| knob == LAYER_SIZES || knob == LAYERS;
    one == other || whole(one) && (whole(other) || short(other)) || whole(other) && short(one)
}

/// The keys of a table of the file.
pub(crate) fn table(entry: &Entry) -> Result<&[Entry], ConfigError> {
    let key = &entry.key;
    let table = entry.node.entries();
    table.ok_or_else(|| entry.error(format!("`{key}` must be a table: [{key}]")))
}

/// A whole number between limits.
pub(crate) fn whole(entry: &Entry, least: usize, most: usize) -> Result<usize, ConfigError> {
    let value = entry.node.value();
    let number = value.as_integer().and_then(|n| usize::try_from(n).ok());
    number.filter(|n| (least..=most).contains(n)).ok_or_else(|| {
        let key = &entry.key;
        let most = if most < usize::MAX { format!(" and at most {most}") } else { String::new() };
        let found = describe(&value);
        let message = format!("`{key}` must be a whole number of at least {least}{most}, found {found}");
        entry.node.error(message)
    })
}
