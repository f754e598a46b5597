//! Data sets, each loaded once for all cells of a process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::config::{Config, Invalid};
use crate::data::{DataShape, Dataset, Source, Splits};
use crate::spec;

use super::super::{CliError, report};

/// Data sets by name and folder.
#[derive(Default)]
pub struct DatasetCache {
    loaded: Mutex<HashMap<Name, Arc<Loaded>>>,
}

type Name = (String, String);

/// A data set in memory.
pub struct Loaded {
    dataset: Dataset,
    shape: DataShape,
    /// By held-out rows and their seed; kept as long as some cell uses them.
    splits: Mutex<HashMap<(usize, u64), Weak<Splits>>>,
}

impl DatasetCache {
    /// The rows of a resolved config.
    pub fn splits(&self, config: &Config) -> Result<Arc<Splits>, CliError> {
        let loaded = self.loaded(config, false)?;
        let held_out = config.data.validation_size;
        // Without held-out rows there is nothing to draw.
        let seed = if held_out == 0 { 0 } else { config.training.seed };
        let mut shared = loaded.splits.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(splits) = shared.get(&(held_out, seed)).and_then(Weak::upgrade) {
            return Ok(splits);
        }
        let splits = Arc::new(Splits::new(loaded.dataset.clone(), held_out, seed)?);
        shared.insert((held_out, seed), Arc::downgrade(&splits));
        Ok(splits)
    }

    /// The data of a config.
    pub fn loaded(&self, config: &Config, progress: bool) -> Result<Arc<Loaded>, CliError> {
        let name = (config.data.dataset.clone(), config.data.data_dir.clone());
        let mut all = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(loaded) = all.get(&name) {
            return Ok(Arc::clone(loaded));
        }
        let source: Source = name.0.parse()?;
        let dataset = Dataset::load(&source, &name.1, progress)?;
        if let Some(note) = dataset.note() {
            report::say(&format!("note: {}: {note}", name.0));
        }
        if let Some(warning) = dataset.warning() {
            report::say(&format!("warning: {}: {warning}", name.0));
        }
        let shape = DataShape::of(&dataset);
        let loaded = Arc::new(Loaded { dataset, shape, splits: Mutex::default() });
        all.insert(name, Arc::clone(&loaded));
        Ok(loaded)
    }
}

impl Loaded {
    /// Resolves what only the data decide, and checks the config against them.
    pub fn resolve(&self, config: &mut Config) -> Result<(), Invalid> {
        spec::resolve(config, &self.shape)?;
        spec::check_held_out(config, &self.dataset.train)
    }
}
