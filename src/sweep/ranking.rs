//! results.md: settings from best to worst, seeds as mean ± standard deviation.

use std::cmp::Ordering;

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

    /// Pruned cells were trained for less time and come after those that were not.
    fn is_whole(&self) -> bool {
        self.rows.iter().any(|row| row.status == CellStatus::Done)
    }
}

/// The accuracies that a table shows, each with the rows it is measured on; the first is what ranks.
fn accuracies(rows: &[Row]) -> Vec<(&'static str, Pick)> {
    let validated = rows.iter().filter(|row| row.validated).count();
    let test: (_, Pick) = ("test accuracy %", |summary| summary.test_accuracy);
    if validated == 0 {
        return vec![
            ("test accuracy %", |summary| summary.accuracy),
            ("best test accuracy %", |summary| summary.best_accuracy),
        ];
    }
    if validated < rows.len() {
        // All that cells with held-out rows and cells without have in common.
        return vec![test];
    }
    vec![
        ("validation accuracy %", |summary| summary.accuracy),
        ("best validation accuracy %", |summary| summary.best_accuracy),
        test,
    ]
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

/// The ranking as a table, its header first.
pub fn table(keys: &[&str], rows: &[Row]) -> Vec<Vec<String>> {
    let accuracies = accuracies(rows);
    let by = accuracies.first().map_or((|_| None) as Pick, |(_, pick)| *pick);
    let groups = ranked(keys, rows, by);
    let repeated = groups.iter().any(|group| group.rows.len() > 1);

    let mut header = vec!["rank"];
    header.extend(shown(keys).iter().filter_map(|&at| keys.get(at)));
    header.extend(accuracies.iter().map(|(name, _)| *name));
    header.extend(["train loss", "val loss", "seconds"]);
    header.extend(repeated.then_some("seeds"));
    header.push("status");

    let mut table = vec![header.into_iter().map(str::to_owned).collect()];
    for (index, group) in groups.iter().enumerate() {
        let loss = |pick| spread(group.mean(pick), 1.0, 4);
        let ranks = group.mean(by).is_some();
        let mut fields = vec![if ranks { (index + 1).to_string() } else { "–".into() }];
        fields.extend(group.values.iter().map(|value| (*value).to_owned()));
        fields.extend(accuracies.iter().map(|(_, pick)| spread(group.mean(*pick), 100.0, 2)));
        fields.push(loss(|summary| summary.train_loss));
        fields.push(loss(|summary| summary.val_loss));
        let seconds = group.rows.iter().filter_map(|row| row.seconds()).reduce(|a, b| a + b);
        fields.push(seconds.map_or_else(|| "–".into(), |seconds| format!("{seconds:.1}")));
        fields.extend(repeated.then(|| format!("{} of {}", group.counted().len(), group.rows.len())));
        fields.push(statuses(group));
        table.push(fields);
    }
    table
}

/// The ranking as a Markdown page.
pub fn to_markdown(name: &str, keys: &[&str], rows: &[Row]) -> String {
    let mut text = format!("# {name}\n\n{}\n\n", told(&Tally::new(rows)));
    for (index, fields) in table(keys, rows).iter().enumerate() {
        let fields: Vec<String> = fields.iter().map(|field| for_markdown(field)).collect();
        text += &format!("| {} |\n", fields.join(" | "));
        if index == 0 {
            text += &format!("|{}\n", "---|".repeat(fields.len()));
        }
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
