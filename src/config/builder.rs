//! One run's configuration: flags over `--set` over `--config` over recipe over built-in values.

use std::path::{Path, PathBuf};

use toml::Value;

use super::error::ConfigError;
use super::file::ConfigFile;
use super::knobs::{Config, RECIPE};
use super::layers::{Layer, Resolved, Setting, resolve};
use super::names;
use super::origin::Origin;
use super::request::Request;

/// Gathers what a command asks for; nothing is read or checked before [`ConfigBuilder::build`].
///
/// ```
/// use forward_forward::config::ConfigBuilder;
/// let config = ConfigBuilder::new()
///     .set("recipe=hinton")
///     .set("width=500")
///     .flag("--num-epochs", "training.num_epochs", 10.into())
///     .build()?;
/// assert_eq!(config.network.layer_sizes, [500; 4]);
/// # Ok::<(), forward_forward::config::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct ConfigBuilder {
    saved: Option<Config>,
    file: Option<PathBuf>,
    overrides: Overrides,
}

/// What the command line lays over files.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overrides {
    sets: Vec<String>,
    flags: Vec<(String, String, Value)>,
    recipe: Option<(String, Origin)>,
}

impl ConfigBuilder {
    /// The built-in values.
    pub fn new() -> Self {
        Self::default()
    }

    /// The preset underneath: a built-in name or a TOML file, and who asks for it.
    pub fn recipe(mut self, name_or_path: impl Into<String>, origin: Origin) -> Self {
        self.overrides.recipe = Some((name_or_path.into(), origin));
        self
    }

    /// Every value of an earlier run, under all others; no recipe is read then.
    pub fn saved(mut self, config: &Config) -> Self {
        self.saved = Some(config.clone());
        self
    }

    /// An experiment file, or the config.toml of an earlier run.
    pub fn file(mut self, path: impl AsRef<Path>) -> Self {
        self.file = Some(path.as_ref().to_path_buf());
        self
    }

    /// A `--set key=value`; of two with one key the later counts.
    pub fn set(mut self, key_value: impl Into<String>) -> Self {
        self.overrides.sets.push(key_value.into());
        self
    }

    /// A flag of the command line, and the value it gives to a knob.
    pub fn flag(mut self, flag: impl Into<String>, knob: impl Into<String>, value: Value) -> Self {
        self.overrides.flags.push((flag.into(), knob.into(), value));
        self
    }

    /// The configuration.
    pub fn build(self) -> Result<Config, ConfigError> {
        Ok(self.resolve()?.config)
    }

    /// The configuration and who set what in it, for errors that only the data can show.
    pub fn resolve(self) -> Result<Resolved, ConfigError> {
        let above = self.overrides.layers()?;
        let mut layers = Vec::new();
        if let Some(path) = &self.file {
            let mut file = ConfigFile::read(path, &Origin::Flag("--config".into()))?;
            file.refuse_cells("is for many runs; use `ff sweep` with this file")?;
            layers = Base::new(file).over(above.recipe)?;
        } else if let Some(request) = above.recipe {
            layers = request.load()?;
        } else if let Some(config) = &self.saved {
            layers = vec![Layer::saved(config)?];
        }
        layers.extend([above.sets, above.flags]);
        resolve(&layers.iter().collect::<Vec<_>>())
    }
}

/// A file to lay over a recipe.
pub(crate) struct Base {
    own: Layer,
    named: Option<Request>,
    complete: bool,
}

impl Base {
    pub(crate) fn new(file: ConfigFile) -> Self {
        let complete = file.is_complete();
        // A run's configuration holds values that nobody asked for.
        let explicit = !complete && !file.of_a_run;
        let mut own = Layer { settings: file.settings, explicit };
        let named = Request::of(own.get(RECIPE), &file.folder);
        if !complete {
            own.settings.retain(|setting| setting.knob != RECIPE);
        }
        Base { own, named, complete }
    }

    /// The file's layer and those of the recipe under it, `chosen` or else the one the file names.
    /// A file that sets every knob needs none: the recipe it came from may be gone.
    pub(crate) fn over(&self, chosen: Option<Request>) -> Result<Vec<Layer>, ConfigError> {
        let mut layers = match (self.complete, chosen) {
            (true, Some(request)) => {
                let message = "the recipe changes nothing under a file that sets every knob";
                return Err(ConfigError::new(request.origin, message));
            }
            (true, None) => Vec::new(),
            (false, chosen) => match chosen.as_ref().or(self.named.as_ref()) {
                Some(request) => request.load()?,
                None => Vec::new(),
            },
        };
        layers.push(self.own.clone());
        Ok(layers)
    }
}

/// The overrides, checked and sorted by precedence.
pub(crate) struct Above {
    pub(crate) recipe: Option<Request>,
    pub(crate) sets: Layer,
    pub(crate) flags: Layer,
}

impl Overrides {
    pub(crate) fn new(sets: &[String], flags: &[(String, String, Value)]) -> Self {
        Overrides { sets: sets.to_vec(), flags: flags.to_vec(), recipe: None }
    }

    pub(crate) fn layers(&self) -> Result<Above, ConfigError> {
        let sets: Result<Vec<_>, _> = self.sets.iter().map(|text| parse_set(text)).collect();
        let flag = |(flag, knob, value): &(String, String, Value)| {
            let origin = Origin::Flag(flag.clone());
            let knob = names::find(knob).map_err(|message| ConfigError::new(&origin, message))?;
            Setting::checked(knob, value.clone(), origin)
        };
        let flags: Result<Vec<_>, _> = self.flags.iter().map(flag).collect();
        let (mut sets, mut flags) = (Layer::explicit(sets?), Layer::explicit(flags?));
        let here = Path::new("");
        let asked = self.recipe.clone().map(|(name, origin)| Request { name, folder: here.into(), origin });
        let recipe = asked
            .or_else(|| Request::of(flags.get(RECIPE), here))
            .or_else(|| Request::of(sets.get(RECIPE), here));
        for layer in [&mut sets, &mut flags] {
            layer.settings.retain(|setting| setting.knob != RECIPE);
        }
        Ok(Above { recipe, sets, flags })
    }
}

/// `key=value`, where the value is TOML or else a bare string.
pub(crate) fn parse_set(text: &str) -> Result<Setting, ConfigError> {
    let origin = Origin::Set(text.into());
    let Some((key, raw)) = text.split_once('=') else {
        return Err(ConfigError::new(origin, "must be key=value"));
    };
    let (key, raw) = (key.trim(), raw.trim());
    let knob = names::find(key).map_err(|message| ConfigError::new(&origin, message))?;
    let bare = Value::String(raw.into());
    let value = raw.parse().ok().or_else(|| number(raw)).unwrap_or_else(|| bare.clone());
    // `--set data_dir=2024` means a folder.
    match Setting::checked(knob, bare, origin.clone()) {
        Ok(setting) if knob.takes.check_type(&value).is_err() => Ok(setting),
        _ => Setting::checked(knob, value, origin),
    }
}

/// A number as other tools write it and TOML does not: `.001`, `1.`, `007`, `+5`. Whole numbers that no integer of
/// TOML holds are none.
pub fn number(text: &str) -> Option<Value> {
    let digits = text.trim_start_matches(['+', '-']);
    if text.len() - digits.len() > 1 || !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().map(Value::Integer);
    }
    text.parse().ok().map(Value::Float)
}
