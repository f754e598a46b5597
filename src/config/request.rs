//! Reading the recipe that someone asks for: a built-in name or a TOML file.

use std::path::{Path, PathBuf};

use super::error::ConfigError;
use super::file::ConfigFile;
use super::knobs::RECIPE;
use super::layers::{Layer, Setting};
use super::nearest::did_you_mean;
use super::origin::Origin;
use super::recipes::RECIPES;

/// A recipe someone asked for: a built-in name or a path, and the folder the path starts from.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    pub(crate) origin: Origin,
}

impl Request {
    /// The recipe that a source names, if it names one.
    pub(crate) fn of(setting: Option<&Setting>, folder: &Path) -> Option<Request> {
        let setting = setting?;
        Some(Request {
            name: setting.value.as_str()?.to_string(),
            folder: folder.to_path_buf(),
            origin: setting.origin.clone(),
        })
    }

    /// The recipe's layers, its base first.
    pub(crate) fn load(&self) -> Result<Vec<Layer>, ConfigError> {
        let mut layers = Vec::new();
        let mut read: Vec<PathBuf> = Vec::new();
        let mut next = Some(self.clone());
        while let Some(request) = next {
            let mut file = request.read(&mut read)?;
            let why = "is for experiments of many cells; a recipe has none";
            file.refuse_sweep(why)?;
            let base = file.settings.iter().find(|setting| setting.knob == RECIPE);
            next = Request::of(base, &file.folder);
            file.settings.retain(|setting| setting.knob != RECIPE);
            layers.push(Layer { settings: file.settings, explicit: false });
        }
        layers.reverse();
        layers.push(self.label());
        Ok(layers)
    }

    /// What the configuration calls the recipe: a name that means the same from the folder that the
    /// command runs in.
    fn label(&self) -> Layer {
        let name = match self.built_in() {
            Some(_) => self.name.clone(),
            None => self.path().display().to_string(),
        };
        let label = Setting { knob: RECIPE, value: name.into(), origin: self.origin.clone() };
        Layer { settings: vec![label], explicit: false }
    }

    fn built_in(&self) -> Option<&'static (&'static str, &'static str)> {
        RECIPES.iter().find(|(name, _)| *name == self.name)
    }

    fn path(&self) -> PathBuf {
        self.folder.join(&self.name)
    }

    fn read(&self, read: &mut Vec<PathBuf>) -> Result<ConfigFile, ConfigError> {
        if let Some((name, text)) = self.built_in() {
            return ConfigFile::parse(&format!("recipe {name}"), text);
        }
        let name = &self.name;
        if !name.ends_with(".toml") && !name.contains(['/', '\\']) {
            let known = RECIPES.map(|(known, _)| known);
            let hint = match did_you_mean(name, known) {
                hint if hint.is_empty() => format!("; there are {}, or a TOML file", known.join(", ")),
                hint => hint,
            };
            return Err(ConfigError::new(&self.origin, format!("unknown recipe `{name}`{hint}")));
        }
        let path = self.path();
        // Two spellings of one path are the same file.
        let identity = path.canonicalize().unwrap_or_else(|_| path.clone());
        if read.contains(&identity) {
            let message = format!("the recipe {} is built on itself", path.display());
            return Err(ConfigError::new(&self.origin, message));
        }
        read.push(identity);
        ConfigFile::read(&path, &self.origin)
    }
}
