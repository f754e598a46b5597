//! `ff eval`.

use clap::Args;
use ff_backend::Backend;
use serde::Serialize;

use super::on_backend::{OnBackend, on_backend};
use super::saved::{Loaded, Saved, name_of};
use super::test_time::TestTime;
use super::{CliError, report};
use crate::config::PredictKind;
use crate::data::Splits;
use crate::evaluation::{Evaluator, Predictions, ProbeTraining, Views, largest, train_probe};
use crate::metrics::ConfusionMatrix;

/// Measure the accuracy of a run or a checkpoint on the test set, or on rows held out of the training set.
#[derive(Args)]
pub struct Eval {
    #[command(flatten)]
    network: Saved,
    /// Train a linear probe on the normalized activities of the scored layers, all but the first, and measure that
    #[arg(long)]
    probe: bool,
    /// Passes over the training set for the probe
    #[arg(long, value_name = "N", default_value_t = 20, requires = "probe", allow_negative_numbers = true,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    probe_epochs: u32,
    /// Share of the activities that are silenced while the probe learns
    #[arg(long, value_name = "P", default_value_t = 0.0, requires = "probe", allow_negative_numbers = true,
        value_parser = fraction)]
    probe_dropout: f64,
    /// Measure on N rows of the training set in place of the test set: those that a training with the same
    /// `data.validation_size` and seed holds out. The probe learns from the others
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..))]
    validation_size: Option<u32>,
    #[command(flatten)]
    test_time: TestTime,
    /// One JSON object on stdout
    #[arg(long)]
    json: bool,
}

/// A number of at least 0 and below 1.
fn fraction(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(fraction) if (0.0..1.0).contains(&fraction) => Ok(fraction),
        _ => Err("expected a number of at least 0 and below 1".into()),
    }
}

impl Loaded {
    /// Whether training has shown it any of `size` held-out rows, as far as it tells: of one data set and seed fewer rows
    /// are among more.
    fn has_learned_from(&self, size: usize) -> bool {
        self.trained.as_ref().is_some_and(|own| {
            own.data.dataset == self.config.data.dataset
                && (own.data.validation_size < size || own.training.seed != self.config.training.seed)
        })
    }
}

#[derive(Serialize)]
struct Report {
    accuracy: f64,
    correct: u64,
    total: u64,
    class_accuracy: Vec<Option<f64>>,
    confusion_matrix: ConfusionMatrix,
    predict: &'static str,
    /// Views of each image whose scores were averaged; missing where it was read as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    views: Option<usize>,
    /// `validation` where rows held out of the training set were measured; missing of the test set.
    #[serde(skip_serializing_if = "Option::is_none")]
    split: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    head_accuracy: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    energy_accuracy: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    class_names: Vec<String>,
}

impl Eval {
    /// Measures and reports.
    pub fn run(self) -> Result<(), CliError> {
        let (loaded, dataset) = self.network.load_with_data()?;
        let (asked, class_names) = (loaded.config.clone(), loaded.class_names.clone());
        if let Some(note) = dataset.note() {
            report::say(&format!("note: {note}"));
        }
        let held_out = self.validation_size.map(|size| size as usize);
        let splits = match held_out {
            None => Splits::new(dataset, 0, asked.training.seed)?,
            Some(size) => Splits::new(dataset, size, asked.training.seed)
                .map_err(|error| CliError::request(format!("--validation-size: {error}")))?,
        };
        if held_out.is_some_and(|size| loaded.has_learned_from(size)) {
            report::say(
                "note: --validation-size: the network itself has learned from these rows, or from some of them",
            );
        }
        let probe = ProbeTraining { epochs: self.probe_epochs as usize, dropout: self.probe_dropout };
        let views = self.test_time.views();
        let work = Measure { loaded, splits, probe: self.probe.then_some(probe), views };
        let report = on_backend(&asked, report::tell(self.json), work)?;
        if self.json {
            return report::print_json(&report);
        }
        let beside = [("the head", report.head_accuracy), ("energy", report.energy_accuracy)];
        let beside: String = beside
            .into_iter()
            .filter_map(|(by, accuracy)| Some(format!("   by {by}  {:.2} %", 100.0 * accuracy?)))
            .collect();
        report::print(&format!(
            "{}\naccuracy by {}{}  {:.2} % ({} of {}{}){beside}\n",
            report::accuracies(&report.confusion_matrix, &class_names),
            report.predict,
            report.views.map_or(String::new(), |views| format!(" over {views} views")),
            100.0 * report.accuracy,
            report.correct,
            report.total,
            if held_out.is_some() { " held-out rows" } else { "" }
        ))
    }
}

struct Measure {
    loaded: Loaded,
    splits: Splits,
    probe: Option<ProbeTraining>,
    views: Views,
}

impl OnBackend for Measure {
    type Output = Report;

    fn run<B: Backend>(self, backend: &B) -> Result<Report, CliError> {
        let Measure { loaded, splits, probe, views } = self;
        let mut network = loaded.network(backend)?;
        let config = loaded.config.clone();
        let held_out = splits.held_out();
        let mut predict = config.evaluation.predict;
        if let Some(training) = probe {
            train_probe(backend, &mut network, &splits.train, training)?;
            predict = PredictKind::Head;
        }
        let chunk = config.evaluation.batch_size;
        let count = |labels: &[u32]| ConfusionMatrix::new(splits.classes, &held_out.labels, labels);
        let predictions = if views.count() > 1 {
            let pixels = held_out.pixels.clone();
            let scores = views.mean_scores(backend, &network, pixels, chunk, predict)?;
            let labels = scores.chunks(splits.classes).map(|row| largest(row) as u32).collect();
            Predictions::of(predict, labels)
        } else {
            Evaluator::new(backend, &network, &held_out.pixels, chunk)?.predict(backend, &network, predict)?
        };
        let confusion = count(predictions.by(predict));
        let energy = (predict == PredictKind::Ensemble && !predictions.energy.is_empty())
            .then(|| count(&predictions.energy).accuracy());
        Ok(Report {
            accuracy: confusion.accuracy(),
            correct: confusion.correct(),
            total: confusion.total(),
            class_accuracy: confusion.class_accuracy(),
            predict: if probe.is_some() { "probe" } else { name_of(predict) },
            views: Some(views.count()).filter(|&views| views > 1),
            split: splits.validation.as_ref().map(|_| "validation"),
            head_accuracy: predictions.head.as_deref().map(|head| count(head).accuracy()),
            energy_accuracy: energy,
            confusion_matrix: confusion,
            class_names: loaded.class_names,
        })
    }
}
