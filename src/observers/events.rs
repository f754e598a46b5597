//! TensorBoard as the original toolkit fills it, and what it lacked.

use std::path::{Path, PathBuf};

use super::tensorboard::{
    ChartCategory, EVENTS, EventWriter, HParam, Logged, SessionStatus, receptive_fields,
};
use super::{EpochReport, Observer, ObserverError, Start};
use crate::config::{Config, LoggingConfig, Threshold, find_knob};
use crate::figures::{Evaluated, Picture, confusion_picture, predictions_picture};
use crate::files::FileError;
use crate::run::{Status, Summary};
use crate::spec::FieldPictures;

/// First-layer fields that are shown.
const FIELDS: usize = 64;

/// Suffix of the file that says that a run ended before its last epoch.
const CUT_SHORT: &str = ".end";

/// Writes an event file into the run directory.
pub struct TensorBoard {
    directory: PathBuf,
    writer: EventWriter,
    /// What accuracies and held-out losses are measured on.
    split: &'static str,
    /// Whether scalars were described in this file.
    described: bool,
    /// Knobs that differ between the runs that this is one of.
    swept: Vec<String>,
    /// What the classes are called; empty where their numbers are their names.
    class_names: Vec<String>,
    logging: Option<LoggingConfig>,
    fields: Option<FieldPictures>,
    /// Whether pictures are drawn where `logging.images_every` does not say when.
    pictures: bool,
    widths: Vec<usize>,
}

/// What an epoch's turn is.
#[derive(Clone, Copy)]
struct Due {
    scalars: bool,
    histograms: bool,
}

impl TensorBoard {
    /// A new event file in `directory`. The HParams tab shows the `swept` knobs first: those that differ between the
    /// runs that this is one of. With `pictures` an epoch's are drawn now and then, if `logging.images_every` is 0.
    pub fn create(directory: &Path, swept: &[String], pictures: bool) -> Result<Self, ObserverError> {
        forget_end(directory)?;
        let writer = EventWriter::create(directory, "")?;
        Ok(TensorBoard {
            directory: directory.to_owned(),
            writer,
            split: "test",
            described: false,
            swept: swept.to_vec(),
            class_names: Vec::new(),
            logging: None,
            fields: None,
            pictures,
            widths: Vec::new(),
        })
    }

    fn begin(&mut self, start: &Start) -> Logged {
        if start.finished_epochs > 0 {
            self.writer.resume_at(start.finished_epochs as i64 + 1)?;
        }
        self.writer.text("Hyperparameters", 0, &hyperparameters(start.config))?;
        let knobs = session_knobs(start);
        let knobs: Vec<(&str, HParam)> =
            knobs.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        let first: Vec<&str> =
            knobs.iter().map(|(name, _)| *name).filter(|name| is_first(name, &self.swept)).collect();
        let mut metrics = vec!["Accuracy/test", "Accuracy/best", "Loss/train", "Loss/val"];
        if self.split == "validation" {
            metrics.insert(1, "Accuracy/val");
        }
        if start.spec.head.is_some() {
            metrics.extend(["Accuracy/head", "Loss/head"]);
        }
        self.writer.hparams(&knobs, &first, &metrics, &start.config.logging.log_dir)?;
        self.writer.layout(&LAYOUT)?;
        self.writer.flush()
    }

    fn scalars(&mut self, report: &EpochReport) -> Logged {
        let record = report.record;
        let step = record.epoch as i64;
        let writer = &mut self.writer;
        writer.scalar("Loss/train", step, record.train_loss)?;
        let rows = match self.split {
            "validation" => "rows held out of the training set (validation)",
            _ => "the test set, since no rows are held out",
        };
        let measured = format!("Measured on {rows}.");
        let flattered = format!("The best so far on {rows}. Not a result where that is the test set.");
        let mut scalar = |tag: &str, value: f64, description: &str| match self.described {
            true => writer.scalar(tag, step, value),
            false => writer.described_scalar(tag, step, value, description),
        };
        scalar("Loss/val", record.val_loss, &measured)?;
        match self.split {
            "validation" => scalar("Accuracy/val", record.accuracy, &measured)?,
            _ => {
                scalar("Loss/test", record.val_loss, &measured)?;
                scalar("Accuracy/test", record.accuracy, &measured)?;
            }
        }
        scalar("Accuracy/best", record.best_accuracy, &flattered)?;
        if let Some(head) = record.head_accuracy {
            scalar("Accuracy/head", head, &measured)?;
        }
        self.described = true;
        for (i, losses) in record.layers.iter().enumerate() {
            writer.scalar(&format!("Loss/train_layer_{i}"), step, losses.train_loss)?;
            writer.scalar(&format!("Loss/val_layer_{i}"), step, losses.val_loss)?;
        }
        if let Some(head) = record.head_loss {
            writer.scalar("Loss/head", step, head)?;
        }
        for (i, accuracy) in record.layer_accuracy.iter().enumerate() {
            writer.scalar(&format!("Accuracy/layer_{i}"), step, *accuracy)?;
        }
        for (i, goodness) in record.goodness.iter().enumerate() {
            writer.scalar(&format!("Goodness/positive_layer_{i}"), step, goodness.positive)?;
            writer.scalar(&format!("Goodness/negative_layer_{i}"), step, goodness.negative)?;
        }
        for (i, fraction) in record.active.iter().enumerate() {
            writer.scalar(&format!("Active/layer_{i}"), step, *fraction)?;
        }
        writer.scalar("Time/train_epoch", step, record.seconds.train)?;
        writer.scalar("Time/eval_epoch", step, record.seconds.eval)?;
        writer.scalar("Time/total_epoch", step, record.seconds.train + record.seconds.eval)?;
        writer.scalar("LearningRate/actual", step, record.learning_rate)?;
        Ok(())
    }

    /// What is shown of a layer's weights.
    fn layer(&mut self, step: i64, l: usize, weight: &[f32], bias: &[f32], due: Due) -> Logged {
        let writer = &mut self.writer;
        for (kind, values) in [("Weights", weight), ("Bias", bias)] {
            if due.scalars {
                let (mean, deviation) = moments(values);
                writer.scalar(&format!("{kind}/mean_layer_{l}"), step, mean)?;
                writer.scalar(&format!("{kind}/std_layer_{l}"), step, deviation)?;
            }
            if due.histograms {
                writer.histogram(&format!("{kind}/layer_{l}"), step, values)?;
            }
        }
        match (self.fields, self.widths.first()) {
            (Some(rows), Some(&width)) if l == 0 && due.histograms => {
                let fields = receptive_fields(weight, width, rows, FIELDS);
                writer.image("Weights/receptive_fields", step, &fields)
            }
            _ => Ok(()),
        }
    }

    fn classes(&mut self, report: &EpochReport) -> Logged {
        let step = report.record.epoch as i64;
        let writer = &mut self.writer;
        let rows = report.confusion.rows();
        for (class, accuracy) in report.record.class_accuracy.iter().enumerate() {
            // A class without images has no accuracy.
            if let Some(accuracy) = accuracy {
                let name = self.class_names.get(class).map_or_else(|| format!("class_{class}"), Clone::clone);
                writer.scalar(&format!("Class_Accuracy/{name}"), step, *accuracy)?;
                // The name that the original toolkit gave it.
                writer.scalar(&format!("Accuracy/class_{class}"), step, *accuracy)?;
            }
        }
        writer.text("Confusion_Matrix", step, &confusion_table(rows, self.split, &self.class_names))
    }

    fn pictures(&mut self, report: &EpochReport) -> Result<(), ObserverError> {
        let epoch = report.record.epoch;
        let evaluated = Evaluated {
            epoch,
            split: self.split,
            confusion: report.confusion,
            class_names: &self.class_names,
        };
        let confusion = confusion_picture(&evaluated)?;
        let predictions = predictions_picture(&evaluated, (report.samples)()?, report.image)?;
        for (tag, picture) in [("Confusion_Matrix/image", confusion), ("Predictions/sample", predictions)] {
            let Some(Picture { width, height, png }) = picture else { continue };
            let size = (width.cast_signed(), height.cast_signed());
            self.writer.png(tag, epoch as i64, size, png)?;
        }
        Ok(())
    }

    fn finish(&mut self, summary: &Summary) -> Logged {
        let step = summary.epochs as i64;
        self.writer.text("Training_Summary", step, &summary_table(summary, self.split))?;
        // Of a run without held-out rows every epoch has told it.
        if let (Some(accuracy), "validation") = (summary.test_accuracy, self.split) {
            let description = "Measured on the test set, once, with the weights that held-out rows chose.";
            self.writer.described_scalar("Accuracy/test", step, accuracy, description)?;
        }
        if summary.status == Status::Done {
            self.writer.session_end(step, SessionStatus::Success)?;
            return self.writer.flush();
        }
        self.writer.flush()?;
        // TensorBoard keeps the first end it reads, so that of a run that may go on lies in a file to remove.
        let mut end = EventWriter::create(&self.directory, CUT_SHORT)?;
        end.session_end(step, SessionStatus::Failure)?;
        end.flush()
    }
}

/// A run that goes on has not ended.
fn forget_end(directory: &Path) -> Logged {
    for entry in std::fs::read_dir(directory).map_err(FileError::on(directory))? {
        let entry = entry.map_err(FileError::on(directory))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(EVENTS) && name.ends_with(CUT_SHORT) {
            std::fs::remove_file(entry.path()).map_err(FileError::on(&entry.path()))?;
        }
    }
    Ok(())
}

fn due(every: usize, epoch: usize) -> bool {
    every > 0 && epoch.is_multiple_of(every)
}

impl Observer for TensorBoard {
    fn started(&mut self, start: &Start) -> Result<(), ObserverError> {
        self.logging = Some(start.config.logging.clone());
        self.split = start.split();
        self.class_names = start.class_names.to_vec();
        self.fields = Some(start.spec.field_pictures());
        self.widths = start.spec.layers.iter().map(|layer| layer.units).collect();
        Ok(self.begin(start)?)
    }

    fn epoch(&mut self, report: &EpochReport) -> Result<(), ObserverError> {
        let (epoch, last) = (report.record.epoch, report.num_epochs);
        let Some(logging) = &self.logging else { return Ok(()) };
        let due_now = Due {
            scalars: due(logging.scalars_every, epoch),
            // Never is never; else the last epoch is shown, however short the run.
            histograms: due(logging.histograms_every, epoch)
                || (logging.histograms_every > 0 && epoch == last),
        };
        // Drawing takes longer than the epochs of a small network.
        let images = match logging.images_every {
            0 if self.pictures => (last / 10).max(5),
            every => every,
        };
        if due_now.scalars {
            self.scalars(report)?;
        }
        if due_now.histograms {
            self.classes(report)?;
        }
        if due_now.scalars || due_now.histograms {
            // One layer's weights in host memory at a time.
            for l in 0..self.widths.len() {
                let (weight, bias) = (report.weights)(l)?;
                self.layer(epoch as i64, l, &weight, &bias, due_now)?;
            }
        }
        if due(images, epoch) || images > 0 && epoch == last {
            self.pictures(report)?;
        }
        Ok(self.writer.flush()?)
    }

    fn ended(&mut self, summary: &Summary) -> Result<(), ObserverError> {
        Ok(self.finish(summary)?)
    }
}

/// Mean and standard deviation, Σx / n and sqrt(Σ(x − mean)² / n).
fn moments(values: &[f32]) -> (f64, f64) {
    let count = values.len().max(1) as f64;
    let mean = values.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
    // Σx² − n mean² would lose all digits where the deviation is small beside the mean.
    let squares: f64 = values.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum();
    (mean, (squares / count).sqrt())
}

/// The whole config as a Markdown code block.
fn hyperparameters(config: &Config) -> String {
    config.to_toml().lines().map(|line| format!("    {line}\n")).collect()
}

/// What the custom-scalars tab shows in one chart each.
const LAYOUT: [ChartCategory<'static>; 3] = [
    (
        "Losses and accuracies",
        &[
            ("Loss", &["^Loss/(train|val)$"]),
            ("Accuracy", &["^Accuracy/(test|val|best|head)$"]),
            ("Accuracy of each class", &["^Class_Accuracy/"]),
        ],
    ),
    (
        "Layers",
        &[
            ("Training loss", &["^Loss/train_layer_"]),
            ("Held-out loss", &["^Loss/val_layer_"]),
            ("Accuracy by one layer alone", &["^Accuracy/layer_"]),
            ("Goodness", &["^Goodness/"]),
            ("Share of active units", &["^Active/"]),
        ],
    ),
    ("Time", &[("Seconds of an epoch", &["^Time/"])]),
];

/// Knobs whose value is a number or a word. TensorBoard cannot sort a column of both, so all are words.
const WORDS: [(&str, &str); 1] = [("goodness", "threshold")];

/// Columns of the HParams tab: numbers that say at a glance what a run is, and all knobs but where the run lies.
fn session_knobs(start: &Start) -> Vec<(String, HParam)> {
    let config = start.config;
    let table = toml::Table::try_from(config).unwrap_or_default();
    let mut knobs = numbers(start);
    knobs.push(("recipe".to_owned(), HParam::Text(config.recipe.clone())));
    for (name, values) in table.iter().filter(|(name, _)| *name != "logging") {
        for (key, value) in values.as_table().into_iter().flatten() {
            let value = match value {
                toml::Value::String(text) => HParam::Text(text.clone()),
                other if WORDS.contains(&(name, key)) => HParam::Text(other.to_string()),
                toml::Value::Integer(number) => HParam::Number(*number as f64),
                toml::Value::Float(number) => HParam::Number(*number),
                toml::Value::Boolean(flag) => HParam::Flag(*flag),
                other => HParam::Text(other.to_string()),
            };
            knobs.push((format!("{name}.{key}"), value));
        }
    }
    knobs
}

/// Whether a column is shown before the others: the numbers of swept knobs, else what any run is at a glance.
fn is_first(name: &str, swept: &[String]) -> bool {
    let swept: Vec<&str> = swept.iter().filter_map(|key| Some(find_knob(key).ok()?.name)).collect();
    if swept.is_empty() {
        return GLANCE.contains(&name);
    }
    let sizes = swept.iter().any(|knob| knob.starts_with("network.layer"));
    let words = WORDS.iter().any(|(table, key)| name == format!("{table}.{key}"));
    let last = |knob: &str| knob.rsplit('.').next() == Some(name);
    let of_sizes = sizes && ["depth", "width"].contains(&name);
    of_sizes || !words && swept.iter().any(|knob| *knob == name || last(knob))
}

/// The numbers of [`numbers`].
const GLANCE: [&str; 4] = ["threshold", "depth", "width", "parameters"];

/// What a run is at a glance. A threshold that is `width` is the first layer's.
fn numbers(start: &Start) -> Vec<(String, HParam)> {
    let layers = &start.spec.layers;
    let widest = layers.iter().map(|layer| layer.units).max().unwrap_or(0);
    let threshold = match start.config.goodness.threshold {
        Threshold::Value(number) => number,
        Threshold::Width => layers.first().map_or(0, |layer| layer.units) as f64,
    };
    let values = [threshold, layers.len() as f64, widest as f64, start.parameters as f64];
    let number = |(name, value): (&str, f64)| (name.to_owned(), HParam::Number(value));
    GLANCE.into_iter().zip(values).map(number).collect()
}

fn confusion_table(rows: &[Vec<u64>], split: &str, names: &[String]) -> String {
    let name =
        |class: usize| names.get(class).map_or_else(|| class.to_string(), |name| name.replace('|', "\\|"));
    let header: String = (0..rows.len()).map(|class| format!(" {} |", name(class))).collect();
    let mut text = format!(
        "Counts of {split} images.\n\n| true \\ predicted |{header}\n|---|{}\n",
        "---|".repeat(rows.len())
    );
    for (class, row) in rows.iter().enumerate() {
        let cells: String = row.iter().map(|count| format!(" {count} |")).collect();
        text += &format!("| **{}** |{cells}\n", name(class));
    }
    text
}

fn summary_table(summary: &Summary, split: &str) -> String {
    let error = summary
        .error
        .as_ref()
        .map_or(String::new(), |error| format!("| error | {} |\n", error.replace('|', "\\|")));
    let status = match summary.status {
        Status::Done => "done",
        Status::Failed => "failed",
        Status::Interrupted => "interrupted",
        Status::Running => "running",
        Status::Pruned => "pruned",
    };
    let figure = |value: Option<f64>, digits: usize| {
        value.map_or_else(|| "–".to_owned(), |value| format!("{value:.digits$}"))
    };
    let test = match summary.status {
        // A run that failed is not tested.
        Status::Failed => String::new(),
        _ => format!("| test accuracy | {} |\n", figure(summary.test_accuracy, 4)),
    };
    let best = match split {
        // The best of test accuracies is no result.
        "test" => String::new(),
        _ => {
            let (best, epoch) = (figure(summary.best_accuracy, 4), summary.best_epoch);
            format!("| best {split} accuracy | {best} (epoch {epoch}) |\n")
        }
    };
    format!(
        "| | |\n|---|---|\n| status | {status} |\n{error}| epochs | {} of {} |\n{test}{best}| train loss | {} |\n| \
         {split} loss | {} |\n| seconds | {:.1} training, {:.1} evaluation |\n",
        summary.epochs,
        summary.num_epochs,
        figure(summary.train_loss, 6),
        figure(summary.val_loss, 6),
        summary.seconds.train,
        summary.seconds.eval
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Biases that have hardly spread around a large mean.
    #[test]
    fn a_small_deviation_beside_a_large_mean() {
        let spread = 2_f32.powi(-6);
        let values: Vec<f32> = (0..1000).map(|i| 1e5 + if i % 2 == 0 { spread } else { -spread }).collect();
        let (mean, deviation) = moments(&values);
        assert!((mean - 1e5).abs() < 1e-9, "{mean}");
        assert!((deviation / f64::from(1_f32 / 64.0) - 1.0).abs() < 1e-9, "{deviation}");
        assert_eq!(moments(&[]), (0.0, 0.0));
        assert_eq!(moments(&[3.0]), (3.0, 0.0));
    }
}
