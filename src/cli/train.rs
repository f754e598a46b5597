//! `ff train`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use ff_backend::Backend;
use toml::Value;

use super::hints::refuse_habits;
use super::memory::refuse_oversize;
use super::on_backend::{OnBackend, on_backend};
use super::source::{Knobs, command_line, flag, load, resolve_on, value};
use super::{CliError, report, signals};
use crate::checkpoint::read_newest;
use crate::config::{Config, ConfigBuilder, Origin, Origins, Resolved, first_difference};
use crate::data::Splits;
use crate::files::home::expand_home;
use crate::files::is_there;
use crate::observers::{Observer, Progress, ProgressStyle, Shown};
use crate::run::{Beginning, Ownership, RunDirectory, RunError, Status, Summary};
use crate::spec::make_absolute;
use crate::training::{self, About, Limits, Options};

/// Train one network.
#[derive(Args)]
pub struct Train {
    /// Units of each hidden layer [default: 2000 2000 2000 2000]
    #[arg(value_name = "LAYER_SIZES", allow_negative_numbers = true)]
    layer_sizes: Vec<String>,
    /// Step size [default: 0.001]
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    learning_rate: Option<String>,
    /// Positive rows of a batch; as many negative rows go with them [default: 128]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    batch_size: Option<String>,
    /// Passes over the training set [default: 60]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    num_epochs: Option<String>,
    /// θ: a number, or `width` [default: 2.0]
    #[arg(long, value_name = "THETA", allow_negative_numbers = true)]
    threshold: Option<String>,
    /// Rows of one evaluation product [default: 1000]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    eval_batch_size: Option<String>,
    /// The one seed of all randomness [default: 42]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    seed: Option<String>,
    /// The run directory [default: runs/NAME, or the next free of runs/NAME-2, runs/NAME-3, …]
    #[arg(long, value_name = "DIR")]
    log_dir: Option<String>,
    /// What to call the run [default: forward_forward]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// What the run is for
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// A word to find the run by; repeatable
    #[arg(long = "tag", value_name = "WORD")]
    tags: Vec<String>,
    /// mnist, fashion-mnist, kmnist, cifar10, digits (embedded) or idx:DIR [default: mnist]
    #[arg(long, value_name = "NAME")]
    dataset: Option<String>,
    /// Folder of IDX files [default: FF_DATA_DIR, else the platform's cache]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<String>,
    /// Training rows held out to choose the best checkpoint on [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    validation_size: Option<String>,
    #[command(flatten)]
    knobs: Knobs,
    /// Go on from the run directory's last checkpoint; begin where there is none yet
    #[arg(long, conflicts_with = "force")]
    resume: bool,
    /// With --resume: go on even if the data are no longer those that the run was begun on
    #[arg(long, requires = "resume")]
    accept_changed_data: bool,
    /// Replace the run that is in the run directory
    #[arg(long)]
    force: bool,
    /// Progress as a bar, as plain lines, or none; auto: what suits the terminal, the notebook or the log
    #[arg(long, value_enum, value_name = "STYLE", default_value = "auto")]
    progress: ProgressStyle,
    /// No progress
    #[arg(long)]
    quiet: bool,
    /// One JSON object on stdout at the end: the contents of summary.json
    #[arg(long)]
    json: bool,
}

impl Train {
    /// Trains and reports.
    pub fn run(self) -> Result<(), CliError> {
        refuse_habits(&self.layer_sizes)?;
        let mut resolved = self.resolve()?;
        self.check_about()?;
        let path = self.choose_directory(&mut resolved)?;
        let ownership = match (self.resume, self.force) {
            (true, _) => Ownership::Resume,
            (_, true) => Ownership::Force,
            _ => Ownership::New,
        };
        if self.resume && !self.describes_a_run() && !RunDirectory::holds_run(&path)? {
            return Err(RunError::NothingToResume { path }.into());
        }
        RunDirectory::check(&path, ownership)?;
        let dataset = load(&resolved.config, !self.quiet)?;
        resolve_on(&mut resolved, &dataset)?;
        if let Some(note) = dataset.note().filter(|_| !self.quiet) {
            report::say(&format!("note: {note}"));
        }
        if let Some(warning) = dataset.warning() {
            report::say(&format!("warning: {warning}"));
        }
        let Resolved { mut config, origins } = resolved;
        make_absolute(&mut config);
        if self.resume {
            refuse_changes(&path, &config)?;
        }
        let splits = Splits::new(dataset, config.data.validation_size, config.training.seed)?;
        let asked = config.clone();
        let work = Run {
            config: &config,
            origins: &origins,
            splits: &splits,
            path: &path,
            ownership,
            accept_changed_data: self.accept_changed_data,
            about: self.about(),
            shown: if self.quiet { Shown::Nothing } else { self.progress.shown() },
        };
        let summary = match on_backend(&asked, report::tell(self.quiet), work) {
            Err(error @ (CliError::Failed(_) | CliError::Environment(_))) if self.json => {
                report::print_json(&told_failure(&path, &config, &error.to_string()))?;
                return Err(error);
            }
            result => result?,
        };
        if self.json {
            report::print_json(&summary)?;
        } else if !self.quiet {
            report::print_summary(&summary)?;
        }
        if summary.status == Status::Interrupted {
            return Err(CliError::stopped(format!(
                "stopped after epoch {} of {}; go on with: ff train --resume --log-dir {}",
                summary.epochs,
                summary.num_epochs,
                shell_word(&path)
            )));
        }
        Ok(())
    }

    /// The run directory that is asked for; else the first free one of the run's name.
    fn choose_directory(&self, resolved: &mut Resolved) -> Result<PathBuf, CliError> {
        if self.log_dir.is_some() || resolved.origins.of("logging.log_dir") != Origin::Default {
            return Ok(PathBuf::from(&resolved.config.logging.log_dir));
        }
        let first = match &self.name {
            Some(name) => format!("runs/{}", folder_name(name)),
            None => resolved.config.logging.log_dir.clone(),
        };
        let mut chosen = first.clone();
        if !self.resume && !self.force {
            let taken = |path: &str| match RunDirectory::check(Path::new(path), Ownership::New) {
                Ok(_) => Ok(false),
                Err(RunError::Taken { .. } | RunError::NotARun { .. }) => Ok(true),
                Err(error) => Err(error),
            };
            let mut number = 1;
            while taken(&chosen)? {
                number += 1;
                chosen = format!("{first}-{number}");
            }
        }
        if chosen != first && !self.quiet {
            report::say(&format!("{first} holds another run; this one goes to {chosen}"));
        }
        resolved.config.logging.log_dir.clone_from(&chosen);
        Ok(PathBuf::from(chosen))
    }

    fn about(&self) -> About {
        About {
            name: self.name.clone(),
            note: self.note.clone(),
            tags: self.tags.clone(),
            command: Some(command_line()),
        }
    }

    /// Names and tags are words for tables.
    fn check_about(&self) -> Result<(), CliError> {
        let given =
            self.name.iter().map(|name| ("--name", name)).chain(self.tags.iter().map(|tag| ("--tag", tag)));
        for (flag, text) in given {
            let fits =
                !text.trim().is_empty() && text.chars().count() <= 100 && !text.contains(char::is_control);
            if !fits {
                return Err(CliError::request(format!(
                    "{flag}: must be text of 1 to 100 letters on one line"
                )));
            }
        }
        Ok(())
    }

    /// Whether the command alone says what is to be trained, so that `--resume` may also begin.
    fn describes_a_run(&self) -> bool {
        let knobs = &self.knobs;
        let flags = [
            &knobs.config,
            &knobs.recipe,
            &self.dataset,
            &self.learning_rate,
            &self.batch_size,
            &self.threshold,
            &self.seed,
            &self.validation_size,
        ];
        !self.layer_sizes.is_empty() || !knobs.set.is_empty() || flags.into_iter().any(Option::is_some)
    }

    /// The config of the run that is to be resumed, under the flags, and the directory that it was found in: a resumed
    /// run needs no more than its directory. Without config.toml the checkpoint knows it.
    fn saved(&self, builder: ConfigBuilder) -> Result<(Option<String>, ConfigBuilder), CliError> {
        let Knobs { config, recipe, .. } = &self.knobs;
        if let Some(file) = config {
            let folder = Path::new(file).parent().unwrap_or(Path::new(""));
            let of_a_run = Path::new(file).file_name().is_some_and(|name| name == "config.toml")
                && match RunDirectory::check(folder, Ownership::Resume) {
                    // A folder that cannot be looked at may be the run's.
                    Err(RunError::Io(error)) => return Err(error.into()),
                    found => found.is_ok_and(|found| found == Beginning::Resume),
                };
            let run = of_a_run.then(|| folder.to_string_lossy().into_owned());
            return Ok((run.map(|run| if run.is_empty() { ".".into() } else { run }), builder));
        }
        if recipe.is_some() {
            return Ok((None, builder));
        }
        let run = self.log_dir()?.unwrap_or_else(|| "runs/forward_forward".into());
        let saved = Path::new(&run).join("config.toml");
        if is_there(&saved)? {
            return Ok((Some(run), builder.file(saved)));
        }
        let newest = read_newest(Path::new(&run))?;
        let Some((config, _)) = newest.map(|newest| newest.checkpoint.described()).transpose()?.flatten()
        else {
            return Ok((None, builder));
        };
        report::say(&format!(
            "warning: {}: is lost; the run goes on with what its checkpoint says",
            saved.display()
        ));
        Ok((Some(run), builder.saved(&config)))
    }

    /// The run directory that was asked for.
    fn log_dir(&self) -> Result<Option<String>, CliError> {
        let at_home = |path: &String| {
            expand_home(path).map_err(|reason| CliError::request(format!("--log-dir {path}: {reason}")))
        };
        self.log_dir.as_ref().map(at_home).transpose()
    }

    fn resolve(&self) -> Result<Resolved, CliError> {
        let mut builder = self.knobs.apply(ConfigBuilder::new());
        let mut log_dir = self.log_dir()?;
        if self.resume {
            let (run, saved) = self.saved(builder)?;
            builder = saved;
            // Where the config lies is the run; what it says of its place was true once.
            log_dir = log_dir.or(run);
        }
        if !self.layer_sizes.is_empty() {
            let sizes = self.layer_sizes.iter().map(|size| value(size)).collect();
            builder = builder.flag("LAYER_SIZES", "network.layer_sizes", Value::Array(sizes));
        }
        builder = flag(builder, "--learning-rate", "training.learning_rate", &self.learning_rate);
        builder = flag(builder, "--batch-size", "training.batch_size", &self.batch_size);
        builder = flag(builder, "--num-epochs", "training.num_epochs", &self.num_epochs);
        builder = flag(builder, "--threshold", "goodness.threshold", &self.threshold);
        builder = flag(builder, "--eval-batch-size", "evaluation.batch_size", &self.eval_batch_size);
        builder = flag(builder, "--seed", "training.seed", &self.seed);
        builder = text_flag(builder, "--log-dir", "logging.log_dir", log_dir.as_deref());
        builder = text_flag(builder, "--dataset", "data.dataset", self.dataset.as_deref());
        builder = text_flag(builder, "--data-dir", "data.data_dir", self.data_dir.as_deref());
        builder = flag(builder, "--validation-size", "data.validation_size", &self.validation_size);
        Ok(builder.resolve()?)
    }
}

/// A name as a folder: what a file system or a shell would not take as it is becomes `-`.
fn folder_name(name: &str) -> String {
    let plain = name.trim().replace(|c: char| !c.is_alphanumeric() && !"._-".contains(c), "-");
    let plain = plain.trim_start_matches('.');
    if plain.is_empty() { "run".into() } else { plain.into() }
}

/// A flag whose value is text even if it looks like a number.
pub fn text_flag(builder: ConfigBuilder, name: &str, knob: &str, text: Option<&str>) -> ConfigBuilder {
    match text {
        Some(text) => builder.flag(name, knob, Value::String(text.into())),
        None => builder,
    }
}

/// A resumed run may be longer, logged differently or run elsewhere; anything else is another run. Where there is a
/// checkpoint, its config is what is compared, once it is read; before the first there is config.toml alone.
fn refuse_changes(path: &Path, config: &Config) -> Result<(), CliError> {
    let saved = path.join("config.toml");
    if RunDirectory::check(path, Ownership::Resume)? == Beginning::Resume || !is_there(&saved)? {
        return Ok(());
    }
    let mut earlier = ConfigBuilder::new().file(&saved).build()?;
    make_absolute(&mut earlier);
    match first_difference(&earlier, config) {
        Some(knob) => Err(RunError::Changed { path: path.into(), checkpoint: saved, knob }.into()),
        None => Ok(()),
    }
}

/// The summary of a run that failed: its own, unless it failed before it wrote one.
fn told_failure(path: &Path, config: &Config, message: &str) -> Summary {
    let saved = RunDirectory::read_summary(path).ok().flatten();
    let own = saved.filter(|summary| {
        // A run that was done before its figures failed is done.
        summary.status == Status::Done || summary.error.as_deref() == Some(message)
    });
    own.unwrap_or_else(|| Summary::failed(config, message.into()))
}

/// Tells people what they must know, even those who want no progress.
struct Warnings;

impl Observer for Warnings {
    fn warned(&mut self, warning: &str) {
        report::say(&format!("warning: {warning}"));
    }
}

/// A path as a shell reads it.
fn shell_word(path: &Path) -> String {
    let text = path.to_string_lossy();
    shlex::try_quote(&text).map_or_else(|_| text.to_string(), |quoted| quoted.into_owned())
}

/// The work of one run on any backend.
pub struct Run<'a> {
    /// Every knob.
    pub config: &'a Config,
    /// Who set them.
    pub origins: &'a Origins,
    /// The data.
    pub splits: &'a Splits,
    /// The run directory.
    pub path: &'a Path,
    /// What to do with a run that is there already.
    pub ownership: Ownership,
    /// Go on even if the data are others.
    pub accept_changed_data: bool,
    /// What people say of it.
    pub about: About,
    /// How its progress is shown.
    pub shown: Shown,
}

impl OnBackend for Run<'_> {
    type Output = Summary;

    fn run<B: Backend>(self, backend: &B) -> Result<Summary, CliError> {
        let stop = signals::stop_flag();
        let mut observers: Vec<Box<dyn Observer>> = vec![Box::new(Warnings), Box::new(signals::Rearm)];
        if self.shown != Shown::Nothing {
            observers.push(Box::new(Progress::new(Arc::clone(&stop), self.shown)));
        }
        let copies = refuse_oversize(&backend.device(), self.config, self.origins, self.splits)?;
        let (directory, beginning) = RunDirectory::open(self.path, self.ownership)?;
        if !directory.is_locked() {
            report::say(&format!("warning: {}", directory.no_locks()));
        }
        let resume = beginning == Beginning::Resume;
        let limits = Limits { stop: &stop, ..Limits::default() };
        let Self { accept_changed_data, about, .. } = self;
        let options =
            Options { resume, accept_changed_data, observers, limits, about, copies, ..Options::default() };
        Ok(training::run(backend, self.config, self.splits, &directory, options)?)
    }
}
