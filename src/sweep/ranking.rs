//! results.md: settings from best to worst, seeds as mean ± standard deviation.

use std::cmp::Ordering;

use serde::Serialize;

use super::results::{CellStatus, Row, Tally};
use crate::files::text::for_markdown;
use crate::metrics::Mean;
use crate::run::Summary;

type Pick = fn(&Summary) -> Option<f64>;

/// Cells that differ in nothing but their seed.
struct Group<'a> {
    /// Their values of the varying knobs, the seed left out.
    values: Vec<&'a str>,
    /// The cells.
    rows: Vec<&'a Row>,
}

impl<'a> Group<'a> {
    /// The cells whose results belong together: those with all their epochs; where all were pruned, those that
    /// got farthest.
    fn counted(&self) -> Vec<&'a Summary> {
        let of = |whole: bool| -> Vec<&'a Summary> {
            let rows = self.rows.iter().filter(|row| (row.status == CellStatus::Done) == whole);
            rows.filter_map(|row| row.results()).collect()
        };
        if self.is_whole() {
            return of(true);
        }
        let mut pruned = of(false);
        let farthest = pruned.iter().map(|summary| summary.epochs).max();
        pruned.retain(|summary| Some(summary.epochs) == farthest);
        pruned
    }

    /// Mean and sample standard deviation over the cells that count.
    fn mean(&self, pick: Pick) -> Option<Mean> {
        Mean::of(self.counted().into_iter().filter_map(pick))
    }

    /// What all of its cells have in common; a dash where they differ or nothing is known.
    fn shared(&self, pick: impl Fn(&Row) -> Option<String>) -> String {
        let mut values = self.rows.iter().filter_map(|row| pick(row));
        match values.next() {
            Some(first) if values.all(|value| value == first) => first,
            _ => "–".into(),
        }
    }

    /// Pruned cells were trained for less time and come after those that were not.
    fn is_whole(&self) -> bool {
        self.rows.iter().any(|row| row.status == CellStatus::Done)
    }
}

/// What ranks settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Criterion {
    /// The best accuracy on held-out rows: that of the checkpoint that the test accuracy is of.
    ValidationAccuracy,
    /// Accuracy on the test set, which some cells have no other rows beside.
    TestAccuracy,
}

impl Criterion {
    /// The one that all cells have.
    pub fn of(rows: &[Row]) -> Self {
        match !rows.is_empty() && rows.iter().all(|row| row.validated) {
            true => Criterion::ValidationAccuracy,
            false => Criterion::TestAccuracy,
        }
    }

    fn pick(self) -> Pick {
        match self {
            Criterion::ValidationAccuracy => |summary| summary.best_accuracy,
            Criterion::TestAccuracy => |summary| summary.test_accuracy,
        }
    }

    /// What a ranking by it means, for people.
    pub fn told(self, rows: &[Row]) -> &'static str {
        match self {
            Criterion::ValidationAccuracy => {
                "Ranked by best validation accuracy; test accuracy is that of the checkpoint it chose"
            }
            Criterion::TestAccuracy if rows.iter().any(|row| row.validated) => {
                "Ranked by test accuracy, which flatters the first: only some cells hold rows out"
            }
            Criterion::TestAccuracy => {
                "Ranked by test accuracy after the last epoch, which flatters the first; to choose a setting, hold \
                 rows out (--set validation_size=N)"
            }
        }
    }
}

/// The cells of the best setting, those of all its seeds; none as long as no cell has all its epochs.
pub fn winners(keys: &[&str], rows: &[Row]) -> Vec<usize> {
    let best = ranked(keys, rows, Criterion::of(rows).pick()).into_iter().next();
    let best = best.filter(Group::is_whole);
    let done = best.iter().flat_map(|group| &group.rows).filter(|row| row.status == CellStatus::Done);
    done.map(|row| row.cell).collect()
}

fn is_seed(key: &str) -> bool {
    key.rsplit('.').next() == Some("seed")
}

/// The groups, best mean first; those without results come last, in order.
fn ranked<'a>(keys: &[&str], rows: &'a [Row], by: Pick) -> Vec<Group<'a>> {
    let shown = shown(keys);
    let mut places = std::collections::HashMap::new();
    let mut groups: Vec<Group> = Vec::new();
    for row in rows {
        let values: Vec<&str> =
            shown.iter().filter_map(|&at| row.values.get(at).map(String::as_str)).collect();
        let place = *places.entry(values.clone()).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.rows.push(row),
            None => groups.push(Group { values, rows: vec![row] }),
        }
    }
    let score = |group: &Group| group.mean(by).map(|mean| mean.mean);
    groups.sort_by(|a, b| match (score(a), score(b)) {
        (Some(x), Some(y)) => b.is_whole().cmp(&a.is_whole()).then(y.total_cmp(&x)),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    });
    groups
}

/// The places of the keys that tell groups apart.
fn shown(keys: &[&str]) -> Vec<usize> {
    (0..keys.len()).filter(|&at| keys.get(at).is_some_and(|key| !is_seed(key))).collect()
}

/// A column of the ranking.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its title.
    pub title: String,
    /// One field for each setting, the best first.
    pub fields: Vec<String>,
}

/// The ranking by columns, which are the same for every kind of sweep but for its keys.
pub fn table(keys: &[&str], rows: &[Row]) -> Vec<Column> {
    let by = Criterion::of(rows).pick();
    let groups = ranked(keys, rows, by);
    let validation: Pick = |summary| summary.best_accuracy.filter(|_| summary.split == "validation");
    let mut columns = Vec::new();
    let mut column = |title: &str, field: &dyn Fn(usize, &Group) -> String| {
        let fields = groups.iter().enumerate().map(|(place, group)| field(place, group)).collect();
        columns.push(Column { title: title.to_owned(), fields });
    };
    column("rank", &|place, group| match group.mean(by) {
        Some(_) => (place + 1).to_string(),
        None => "–".into(),
    });
    if rows.iter().any(|row| row.name.is_some()) {
        column("name", &|_, group| group.shared(|row| row.name.clone()));
    }
    for (at, key) in shown(keys).iter().filter_map(|&at| keys.get(at)).enumerate() {
        column(key, &|_, group| group.values.get(at).map_or(String::new(), |value| (*value).to_owned()));
    }
    let percent = |pick: Pick| move |_: usize, group: &Group| spread(group.mean(pick), 100.0, 2);
    let loss = |pick: Pick| move |_: usize, group: &Group| spread(group.mean(pick), 1.0, 4);
    column("best validation accuracy %", &percent(validation));
    column("test accuracy %", &percent(|summary| summary.test_accuracy));
    column("test head accuracy %", &percent(|summary| summary.test_head_accuracy));
    column("train loss", &loss(|summary| summary.train_loss));
    column(&format!("{} loss", held_out(rows)), &loss(|summary| summary.val_loss));
    let of_summary = |pick: fn(&Summary) -> String| {
        move |_: usize, group: &Group| group.shared(|row| row.summary.as_ref().map(pick))
    };
    column("epochs", &of_summary(|summary| summary.epochs.to_string()));
    column("parameters", &of_summary(|summary| summary.parameters.to_string()));
    if !keys.contains(&"recipe") {
        column("recipe", &|_, group| group.shared(|row| Some(row.recipe.clone())));
    }
    column("seconds", &|_, group| {
        let seconds = group.rows.iter().filter_map(|row| row.seconds()).reduce(|a, b| a + b);
        seconds.map_or_else(|| "–".into(), |seconds| format!("{seconds:.1}"))
    });
    column("seeds", &|_, group| format!("{} of {}", group.counted().len(), group.rows.len()));
    column("status", &|_, group| statuses(group));
    columns
}

/// The rows that losses and accuracies of epochs are measured on, in a word.
fn held_out(rows: &[Row]) -> &'static str {
    match rows.iter().filter(|row| row.validated).count() {
        0 => "test",
        count if count == rows.len() => "validation",
        _ => "held-out",
    }
}

/// The ranking as a Markdown page.
pub fn to_markdown(name: &str, keys: &[&str], rows: &[Row]) -> String {
    let ranked = Criterion::of(rows).told(rows);
    let mut text = format!("# {name}\n\n{}\n\n{ranked}\n\n", told(&Tally::new(rows)));
    let columns = table(keys, rows);
    let line = |field: &dyn Fn(&Column) -> Option<String>| {
        let fields: Vec<String> = columns.iter().filter_map(field).map(|text| for_markdown(&text)).collect();
        format!("| {} |\n", fields.join(" | "))
    };
    text += &line(&|column| Some(column.title.clone()));
    text += &format!("|{}\n", "---|".repeat(columns.len()));
    for place in 0..columns.first().map_or(0, |column| column.fields.len()) {
        text += &line(&|column| column.fields.get(place).cloned());
    }
    let failed: Vec<&Row> = rows.iter().filter(|row| row.status == CellStatus::Failed).collect();
    if !failed.is_empty() {
        text += "\n## Failed\n\n";
    }
    for row in failed {
        let (run_dir, reason) = (for_markdown(&row.run_dir), for_markdown(row.reason()));
        text += &format!("- cell {} ({run_dir}): {reason}\n", row.cell);
    }
    text
}

/// `12 cells: 10 done, 1 failed, 1 running`.
pub fn told(tally: &Tally) -> String {
    let parts = [
        (tally.done, "done"),
        (tally.pruned, "pruned"),
        (tally.failed, "failed"),
        (tally.running, "running"),
        (tally.interrupted, "interrupted"),
        (tally.pending, "pending"),
    ];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts.map(|(count, word)| format!("{count} {word}")).collect();
    format!("{}: {}", cells(tally.cells), parts.join(", "))
}

/// So many cells, in words.
pub fn cells(count: usize) -> String {
    if count == 1 { "1 cell".into() } else { format!("{count} cells") }
}

fn spread(mean: Option<Mean>, factor: f64, digits: usize) -> String {
    match mean {
        Some(Mean { mean, deviation: Some(deviation), .. }) => {
            format!("{:.digits$} ± {:.digits$}", factor * mean, factor * deviation)
        }
        Some(Mean { mean, .. }) => format!("{:.digits$}", factor * mean),
        None => "–".into(),
    }
}

fn statuses(group: &Group) -> String {
    let mut words: Vec<&str> = group.rows.iter().map(|row| row.status.word()).collect();
    words.dedup();
    words.sort_unstable();
    words.dedup();
    words.join(", ")
}
