//! `ff eval`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use ff_backend::Backend;
use serde::Serialize;

use super::on_backend::{OnBackend, on_backend};
use super::source::{Knobs, load};
use super::train::text_flag;
use super::{CliError, report};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::config::{
    Config, ConfigBuilder, LabelPlacement, NegativeKind, Origin, Origins, PredictKind, Resolved,
    resolve_label,
};
use crate::data::{Dataset, ImageShape, Splits};
use crate::evaluation::{Evaluator, train_probe};
use crate::metrics::ConfusionMatrix;
use crate::network::Network;
use crate::spec::Spec;

/// Measure the accuracy of a run or a checkpoint on the test set.
#[derive(Args)]
pub struct Eval {
    #[command(flatten)]
    network: Saved,
    /// Train a linear probe on the normalized activities of all layers but the first, and measure that
    #[arg(long)]
    probe: bool,
    /// Passes over the training set for the probe
    #[arg(long, value_name = "N", default_value_t = 20, requires = "probe", allow_negative_numbers = true,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    probe_epochs: u32,
    /// One JSON object on stdout
    #[arg(long)]
    json: bool,
}

/// A trained network on disk, and how to read it.
#[derive(Args)]
pub struct Saved {
    /// A run directory, or a safetensors file
    #[arg(value_name = "RUN_OR_CHECKPOINT")]
    path: PathBuf,
    /// Which checkpoint of a run: by default the last, or the best where validation rows chose it
    #[arg(long, value_enum)]
    checkpoint: Option<Which>,
    /// mnist, fashion-mnist, digits or idx:DIR [default: what it was trained on, else mnist]
    #[arg(long, value_name = "NAME")]
    dataset: Option<String>,
    /// Folder of IDX files
    #[arg(long, value_name = "DIR")]
    data_dir: Option<String>,
    /// energy or head [default: as it was trained]
    #[arg(long, value_name = "energy|head")]
    predict: Option<String>,
    #[command(flatten)]
    knobs: Knobs,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    Best,
    Last,
}

/// A network read from disk, before it is on a device.
pub struct Loaded {
    /// Its tensors.
    pub checkpoint: Checkpoint,
    /// Its semantics.
    pub config: Config,
    /// The data it is measured on.
    pub dataset: Dataset,
}

#[derive(Serialize)]
struct Report {
    accuracy: f64,
    correct: u64,
    total: u64,
    class_accuracy: Vec<Option<f64>>,
    confusion_matrix: ConfusionMatrix,
    predict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    head_accuracy: Option<f64>,
}

impl Saved {
    /// Reads checkpoint, config and data, and checks that they fit.
    pub fn load(&self) -> Result<Loaded, CliError> {
        let checkpoint = Checkpoint::read(&self.file()?)?;
        let saved = checkpoint.described()?;
        let resolved = match &saved {
            Some((config, _)) if self.knobs.recipe.is_none() && self.knobs.config.is_none() => {
                self.over_saved(config)?
            }
            Some((config, _)) => self.semantics(&config.data.dataset)?,
            None => self.semantics(&Config::default().data.dataset)?,
        };
        refuse_other_sizes(&resolved, &checkpoint)?;
        let mut config = resolved.config;
        let dataset = load(&config, false)?;
        let shape = ImageShape { height: dataset.height, width: dataset.width };
        if let Some((_, progress)) = &saved
            && (progress.image != shape || progress.classes != dataset.classes)
        {
            return Err(CliError::request(format!(
                "--dataset {}: {}×{} images of {} classes, but {} was trained on {}×{} of {}",
                dataset.name,
                shape.height,
                shape.width,
                dataset.classes,
                self.path.display(),
                progress.image.height,
                progress.image.width,
                progress.classes
            )));
        }
        fit(&mut config, &resolved.origins, &checkpoint, &dataset)?;
        Ok(Loaded { checkpoint, config, dataset })
    }

    fn file(&self) -> Result<PathBuf, CliError> {
        if !self.path.exists() {
            return Err(CliError::request(format!(
                "{}: is not there; give a run directory or a safetensors file",
                self.path.display()
            )));
        }
        if !self.path.is_dir() {
            if self.checkpoint.is_some() {
                return Err(CliError::request(
                    "--checkpoint: chooses among those of a run directory, not of a file",
                ));
            }
            return Ok(self.path.clone());
        }
        let validated = ConfigBuilder::new().file(self.path.join("config.toml")).build().ok();
        let chosen_on_validation = validated.is_some_and(|config| config.data.validation_size > 0);
        let name = match self.checkpoint {
            Some(Which::Best) => "best",
            Some(Which::Last) => "last",
            None if chosen_on_validation => "best",
            None => "last",
        };
        let file = self.path.join(format!("checkpoints/{name}.safetensors"));
        if file.exists() {
            return Ok(file);
        }
        Err(CliError::request(format!(
            "{}: no run with a finished epoch ({} is missing)",
            self.path.display(),
            file.display()
        )))
    }

    /// The saved config, with the flags over it.
    fn over_saved(&self, saved: &Config) -> Result<Resolved, CliError> {
        let builder = self.flags(self.knobs.apply(ConfigBuilder::new().saved(saved)));
        let mut resolved = builder.resolve()?;
        if self.knobs.backend.is_none() {
            // A checkpoint may be read anywhere.
            resolved.config.backend = ConfigBuilder::new().build()?.backend;
        }
        Ok(resolved)
    }

    /// The config that the flags alone describe, on `dataset` unless they name another: how to read a network
    /// says nothing of what it was trained on.
    fn semantics(&self, dataset: &str) -> Result<Resolved, CliError> {
        let mut resolved = self.flags(self.knobs.apply(ConfigBuilder::new())).resolve()?;
        if resolved.origins.of("data.dataset") == Origin::Default {
            resolved.config.data.dataset = dataset.into();
        }
        Ok(resolved)
    }

    fn flags(&self, builder: ConfigBuilder) -> ConfigBuilder {
        let builder = text_flag(builder, "--dataset", "data.dataset", self.dataset.as_deref());
        let builder = text_flag(builder, "--data-dir", "data.data_dir", self.data_dir.as_deref());
        text_flag(builder, "--predict", "evaluation.predict", self.predict.as_deref())
    }
}

/// The sizes are those of the tensors; a request for others would have no effect.
fn refuse_other_sizes(resolved: &Resolved, checkpoint: &Checkpoint) -> Result<(), CliError> {
    const SIZES: &str = "network.layer_sizes";
    let there: Vec<usize> = checkpoint.layer_shapes()?.iter().map(|&(_, fan_out)| fan_out).collect();
    let wanted = &resolved.config.network.layer_sizes;
    if !resolved.origins.is_explicit(SIZES) || *wanted == there {
        return Ok(());
    }
    Err(CliError::request(format!(
        "{}: `{SIZES}` is {wanted:?}, but {} has layers of {there:?}",
        resolved.origins.of(SIZES),
        checkpoint.path().display()
    )))
}

/// Takes layer sizes, label placement and head from the tensors, and checks them against the data.
fn fit(
    config: &mut Config,
    origins: &Origins,
    checkpoint: &Checkpoint,
    dataset: &Dataset,
) -> Result<(), CliError> {
    let shapes = checkpoint.layer_shapes()?;
    config.network.layer_sizes = shapes.iter().map(|&(_, fan_out)| fan_out).collect();
    if config.head.enabled && !checkpoint.has_head() {
        config.head.enabled = false;
        config.training.negatives = NegativeKind::Random;
        if config.evaluation.predict == PredictKind::Head {
            let file = checkpoint.path().display();
            return Err(CliError::request(format!("--predict head: {file} holds no head")));
        }
    }
    let (pixels, classes) = (dataset.features(), dataset.classes);
    let (fan_in, _) = shapes[0];
    if config.network.label == LabelPlacement::Auto && config.training.negatives != NegativeKind::Hybrid {
        let deeper = shapes.windows(2).any(|pair| pair[1].0 == pair[0].1 + classes);
        match fan_in.checked_sub(pixels) {
            Some(0) => config.network.label = LabelPlacement::Overlay,
            Some(extra) if extra == classes && deeper => config.network.label = LabelPlacement::EveryLayer,
            Some(extra) if extra == classes => config.network.label = LabelPlacement::Prepend,
            _ => resolve_label(config, dataset.train.blank_under_label(classes)),
        }
    }
    config.check_label(classes, pixels).map_err(|invalid| origins.blame(&invalid))?;
    let image = ImageShape { height: dataset.height, width: dataset.width };
    let spec = Spec::new(config, image, classes);
    for (l, (&(fan_in, fan_out), layer)) in shapes.iter().zip(&spec.layers).enumerate() {
        let needed = layer.fan_in();
        if fan_in != needed {
            return Err(CliError::request(format!(
                "{}: layers.{l}.weight is {fan_in}×{fan_out}, but {} images of {}×{} pixels with {classes} labels \
                 need {needed} rows in layer {l}",
                checkpoint.path().display(),
                dataset.name,
                dataset.height,
                dataset.width
            )));
        }
    }
    Ok(())
}

impl Loaded {
    /// Puts the network on a device.
    pub fn network<B: Backend>(&self, backend: &B) -> Result<Network<B>, CheckpointError> {
        let image = ImageShape { height: self.dataset.height, width: self.dataset.width };
        let mut network = Network::new(backend, Spec::new(&self.config, image, self.dataset.classes))?;
        self.checkpoint.load_weights(backend, &mut network)?;
        Ok(network)
    }
}

impl Eval {
    /// Measures and reports.
    pub fn run(self) -> Result<(), CliError> {
        let loaded = self.network.load()?;
        let asked = loaded.config.clone();
        let work = Measure { loaded, probe: self.probe.then_some(self.probe_epochs as usize) };
        let report = on_backend(&asked, report::tell(self.json), work)?;
        if self.json {
            return report::print_json(&report);
        }
        let head = report
            .head_accuracy
            .map_or(String::new(), |head| format!("   by the head  {:.2} %", 100.0 * head));
        report::print(&format!(
            "{}\naccuracy by {}  {:.2} % ({} of {}){head}\n",
            report::accuracies(&report.confusion_matrix),
            report.predict,
            100.0 * report.accuracy,
            report.correct,
            report.total
        ))
    }
}

struct Measure {
    loaded: Loaded,
    probe: Option<usize>,
}

impl OnBackend for Measure {
    type Output = Report;

    fn run<B: Backend>(self, backend: &B) -> Result<Report, CliError> {
        let Measure { loaded, probe } = self;
        let mut network = loaded.network(backend)?;
        let config = loaded.config.clone();
        let splits = Splits::new(loaded.dataset, 0, config.training.seed)?;
        let mut predict = config.evaluation.predict;
        if let Some(epochs) = probe {
            train_probe(backend, &mut network, &splits.train, epochs)?;
            predict = PredictKind::Head;
        }
        let chunk = config.evaluation.batch_size;
        let mut evaluator = Evaluator::new(backend, &network, &splits.test.pixels, chunk)?;
        let predictions = evaluator.predict(backend, &network, predict == PredictKind::Energy)?;
        let by_head =
            predictions.head.map(|head| ConfusionMatrix::new(splits.classes, &splits.test.labels, &head));
        let confusion = match (&by_head, predict) {
            (Some(by_head), PredictKind::Head) => by_head.clone(),
            _ => ConfusionMatrix::new(splits.classes, &splits.test.labels, &predictions.energy),
        };
        Ok(Report {
            accuracy: confusion.accuracy(),
            correct: confusion.correct(),
            total: confusion.total(),
            class_accuracy: confusion.class_accuracy(),
            predict: match (probe, predict) {
                (Some(_), _) => "probe",
                (None, PredictKind::Head) => "head",
                (None, PredictKind::Energy) => "energy",
            },
            head_accuracy: by_head.map(|by_head| by_head.accuracy()),
            confusion_matrix: confusion,
        })
    }
}
