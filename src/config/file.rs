//! What a configuration file says: an experiment, a recipe, or the config.toml of a run.

use std::path::{Path, PathBuf};

use super::document::{self, Entry};
use super::error::ConfigError;
use super::knobs::{KNOBS, Knob, RECIPE};
use super::layers::Setting;
use super::names::{self, last_part};
use super::nearest::did_you_mean;
use super::origin::Origin;

/// What an experiment is called; a file for one run may have it too.
pub(crate) const NAME: &str = "name";
/// The keys that make a file an experiment of many cells.
pub(crate) const SWEEP_KEYS: [&str; 4] = [NAME, "sweep", "cell", "search"];

/// A read file. Every key and the type of every value is checked.
pub(crate) struct ConfigFile {
    /// The folder that paths in the file are relative to.
    pub(crate) folder: PathBuf,
    pub(crate) settings: Vec<Setting>,
    /// The parts that only a sweep reads, as they stand.
    pub(crate) sweep: Vec<Entry>,
    /// Written by a run: a statement of what was, not a request.
    pub(crate) of_a_run: bool,
}

impl ConfigFile {
    pub(crate) fn read(path: &Path, origin: &Origin) -> Result<Self, ConfigError> {
        let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
        Self::interpret(folder, document::read(path, origin)?)
    }

    pub(crate) fn parse(name: &str, text: &str) -> Result<Self, ConfigError> {
        Self::interpret(PathBuf::new(), document::parse(name.into(), text.into())?)
    }

    fn interpret(folder: PathBuf, entries: Vec<Entry>) -> Result<Self, ConfigError> {
        let mut file = ConfigFile { folder, settings: Vec::new(), sweep: Vec::new(), of_a_run: false };
        for entry in entries {
            let key = entry.key.as_str();
            match key {
                _ if names::is_table(key) => file.add_table(&entry)?,
                _ if SWEEP_KEYS.contains(&key) => file.sweep.push(entry),
                "run" => file.of_a_run = true,
                _ => match KNOBS.iter().find(|knob| knob.name == key) {
                    Some(knob) => file.add(knob, &entry)?,
                    None => return Err(entry.error(unknown_key(key))),
                },
            }
        }
        Ok(file)
    }

    fn add_table(&mut self, table: &Entry) -> Result<(), ConfigError> {
        let name = &table.key;
        let Some(entries) = table.node.entries() else {
            return Err(table.error(format!("`{name}` must be a table: [{name}]")));
        };
        for entry in entries {
            let knob = format!("{name}.{}", entry.key.replace('-', "_"));
            match KNOBS.iter().find(|known| known.name == knob) {
                Some(knob) => self.add(knob, entry)?,
                None => return Err(entry.error(unknown_in(name, &entry.key))),
            }
        }
        Ok(())
    }

    fn add(&mut self, knob: &'static Knob, entry: &Entry) -> Result<(), ConfigError> {
        // TOML refuses a repeated key, but does not know that `-` and `_` are the same.
        if self.settings.iter().any(|earlier| earlier.knob == knob.name) {
            return Err(entry.error(format!("`{}` is set twice", knob.name)));
        }
        let origin = entry.node.origin.clone();
        let setting = Setting::checked(knob, entry.node.value(), origin)?;
        self.settings.push(setting);
        Ok(())
    }

    /// Whether nothing is left for a recipe to say.
    pub(crate) fn is_complete(&self) -> bool {
        names::resolved().all(|knob| self.settings.iter().any(|setting| setting.knob == knob))
    }

    /// Refuses the parts that only a sweep reads, telling why.
    pub(crate) fn refuse_sweep(&self, why: &str) -> Result<(), ConfigError> {
        match self.sweep.first() {
            Some(entry) => Err(entry.error(format!("`{}` {why}", entry.key))),
            None => Ok(()),
        }
    }

    /// Refuses the parts that make many cells, telling why. A name makes none.
    pub(crate) fn refuse_cells(&mut self, why: &str) -> Result<(), ConfigError> {
        if let Some(at) = self.sweep.iter().position(|entry| entry.key == NAME) {
            checked_name(&self.sweep.remove(at))?;
        }
        self.refuse_sweep(why)
    }
}

fn unknown_key(key: &str) -> String {
    let plain = key.replace('-', "_");
    let home = names::all().find(|&knob| last_part(knob) == plain);
    let home = match names::find(&plain) {
        Ok(knob) => Some(knob.name),
        Err(_) => home,
    };
    match home.and_then(|knob| knob.split_once('.')) {
        Some((table, _)) => format!("unknown key `{key}`; it belongs in the table [{table}]"),
        None => {
            let known = names::tables().chain([RECIPE]).chain(SWEEP_KEYS);
            format!("unknown key `{key}`{}", did_you_mean(key, known))
        }
    }
}

fn unknown_in(table: &str, key: &str) -> String {
    let plain = key.replace('-', "_");
    let inside = |knob: &&str| knob.split_once('.').is_some_and(|(other, _)| other == table);
    let mut hint = did_you_mean(&plain, names::all().filter(inside).map(last_part));
    if let (true, Some(knob)) = (hint.is_empty(), names::all().find(|knob| last_part(knob) == plain)) {
        hint = format!("; did you mean `{knob}`?");
    }
    format!("unknown key `{key}` in [{table}]{hint}")
}

/// The longest name, in bytes.
const LONGEST_NAME: usize = 100;

fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || "._- ".contains(c)
}

/// The name of a file that says none: its own, with `-` for what may not be in a name.
pub(crate) fn name_of(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let plain = stem.replace(|c| !is_plain(c), "-");
    let plain = plain.trim_start_matches('.');
    let end = (0..=LONGEST_NAME.min(plain.len())).rev().find(|&end| plain.is_char_boundary(end));
    match plain.get(..end.unwrap_or(0)) {
        Some(name) if !name.is_empty() => name.into(),
        _ => "sweep".into(),
    }
}

/// A name that can be a folder's.
pub(crate) fn checked_name(entry: &Entry) -> Result<String, ConfigError> {
    let value = entry.node.value();
    match value.as_str() {
        Some(name)
            if (1..=LONGEST_NAME).contains(&name.len())
                && name.chars().all(is_plain)
                && !name.starts_with('.') =>
        {
            Ok(name.into())
        }
        _ => Err(entry.node.error(
            "`name` must be text that can name a folder: letters, digits, `.`, `_`, `-`, not `.` first",
        )),
    }
}
