//! Tables with an image a row: the label first, as Kaggle has it, or in a column called `label`; then its pixels.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ::csv::{ReaderBuilder, StringRecord};

use super::super::class_names::MOST_CLASSES;
use super::super::{DataError, ImageShape, Split};
use super::{Imported, Options, divide, name, refuse};
use crate::files::reading;

/// What the column of labels may be called.
const LABEL: [&str; 5] = ["label", "class", "target", "y", "digit"];

/// One table: labels as they are written, and pixels.
struct Table {
    labels: Vec<String>,
    pixels: Vec<u8>,
    /// Pixels of an image.
    features: usize,
}

/// Reads one table, or one with `train` and one with `test` in its name.
pub fn read(paths: &[PathBuf], options: &Options) -> Result<Imported, DataError> {
    let called = |word: &str| paths.iter().find(|path| name(path).to_lowercase().contains(word));
    let (train_path, test_path) = match paths {
        [one] => (one, None),
        _ => match (called("train"), called("test")) {
            (Some(train), Some(test)) if train != test => (train, Some(test)),
            _ => {
                let first = paths.first().map(PathBuf::as_path).unwrap_or(Path::new(""));
                return Err(refuse(
                    first.parent().unwrap_or(first),
                    "holds several .csv, expected one, or one with `train` and one with `test` in its name",
                ));
            }
        },
    };
    let train = Table::read(train_path)?;
    let shape = shape(train_path, train.features, options)?;
    let test = test_path.map(|path| Table::read(path).map(|table| (path, table))).transpose()?;
    if let Some((path, test)) = test.as_ref().filter(|(_, test)| test.features != train.features) {
        return Err(refuse(path, format!("{} pixels a row, expected {}", test.features, train.features)));
    }
    let labels = train.labels.iter().chain(test.iter().flat_map(|(_, test)| &test.labels));
    let classes = Classes::new(labels);
    if classes.names.len() > MOST_CLASSES {
        return Err(refuse(train_path, format!("more than {MOST_CLASSES} labels in its first column")));
    }
    let all = classes.split(train);
    let (train, test) = match test {
        None => divide(all, options.test_every),
        Some((_, test)) => (all, classes.split(test)),
    };
    Ok(Imported { shape, class_names: classes.names, train, test, notes: Vec::new() })
}

/// The labels there are: whole numbers keep their number, words are numbered in their order.
struct Classes {
    /// Words, or numbers from 0 (from 1 where there is no 0).
    names: Vec<String>,
    first: Option<usize>,
}

impl Classes {
    fn new<'a>(labels: impl Iterator<Item = &'a String>) -> Classes {
        let distinct: BTreeSet<&String> = labels.collect();
        let numbers: Option<BTreeSet<usize>> = distinct.iter().map(|label| label.parse().ok()).collect();
        match numbers.as_ref().and_then(|numbers| Some((*numbers.first()?, *numbers.last()?))) {
            Some((lowest, highest)) if highest - lowest.min(1) < MOST_CLASSES => {
                let first = lowest.min(1);
                Classes { names: (first..=highest).map(|n| n.to_string()).collect(), first: Some(first) }
            }
            _ => Classes { names: distinct.into_iter().cloned().collect(), first: None },
        }
    }

    fn split(&self, table: Table) -> Split {
        let number = |label: &String| match self.first {
            Some(first) => label.parse::<usize>().unwrap_or(first) - first,
            None => self.names.binary_search(label).unwrap_or(0),
        };
        Split {
            labels: table.labels.iter().map(|label| number(label) as u32).collect(),
            pixels: table.pixels.into(),
        }
    }
}

/// The shape that was asked for, or a square.
fn shape(path: &Path, features: usize, options: &Options) -> Result<ImageShape, DataError> {
    let side = features.isqrt();
    let shape = options.size.unwrap_or(ImageShape::gray(side, side));
    match shape.pixels() == features && features > 0 {
        true => Ok(shape),
        false => Err(refuse(path, format!("{features} pixels a row; --size HxW says how they are arranged"))),
    }
}

impl Table {
    fn read(path: &Path) -> Result<Table, DataError> {
        let failed = |source| DataError::Io { path: path.to_owned(), source };
        let (file, _) = reading::open(path).map_err(failed)?;
        let mut reader = ReaderBuilder::new().has_headers(false).from_reader(file);
        let mut table = Table { labels: Vec::new(), pixels: Vec::new(), features: 0 };
        let (mut record, mut label_at, mut first) = (StringRecord::new(), 0, true);
        loop {
            match reader.read_record(&mut record) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => return Err(refuse(path, error.to_string())),
            }
            if std::mem::take(&mut first) && is_header(&record) {
                label_at = label_column(path, &record)?;
                continue;
            }
            let line = record.position().map_or(0, ::csv::Position::line);
            for (column, field) in record.iter().enumerate() {
                let field = field.trim();
                if column == label_at {
                    table.labels.push(field.to_owned());
                    continue;
                }
                let pixel = field.parse().map_err(|_| {
                    let place = format!("line {line}, column {}", column + 1);
                    refuse(path, format!("{place}: {field:?}, expected brightness from 0 to 255"))
                })?;
                table.pixels.push(pixel);
            }
            table.features = record.len().saturating_sub(1);
        }
        Ok(table)
    }
}

/// Whether a first row names its columns: none by a number, or one as labels are called and the others by numbers that count
/// up. Any other row is one of pixels, of which some may be damaged; a class may be called `y`.
fn is_header(record: &StringRecord) -> bool {
    let number = |field: &str| field.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    if !record.iter().skip(1).any(|field| number(field).is_some()) {
        return record.len() > 1;
    }
    let is_label = |field: &&str| LABEL.contains(&field.trim().to_lowercase().as_str());
    let (labels, others): (Vec<&str>, Vec<&str>) = record.iter().partition(is_label);
    let counts_up = |pair: &[&str]| match (number(pair[0]), number(pair[1])) {
        (Some(one), Some(next)) => next - one == 1.0,
        _ => false,
    };
    let is_pixel = |field: &&str| field.trim().parse::<u8>().is_ok();
    !labels.is_empty() && (!others.iter().any(is_pixel) || others.windows(2).all(counts_up))
}

/// The column of labels by a header: the one that is called so, else the first, unless all are pixels.
fn label_column(path: &Path, header: &StringRecord) -> Result<usize, DataError> {
    let names: Vec<String> = header.iter().map(|name| name.trim().to_lowercase()).collect();
    let found = names.iter().position(|name| LABEL.contains(&name.as_str()));
    match (found, names.first().is_some_and(|name| name.contains("pixel"))) {
        (None, true) => Err(refuse(path, "has no column of labels: its first is called a pixel's")),
        (found, _) => Ok(found.unwrap_or(0)),
    }
}
