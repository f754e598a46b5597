//! A run in words, for titles and notes.

use std::path::Path;

use super::results::Run;
use crate::run::{RunDirectory, Status};

impl Run {
    /// The run in a few words: data set, recipe, layers; else the name of its directory.
    pub fn description(&self) -> String {
        let (config, summary) = (&self.config, self.summary.as_ref());
        let recipe = config.recipe.as_deref().or(summary.and_then(|summary| summary.recipe.as_deref()));
        let dataset =
            config.data.dataset.as_deref().or(summary.and_then(|summary| summary.dataset.as_deref()));
        let layers = layers_in_words(&config.network.layer_sizes);
        let words: Vec<String> = [
            dataset.map(short_dataset),
            recipe.map(stem),
            layers.or_else(|| layers_in_words(&summary?.layer_sizes)),
        ]
        .into_iter()
        .flatten()
        .collect();
        if words.is_empty() { file_name(&self.folder) } else { words.join(" · ") }
    }

    /// Rows that losses and accuracies of epochs are measured on, if the run says so.
    pub fn split(&self) -> Option<&str> {
        let named = self.summary.as_ref().map(|summary| summary.split.as_str());
        named.filter(|split| !split.is_empty()).or(match self.config.data.validation_size {
            None => None,
            Some(0) => Some("test"),
            Some(_) => Some("validation"),
        })
    }

    /// [`split`](Self::split) for titles.
    pub fn split_name(&self) -> &str {
        self.split().unwrap_or("held-out")
    }

    /// Rows that the confusion matrix and the samples are of, for titles.
    pub fn evaluated(&self) -> &str {
        let named = self.summary.as_ref().map(|summary| summary.evaluated_split.as_str());
        named.filter(|split| !split.is_empty()).unwrap_or("test")
    }

    /// How the run stands. A summary that does not know the last epoch is that of an earlier end.
    pub fn status(&self) -> Status {
        let last = self.epochs.last().map_or(0, |epoch| epoch.epoch);
        let is_busy = || RunDirectory::is_busy(&self.folder);
        let current = self.summary.as_ref().filter(|summary| match summary.epochs {
            // Written for a run that could not do so itself.
            Some(0) => last == 0 || !is_busy(),
            epochs => epochs.is_none_or(|epochs| epochs >= last),
        });
        match current.map(|summary| summary.status) {
            Some(status) => status,
            None if is_busy() => Status::Running,
            None => Status::Interrupted,
        }
    }

    /// Whether figures show the end of the run.
    pub fn is_over(&self) -> bool {
        matches!(self.status(), Status::Done | Status::Failed | Status::Pruned)
    }

    /// How far the run is: `running, epoch 3 of 12`.
    pub fn progress(&self) -> String {
        let epoch = self.epochs.last().map_or(0, |epoch| epoch.epoch);
        let summary = self.summary.as_ref();
        let all = self.config.training.num_epochs.or(summary.and_then(|summary| summary.num_epochs));
        let of = all.map_or(String::new(), |all| format!(" of {all}"));
        let reached = match epoch {
            0 => format!("in epoch 1{of}"),
            _ => format!("after epoch {epoch}{of}"),
        };
        match self.status() {
            Status::Done => counted(epoch as usize, "epoch"),
            Status::Running if epoch == 0 => format!("running, epoch 1{of}"),
            Status::Running => format!("running, epoch {epoch}{of}"),
            Status::Interrupted => format!("stopped {reached}"),
            Status::Pruned => format!("pruned {reached}"),
            Status::Failed => match summary.and_then(|summary| summary.error.as_deref()) {
                Some(error) => format!("failed {reached}: {}", first_clause(error)),
                None => format!("failed {reached}"),
            },
        }
    }
}

/// Why, without advice and context.
fn first_clause(error: &str) -> &str {
    error.split([';', '\n']).next().unwrap_or(error).trim()
}

/// `1 epoch`, `2 epochs`.
pub fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// The same text as the beginning of a title.
pub fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase()).into_iter().flatten().chain(letters).collect()
}

/// The last part of a path.
pub fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A recipe may be a path; its stem names it.
fn stem(recipe: &str) -> String {
    Path::new(recipe).file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// A folder of IDX files by its own name, of no more letters than a title has room for.
fn short_dataset(dataset: &str) -> String {
    const MOST: usize = 32;
    let name = file_name(Path::new(dataset));
    match name.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", name[..end].trim_end()),
        None => name,
    }
}

/// Up to this many sizes are listed.
const LISTED: usize = 6;

fn layers_in_words(sizes: &[u64]) -> Option<String> {
    let first = sizes.first()?;
    Some(if sizes.iter().all(|size| size == first) {
        format!("{} × {first} units", sizes.len())
    } else if sizes.len() > LISTED {
        let units: u64 = sizes.iter().fold(0, |sum, size| sum.saturating_add(*size));
        format!("{} layers, {units} units", sizes.len())
    } else {
        let sizes: Vec<String> = sizes.iter().map(u64::to_string).collect();
        format!("{} units", sizes.join("–"))
    })
}
