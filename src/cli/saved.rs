//! A trained network on disk, and how the commands that take one read it.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use ff_backend::Backend;

use super::source::{Knobs, load};
use super::train::text_flag;
use super::{CliError, report};
use crate::checkpoint::{Checkpoint, CheckpointError, Progress};
use crate::config::{
    Config, ConfigBuilder, LabelPlacement, LayerKind, NegativeKind, Origin, PredictKind, Resolved,
    resolve_label,
};
use crate::data::{Brightness, DataShape, Dataset, ImageShape, Source};
use crate::files::is_there;
use crate::network::Network;
use crate::spec::{LayerSpec, Spec};

/// A trained network on disk, and how to read it.
#[derive(Args)]
pub struct Saved {
    /// A run directory, or a safetensors file
    #[arg(value_name = "RUN_OR_CHECKPOINT")]
    path: PathBuf,
    /// Which checkpoint of a run: by default the last, or the best where validation rows chose it
    #[arg(long, value_enum)]
    checkpoint: Option<Which>,
    /// mnist, fashion-mnist, kmnist, cifar10, digits or idx:DIR [default: what it was trained on, else mnist]
    #[arg(long, value_name = "NAME")]
    dataset: Option<String>,
    /// Folder of IDX files
    #[arg(long, value_name = "DIR")]
    data_dir: Option<String>,
    /// energy, head or ensemble: the mean of probabilities of the layers' own classifiers, or of energy and head
    /// [default: as it was trained]
    #[arg(long, value_name = "energy|head|ensemble")]
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
    /// Shape of the images it reads.
    pub image: ImageShape,
    /// Number of labels it knows.
    pub classes: usize,
    /// What they are called; empty where their numbers are their names.
    pub class_names: Vec<String>,
    /// How bright its training images are, if it tells.
    pub brightness: Option<Brightness>,
    /// The config that it was trained with, if it tells.
    pub trained: Option<Config>,
}

/// A checkpoint, what it says of itself, and the config to read it with.
type Read = (Checkpoint, Option<(Config, Progress)>, Resolved);

impl Saved {
    /// Reads the checkpoint, and the data set it is measured on, in the network's classes.
    pub fn load_with_data(&self) -> Result<(Loaded, Dataset), CliError> {
        let (checkpoint, saved, resolved) = self.read()?;
        self.refuse_strange_folder(&saved, &resolved.config)?;
        let mut dataset = load(&resolved.config, false)?;
        if let Some((_, progress)) = &saved {
            if progress.image != dataset.image {
                return Err(CliError::request(format!(
                    "--dataset {}: {} images, but {} was trained on {}",
                    dataset.name,
                    dataset.image,
                    self.path.display(),
                    progress.image
                )));
            }
            let network = (progress.classes, progress.class_names.as_slice());
            take_classes(&mut dataset, network).map_err(|problem| {
                let (name, path) = (&dataset.name, self.path.display());
                CliError::request(format!("--dataset {name}: {problem}, as {path} was trained on"))
            })?;
        }
        let class_names = dataset.class_names.clone();
        let loaded = fit(checkpoint, resolved, &DataShape::of(&dataset), class_names, saved)?;
        Ok((loaded, dataset))
    }

    /// Reads the checkpoint alone, which tells what it reads. Someone else's file does not: then the data set does
    /// that `--dataset` names.
    pub fn load(&self) -> Result<Loaded, CliError> {
        let (checkpoint, saved, resolved) = self.read()?;
        let config = &resolved.config;
        let (shape, class_names) = match &saved {
            Some((_, progress)) => {
                // Of a config that trained a network, every choice is made.
                let shape = DataShape {
                    image: progress.image,
                    classes: progress.classes,
                    train: 0,
                    test: 0,
                    blank_under_label: true,
                };
                (shape, progress.class_names.clone())
            }
            None => {
                let source: Source = config.data.dataset.parse()?;
                match DataShape::published(&source) {
                    Some(shape) => (shape, source.class_names()),
                    None => {
                        let dataset = load(config, false)?;
                        (DataShape::of(&dataset), dataset.class_names)
                    }
                }
            }
        };
        fit(checkpoint, resolved, &shape, class_names, saved)
    }

    /// The checkpoint, what it says of itself, and the config to read it with.
    fn read(&self) -> Result<Read, CliError> {
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
        refuse_other_direction(&resolved.config, &checkpoint)?;
        Ok((checkpoint, saved, resolved))
    }

    fn file(&self) -> Result<PathBuf, CliError> {
        if !is_there(&self.path)? {
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
        // What cannot be read is not absent: it may say that another checkpoint is the one to read.
        let config = self.path.join("config.toml");
        let validated = is_there(&config)?.then(|| ConfigBuilder::new().file(config).build()).transpose()?;
        let chosen_on_validation = validated.is_some_and(|config| config.data.validation_size > 0);
        let name = match self.checkpoint {
            Some(Which::Best) => "best",
            Some(Which::Last) => "last",
            None if chosen_on_validation => "best",
            None => "last",
        };
        let file = self.path.join(format!("checkpoints/{name}.safetensors"));
        if is_there(&file)? {
            return Ok(file);
        }
        Err(CliError::request(format!(
            "{}: no run with a finished epoch ({} is missing)",
            self.path.display(),
            file.display()
        )))
    }

    /// Whoever made a file names no folder that is read: a checkpoint says where its data are only in a run directory,
    /// whose config.toml says the same.
    fn refuse_strange_folder(
        &self,
        saved: &Option<(Config, Progress)>,
        config: &Config,
    ) -> Result<(), CliError> {
        let named = saved.as_ref().map(|(saved, _)| saved.data.dataset.as_str());
        let is_folder = matches!(config.data.dataset.parse(), Ok(Source::Idx(_)));
        if self.dataset.is_some() || self.path.is_dir() || !is_folder || named != Some(&config.data.dataset) {
            return Ok(());
        }
        let run = self.path.parent().and_then(Path::parent).unwrap_or(Path::new(""));
        let own = ConfigBuilder::new().file(run.join("config.toml")).build();
        if own.is_ok_and(|own| own.data.dataset == config.data.dataset) {
            return Ok(());
        }
        let (path, dataset) = (self.path.display(), &config.data.dataset);
        Err(CliError::request(format!("{path}: names data in a folder; read them with --dataset {dataset}")))
    }

    /// The saved config, with the flags over it.
    fn over_saved(&self, saved: &Config) -> Result<Resolved, CliError> {
        let mut saved = saved.clone();
        saved.data.data_dir.clear();
        let builder = self.flags(self.knobs.apply(ConfigBuilder::new().saved(&saved)));
        let mut resolved = builder.resolve()?;
        if self.knobs.backend.is_none() {
            // A checkpoint may be read anywhere.
            resolved.config.backend = ConfigBuilder::new().build()?.backend;
        }
        if resolved.config.data.data_dir.is_empty()
            && let Ok(run) = ConfigBuilder::new().file(self.path.join("config.toml")).build()
            && run.data.dataset == resolved.config.data.dataset
        {
            // Where its data lie is not in a checkpoint, but beside it; other data lie elsewhere.
            resolved.config.data.data_dir = run.data.data_dir;
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

/// Whether layers are driven from above too is a matter of the tensors.
fn refuse_other_direction(config: &Config, checkpoint: &Checkpoint) -> Result<(), CliError> {
    let needs = match (checkpoint.is_top_down(), config.network.top_down) {
        (true, false) => "holds layers.0.top_down.weight, which needs `network.top_down = true`",
        (false, true) => "holds no layers.0.top_down.weight, which `network.top_down = true` needs",
        _ => return Ok(()),
    };
    Err(CliError::request(format!("{}: {needs}", checkpoint.path().display())))
}

/// Gives a data set the classes of a network: by their names where both have names, else by their numbers. It may
/// have fewer, as a few photographs do. An error is what is wrong, as it follows the data set's name.
fn take_classes(dataset: &mut Dataset, (classes, names): (usize, &[String])) -> Result<(), String> {
    if dataset.class_names == names || dataset.class_names.is_empty() || names.is_empty() {
        if dataset.classes > classes {
            return Err(format!("{} classes, expected at most {classes}", dataset.classes));
        }
    } else {
        let number = |name: &String| {
            let known = names.iter().position(|other| other == name);
            known
                .map(|class| class as u32)
                .ok_or_else(|| format!("class {name:?}, expected one of {}", names.join(", ")))
        };
        let numbers: Vec<u32> = dataset.class_names.iter().map(number).collect::<Result<_, _>>()?;
        for split in [&mut dataset.train, &mut dataset.test] {
            let labels = split.labels.iter().filter_map(|&label| numbers.get(label as usize).copied());
            split.labels = labels.collect();
        }
    }
    dataset.classes = classes;
    if !names.is_empty() {
        dataset.class_names = names.to_vec();
    }
    Ok(())
}

/// Takes layer sizes, label placement and head from the tensors, and checks them against the shape of the data.
fn fit(
    checkpoint: Checkpoint,
    Resolved { mut config, origins }: Resolved,
    data: &DataShape,
    class_names: Vec<String>,
    saved: Option<(Config, Progress)>,
) -> Result<Loaded, CliError> {
    let shapes = checkpoint.layer_shapes()?;
    config.network.layer_sizes = shapes.iter().map(|&(_, fan_out)| fan_out).collect();
    let kinds = config.network.layers.iter().map(LayerKind::units);
    if kinds.ne(config.network.layer_sizes.iter().copied()) {
        config.network.layers.clear();
    }
    if config.head.enabled && !checkpoint.has_head() {
        config.head.enabled = false;
        config.training.negatives = NegativeKind::Random;
        if config.evaluation.predict != PredictKind::Energy {
            let (file, by) = (checkpoint.path().display(), name_of(config.evaluation.predict));
            return Err(CliError::request(format!("--predict {by}: {file} holds no head")));
        }
    }
    drop_strange_head(&mut config, &checkpoint)?;
    let (pixels, classes) = (data.image.values(), data.classes);
    let (fan_in, _) = shapes[0];
    if config.network.label == LabelPlacement::Auto && config.takes_label() {
        if !config.network.layers.is_empty() {
            config.network.label = label_of_local(&config, &shapes, data);
        }
        let deeper = shapes.windows(2).any(|pair| pair[1].0 == pair[0].1 + classes);
        match fan_in.checked_sub(pixels) {
            _ if config.network.label != LabelPlacement::Auto => {}
            Some(0) => config.network.label = LabelPlacement::Overlay,
            Some(extra) if extra == classes && deeper => config.network.label = LabelPlacement::EveryLayer,
            Some(extra) if extra == classes => config.network.label = LabelPlacement::Prepend,
            _ => resolve_label(&mut config, data.blank_under_label),
        }
    }
    let fits = config.check_label(classes, pixels);
    fits.and_then(|()| config.check_map(data.image.height, data.image.width))
        .map_err(|invalid| origins.blame(&invalid))?;
    let spec = Spec::new(&config, data.image, classes);
    for (l, (&(fan_in, fan_out), layer)) in shapes.iter().zip(&spec.layers).enumerate() {
        let needed = layer.fan_in();
        if fan_in != needed {
            return Err(CliError::request(format!(
                "{}: layers.{l}.weight is {fan_in}×{fan_out}, but images of {} pixels with {classes} labels \
                 need {needed} rows in layer {l}",
                checkpoint.path().display(),
                data.image
            )));
        }
    }
    let (trained, progress) = saved.unzip();
    let brightness = progress.and_then(|progress| progress.brightness);
    Ok(Loaded { checkpoint, config, image: data.image, classes, class_names, brightness, trained })
}

/// What `--predict` calls it.
pub fn name_of(predict: PredictKind) -> &'static str {
    match predict {
        PredictKind::Energy => "energy",
        PredictKind::Head => "head",
        PredictKind::Ensemble => "ensemble",
    }
}

/// Leaves out a head that was trained on other layers than `evaluation.first_layer` says: goodness can be read anew, a head
/// cannot.
fn drop_strange_head(config: &mut Config, checkpoint: &Checkpoint) -> Result<(), CliError> {
    let depth = config.network.layer_sizes.len();
    let first = config.evaluation.first_layer;
    let own = if checkpoint.head_reads_first() { 1 } else { 2 };
    if !config.head.enabled || !config.training.loss.compares_goodness() || depth < 2 || own == first {
        return Ok(());
    }
    let file = checkpoint.path().display();
    if config.evaluation.predict != PredictKind::Energy {
        return Err(CliError::request(format!(
            "{file}: its head was trained with `evaluation.first_layer = {own}`, and cannot be read with {first}"
        )));
    }
    report::say(&format!(
        "note: {file}: its head was trained with `evaluation.first_layer = {own}` and is left out"
    ));
    config.head.enabled = false;
    config.training.negatives = NegativeKind::Random;
    Ok(())
}

/// Where labels enter a network with local layers: at every one, where its tensors have the rows for it. Over the image or
/// before it is the same shape: the data decide.
fn label_of_local(config: &Config, shapes: &[(usize, usize)], data: &DataShape) -> LabelPlacement {
    let mut config = config.clone();
    config.network.label = LabelPlacement::EveryLayer;
    let spec = Spec::new(&config, data.image, data.classes);
    let fits = spec.layers.iter().map(LayerSpec::fan_in).eq(shapes.iter().map(|&(fan_in, _)| fan_in));
    if !fits || spec.depth() == 1 {
        config.network.label = LabelPlacement::Auto;
        resolve_label(&mut config, data.blank_under_label);
    }
    config.network.label
}

impl Loaded {
    /// The constants of the network.
    pub fn spec(&self) -> Spec {
        Spec::new(&self.config, self.image, self.classes)
    }

    /// Puts the network on a device.
    pub fn network<B: Backend>(&self, backend: &B) -> Result<Network<B>, CheckpointError> {
        let mut network = Network::new(backend, self.spec())?;
        self.checkpoint.load_weights(backend, &mut network)?;
        Ok(network)
    }
}
