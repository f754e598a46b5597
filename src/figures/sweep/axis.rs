//! One key that varies in a sweep: its values in order, and how people read them.

use std::collections::HashSet;
use std::path::Path;

use super::super::caption::capitalized;
use super::super::numbers;
use super::super::scale;
use super::cell::Cell;
use super::ranges::Ranges;

/// Legends spell out the keys of up to this many axes, if they have no more letters than that.
const SPELLED: usize = 2;
const LETTERS: usize = 20;
/// The column of results.csv that says what the experiment calls its cells.
pub const NAME: &str = "name";
/// Values with more letters are shortened.
const LONGEST: usize = 22;

/// One varying key.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    pub key: String,
    /// The key as people say it.
    pub words: String,
    /// Its place in [`Cell::values`].
    column: usize,
    /// Distinct values as written: by size if they are numbers, else as they come; none of them first.
    pub values: Vec<String>,
    /// The same for people.
    pub labels: Vec<String>,
    /// The same as numbers, if all of them are and lie between one another.
    numbers: Option<Vec<f64>>,
    /// Whether they come from a range with a log scale, if they come from a range.
    log: Option<bool>,
}

impl Axis {
    /// The axis of one of `keys`.
    pub fn new<'a>(
        key: &str,
        keys: &[String],
        column: usize,
        written: impl Iterator<Item = &'a String>,
        ranges: &Ranges,
    ) -> Self {
        let mut seen = HashSet::new();
        let mut values: Vec<String> = written.filter(|value| seen.insert(*value)).cloned().collect();
        let number = |value: &String| value.parse::<f64>().ok().filter(|number| scale::drawable(*number));
        let is_numeric = values.iter().all(|value| value.is_empty() || number(value).is_some());
        if is_numeric {
            let size = |value: &String| number(value).unwrap_or(f64::NEG_INFINITY);
            values.sort_by(|a, b| size(a).total_cmp(&size(b)));
        }
        let sizes: Vec<f64> = values.iter().filter_map(number).collect();
        let mut short = if is_numeric { numbers::labels(&sizes).into_iter() } else { Vec::new().into_iter() };
        let labels = values.iter().map(|value| match value.as_str() {
            "" => "(default)".to_owned(),
            value if is_numeric => short.next().unwrap_or_else(|| value.to_owned()),
            value => shortened(&as_layers(own_name(value))),
        });
        let mut labels: Vec<String> = labels.collect();
        let distinct: HashSet<&String> = labels.iter().collect();
        if distinct.len() < labels.len() {
            labels.clone_from(&values);
        }
        let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
        let own = last(key);
        let is_unique = keys.iter().filter(|other| last(other) == own).count() == 1;
        let words = match own.as_str() {
            NAME => "setting".to_owned(),
            "function" => "goodness function".to_owned(),
            own if is_unique => own.replace('_', " "),
            _ => key.replace(['_', '.'], " "),
        };
        let is_ordered = is_numeric && !["seed", NAME].contains(&own.as_str()) && sizes.len() == values.len();
        let (key, numbers, log) = (key.to_owned(), is_ordered.then_some(sizes), ranges.is_log(key));
        Self { key, words, column, values, labels, numbers, log }
    }

    /// What `[[cell]]` calls its cells.
    pub fn is_name(&self) -> bool {
        self.key == NAME
    }

    /// One of its values in a legend.
    pub fn told(&self, place: usize) -> String {
        let label = self.labels.get(place).map_or("", String::as_str);
        // A name says itself what it is.
        if self.is_name() { label.to_owned() } else { format!("{} {label}", self.words) }
    }

    /// Whether each of its values goes with one value of another axis in all cells, so that it says both.
    pub fn decides(&self, other: &Axis, cells: &[Cell]) -> bool {
        let mut with = vec![None; self.values.len()];
        cells.iter().all(|cell| match with.get_mut(self.index(cell)) {
            Some(known) => *known.get_or_insert(other.index(cell)) == other.index(cell),
            None => false,
        })
    }

    /// Whether a key is its own, written whole or by its last part.
    pub fn is_called(&self, key: &str) -> bool {
        self.key == key || self.key.rsplit('.').next() == Some(key)
    }

    /// The place of a value, as it is written, as people read it, or as the same number.
    pub fn place(&self, value: &str) -> Option<usize> {
        let number = value.parse::<f64>().ok();
        let same = |own: &String| own == value || (number.is_some() && own.parse().ok() == number);
        let written = self.values.iter().position(same);
        written.or_else(|| self.labels.iter().position(|label| label == value))
    }

    /// Seeds are repeats.
    pub fn is_seed(&self) -> bool {
        self.key == "seed" || self.key.ends_with(".seed")
    }

    /// Values lie between one another, so lines may join them.
    pub fn is_ordered(&self) -> bool {
        self.numbers.is_some()
    }

    /// This axis' value in a cell, as its place among the values.
    pub fn index(&self, cell: &Cell) -> usize {
        let own = cell.values.get(self.column).map_or("", String::as_str);
        self.values.iter().position(|value| value == own).unwrap_or(0)
    }

    /// This axis' value in a cell, for people.
    pub fn label(&self, cell: &Cell) -> &str {
        self.labels.get(self.index(cell)).map_or("", String::as_str)
    }

    /// The axis on paper, and where its values lie on it: numbers at their true places.
    pub fn scale(&self) -> (scale::Axis, Vec<f64>) {
        self.scale_of(&(0..self.values.len()).collect::<Vec<_>>())
    }

    /// The same of some of its values alone.
    pub fn scale_of(&self, shown: &[usize]) -> (scale::Axis, Vec<f64>) {
        let of = |numbers: &Vec<f64>| shown.iter().filter_map(|place| numbers.get(*place).copied()).collect();
        let numbers: Option<Vec<f64>> = self.numbers.as_ref().map(of);
        let uneven = if numbers.is_some() { ", evenly spaced" } else { "" };
        let axis = |numbers: &Vec<f64>| scale::Axis::numbers(&self.title(), numbers, self.log);
        match numbers.and_then(|numbers| Some((axis(&numbers)?, numbers))) {
            Some(found) => found,
            None => {
                let places = (0..shown.len()).map(|index| index as f64).collect();
                let labels = shown.iter().filter_map(|place| self.labels.get(*place).cloned());
                let title = format!("{}{uneven}", self.title());
                (scale::Axis::places(&title, &labels.collect::<Vec<_>>()), places)
            }
        }
    }

    /// The key as an axis title, with its unit where it has one.
    pub fn title(&self) -> String {
        let known = match self.key.rsplit('.').next().unwrap_or_default() {
            "width" => "Width (units per layer)",
            "depth" => "Depth (layers)",
            "layer_sizes" => "Layer sizes (units)",
            "threshold" => "Threshold θ",
            "num_epochs" => "Training (epochs)",
            "batch_size" => "Batch size (images)",
            "jitter" => "Jitter (pixels)",
            "dropout" => "Dropout (share of units)",
            "input_dropout" => "Dropout of pixels (share)",
            _ => return capitalized(&self.words),
        };
        known.to_owned()
    }

    /// The key as part of a file name.
    pub fn file_name(&self) -> String {
        plain(&self.key)
    }
}

/// A text as part of a file name.
pub fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect()
}

/// `500x500x500` and `[500, 500, 500]` as `3 × 500`, other sizes with dashes; any other text as it is.
fn as_layers(value: &str) -> String {
    let listed = value.trim_start_matches('[').trim_end_matches(']');
    let sizes: Option<Vec<u64>> = listed.split(['x', ',']).map(|size| size.trim().parse().ok()).collect();
    match sizes {
        Some(sizes) if sizes.len() > 1 && sizes.iter().all(|size| Some(size) == sizes.first()) => {
            format!("{} × {}", sizes.len(), sizes.first().unwrap_or(&0))
        }
        Some(sizes) => sizes.iter().map(u64::to_string).collect::<Vec<_>>().join("–"),
        None => value.to_owned(),
    }
}

/// A folder of data or a recipe's file by its own name; anything else as it is.
fn own_name(value: &str) -> &str {
    let path = value.strip_prefix("idx:").or_else(|| value.strip_suffix(".toml"));
    let name = path.and_then(|path| Path::new(path).file_name()?.to_str());
    name.unwrap_or(value)
}

/// Of a long name the ends, which tell it from others.
fn shortened(value: &str) -> String {
    let name: Vec<char> = value.chars().collect();
    if name.len() <= LONGEST {
        return name.into_iter().collect();
    }
    let (head, tail) = (&name[..LONGEST / 3], &name[name.len() - (LONGEST - LONGEST / 3 - 1)..]);
    head.iter().chain(&['…']).chain(tail).collect()
}

fn settings(axes: &[&Axis], cell: &Cell) -> String {
    let parts: Vec<String> = axes.iter().map(|axis| axis.told(axis.index(cell))).collect();
    parts.join(", ")
}

/// A cell by its values: `depth 3, width 500, seed 1`.
pub fn cell_name(axes: &[&Axis], cell: &Cell) -> String {
    settings(axes, cell)
}

/// A cell's values along `axes` for a legend: without the keys if these are many.
pub fn legend_name(axes: &[&Axis], cell: &Cell) -> String {
    if is_spelled(axes) {
        return settings(axes, cell);
    }
    let values: Vec<&str> = axes.iter().map(|axis| axis.label(cell)).collect();
    values.join(", ")
}

/// The keys that [`legend_name`] leaves out.
pub fn legend_key(axes: &[&Axis]) -> Option<String> {
    let words: Vec<&str> = axes.iter().map(|axis| axis.words.as_str()).collect();
    (!is_spelled(axes)).then(|| format!("legend: {}", words.join(", ")))
}

fn is_spelled(axes: &[&Axis]) -> bool {
    let letters: usize = axes.iter().map(|axis| axis.words.chars().count()).sum();
    axes.len() < SPELLED || (axes.len() == SPELLED && letters <= LETTERS)
}
