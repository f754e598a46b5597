//! An experiment file: one base, many cells.

use std::collections::{HashMap, hash_map};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toml::Value;

use super::axes::{self, Point, overlap};
use super::axis_sets;
use super::builder::{Above, Base, Overrides};
use super::cell::{Cell, folder_name, tell};
use super::document::Entry;
use super::error::{ConfigError, Invalid};
use super::file::{ConfigFile, NAME, checked_name, name_of};
use super::halving::Halving;
use super::knobs::{Config, LOG_DIR, RECIPE};
use super::layers::{Layer, Origins, Resolved, resolve};
use super::names;
use super::origin::Origin;
use super::request::Request;

/// A planned experiment; every cell of it is checked.
///
/// `[sweep]` is a grid of axes. `[[cell]]` lists cells one by one and `[search]` draws them; where
/// there is a grid too, each of these is run at every point of it.
#[derive(Clone, Debug)]
pub struct Experiment {
    /// Its name: the file's unless the file says another.
    pub name: String,
    /// The folder that holds one folder per cell.
    pub log_dir: String,
    /// What it was planned from.
    pub source: Source,
    /// Whether it draws cells at random.
    pub searched: bool,
    /// How a search is cut short, if it is.
    pub halving: Option<Halving>,
    cells: Vec<Cell>,
    planned: Vec<(Point, Origins)>,
}

/// What an experiment is planned from; a sweep keeps it, so that it can go on without the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The folder that paths in the file are relative to.
    pub folder: PathBuf,
    /// The `--set key=value` over it.
    pub set: Vec<String>,
    /// The text of the file.
    pub text: String,
}

impl Experiment {
    /// Reads and plans an experiment file under `--set key=value` and flags: (flag, knob, value). A list or a range
    /// that is set is an axis; a value that is set narrows the axis of its knob.
    pub fn load(
        path: &Path,
        sets: &[String],
        flags: &[(String, String, Value)],
    ) -> Result<Self, ConfigError> {
        let origin = Origin::Flag("FILE".into());
        let file = ConfigFile::read(path, &origin)?;
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|error| ConfigError::new(&origin, format!("{}: {error}", path.display())))?;
        let folder = std::path::absolute(&file.folder).unwrap_or_else(|_| file.folder.clone());
        let source = Source { text, folder, set: sets.to_vec() };
        Self::plan(file, &path.display().to_string(), &name_of(path), source, flags)
    }

    /// Plans the experiment of a sweep that is there, from the copy it keeps, under further settings.
    pub fn load_saved(
        shown: &str,
        name: &str,
        source: &Source,
        sets: &[String],
        flags: &[(String, String, Value)],
    ) -> Result<Self, ConfigError> {
        let mut file = ConfigFile::parse(shown, &source.text)?;
        file.folder.clone_from(&source.folder);
        let source = Source { set: [source.set.as_slice(), sets].concat(), ..source.clone() };
        Self::plan(file, shown, name, source, flags)
    }

    /// `shown` is what messages call the file, `name` what the experiment is called unless the file says otherwise.
    fn plan(
        mut file: ConfigFile,
        shown: &str,
        name: &str,
        source: Source,
        flags: &[(String, String, Value)],
    ) -> Result<Self, ConfigError> {
        let mut parts = std::mem::take(&mut file.sweep);
        let sets = axis_sets::apply(&source.set, &mut parts)?;
        let above = Overrides::new(&sets, flags).layers()?;
        let part = |key: &str| parts.iter().find(|entry| entry.key == key);

        let name = match part(NAME) {
            Some(entry) => checked_name(entry)?,
            None => name.to_owned(),
        };
        let searched = part("search").is_some();
        let points = points(part("cell"), part("search"), part("sweep"))?;
        if part("cell").is_none() && points.iter().all(|point| point.choices.is_empty()) {
            return Err(ConfigError::new(
                Origin::Flag(shown.to_owned()),
                "names neither axes ([sweep], --set key='[a, b]') nor cells ([[cell]], [search]); one run is trained \
                 by `ff train --config FILE`",
            ));
        }
        refuse_fixed_axes(&points, &above)?;
        let mut plan = Plan {
            folder: file.folder.clone(),
            base: Base::new(file),
            above,
            recipes: HashMap::new(),
            known: HashMap::new(),
        };
        let mut experiment = Experiment {
            log_dir: format!("runs/{name}"),
            name,
            source,
            searched,
            halving: None,
            cells: Vec::new(),
            planned: Vec::new(),
        };
        for point in points {
            experiment.add(point, &mut plan)?;
        }
        experiment.complete();
        if let Some((halving, entry)) = part("search").map(Halving::of).transpose()?.flatten() {
            experiment.check_halving(halving, entry)?;
            experiment.halving = Some(halving);
        }
        Ok(experiment)
    }

    /// Whether the test set is kept for the cells that held-out rows choose: in a search where all cells hold rows out.
    pub fn keeps_test_set(&self) -> bool {
        self.searched && self.cells.iter().all(|cell| cell.config.data.validation_size > 0)
    }

    /// Its cells, in order.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// The varying knobs of all cells, as the file writes them, in order.
    pub fn varying(&self) -> Vec<&str> {
        let mut keys = Vec::new();
        for (key, _) in self.cells.iter().flat_map(|cell| &cell.varying) {
            if !keys.contains(&key.as_str()) {
                keys.push(key);
            }
        }
        keys
    }

    /// Who set what in a cell, for errors that only the data can show.
    pub fn origins(&self, cell: &Cell) -> Origins {
        self.planned.get(cell.index).map(|(_, origins)| origins.clone()).unwrap_or_default()
    }

    /// What to call a cell in an error about a knob, if the cell has a value of its own for it.
    pub fn owner(&self, cell: &Cell, knob: &str) -> Option<String> {
        let (point, origins) = self.planned.get(cell.index)?;
        point.is_from(&origins.of(knob)).then(|| title(cell.index, &cell.varying))
    }

    /// The error that names who is to blame for what the data showed to be wrong with a cell.
    pub fn blame(&self, cell: &Cell, invalid: &Invalid) -> ConfigError {
        let error = self.origins(cell).blame(invalid);
        match self.planned.get(cell.index) {
            Some((point, _)) if point.is_from(error.origin()) => {
                error.prefixed(&title(cell.index, &cell.varying))
            }
            _ => error,
        }
    }

    fn add(&mut self, point: Point, plan: &mut Plan) -> Result<(), ConfigError> {
        let index = self.cells.len();
        let varying: Vec<_> =
            point.choices.iter().map(|c| (c.written.clone(), c.setting.value.clone())).collect();
        let title = title(index, &varying);
        let resolved = plan.resolve(&point).map_err(|error| match point.is_from(error.origin()) {
            true => error.prefixed(&title),
            false => error,
        });
        let Resolved { mut config, origins } = resolved?;
        let name = folder_name(&varying, &config);
        let twin =
            [name.clone(), unlabelled(&config)].into_iter().find_map(|key| plan.known.insert(key, index));
        if let Some((twin, (other, _))) = twin.and_then(|twin| Some((twin, self.planned.get(twin)?))) {
            let (here, there) = point.parting(other);
            return Err(ConfigError::new(here, format!("{title}: the same as cell {twin} ({there})")));
        }
        if index == 0 && origins.of(LOG_DIR) != Origin::Default {
            self.log_dir = config.logging.log_dir;
        }
        config.logging.log_dir = Path::new(&self.log_dir).join(&name).display().to_string();
        self.cells.push(Cell { index, varying, label: point.label.clone(), config, name });
        self.planned.push((point, origins));
        Ok(())
    }

    /// Gives every cell a value of every varying knob: what it came to where the cell does not say.
    fn complete(&mut self) {
        let keys: Vec<String> = self.varying().into_iter().map(str::to_owned).collect();
        for cell in self.cells.iter_mut().filter(|cell| cell.varying.len() < keys.len()) {
            let value = |key: &String| {
                let own = cell.varying.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone());
                own.or_else(|| names::find(key).ok()?.value(&cell.config))
            };
            cell.varying = keys.iter().filter_map(|key| Some((key.clone(), value(key)?))).collect();
        }
    }

    fn check_halving(&self, halving: Halving, entry: &Entry) -> Result<(), ConfigError> {
        for cell in &self.cells {
            let epochs = cell.config.training.num_epochs;
            let message = if cell.config.data.validation_size == 0 {
                "`halving` compares cells on validation data: it needs `data.validation_size` above 0".into()
            } else if halving.min_epochs > epochs {
                format!("`min_epochs` is {}, but `training.num_epochs` is {epochs}", halving.min_epochs)
            } else {
                continue;
            };
            return Err(entry.error(format!("{}: {message}", title(cell.index, &cell.varying))));
        }
        Ok(())
    }
}

fn title(index: usize, varying: &[(String, Value)]) -> String {
    match varying {
        [] => format!("cell {index}"),
        _ => format!("cell {index} ({})", tell(varying, ", ")),
    }
}

/// What all cells share.
struct Plan {
    folder: PathBuf,
    base: Base,
    above: Above,
    /// The layers under the overrides, by the recipe that the cell chooses.
    recipes: HashMap<Option<String>, Vec<Layer>>,
    /// The cells planned so far, by the names of their folders and by all that they are.
    known: HashMap<String, usize>,
}

/// All that a cell is, but for what its recipe is called.
fn unlabelled(config: &Config) -> String {
    let recipe = String::new();
    Config { recipe, ..config.clone() }.to_toml()
}

impl Plan {
    fn resolve(&mut self, point: &Point) -> Result<Resolved, ConfigError> {
        let mut own = Layer::explicit(point.choices.iter().map(|choice| choice.setting.clone()).collect());
        let chosen = Request::of(own.get(RECIPE), &self.folder);
        own.settings.retain(|setting| setting.knob != RECIPE);
        let key = chosen.as_ref().map(|request| request.name.clone());
        let below = match self.recipes.entry(key) {
            hash_map::Entry::Occupied(known) => known.into_mut(),
            hash_map::Entry::Vacant(new) => new.insert(self.base.over(chosen.or(self.above.recipe.clone()))?),
        };
        let mut layers: Vec<_> = below.iter().collect();
        // Nothing that varies is overridden, so this order only decides who is blamed.
        layers.extend([&self.above.sets, &self.above.flags, &own]);
        resolve(&layers)
    }
}

fn points(
    cell: Option<&Entry>,
    search: Option<&Entry>,
    sweep: Option<&Entry>,
) -> Result<Vec<Point>, ConfigError> {
    let mut points = cell.map_or(Ok(Vec::new()), axes::cells)?;
    points.extend(search.map_or(Ok(Vec::new()), axes::draw)?);
    if points.is_empty() {
        points.push(Point::default());
    }
    spell_alike(&mut points);
    let Some(sweep) = sweep else {
        return Ok(points);
    };
    let grid = axes::grid(sweep)?;
    for axis in grid.first().into_iter().flat_map(|point| &point.choices) {
        let mut others = points.iter().flat_map(|point| &point.choices);
        let same = others.find(|other| overlap(other.setting.knob, axis.setting.knob));
        if let Some(same) = same {
            let message = format!(
                "`{}` is an axis of [sweep] already; every cell is run at each point of the grid",
                same.written
            );
            return Err(ConfigError::new(&same.setting.origin, message));
        }
    }
    axes::cross(&points, &grid).ok_or_else(|| axes::too_many(sweep))
}

/// Writes every knob as the first cell that names it does, so that results have one column for it.
fn spell_alike(points: &mut [Point]) {
    let mut spelling: HashMap<&str, String> = HashMap::new();
    for choice in points.iter_mut().flat_map(|point| &mut point.choices) {
        let first = spelling.entry(choice.setting.knob).or_insert_with(|| choice.written.clone());
        choice.written.clone_from(first);
    }
}

/// An override of a knob that varies would undo the experiment.
fn refuse_fixed_axes(points: &[Point], above: &Above) -> Result<(), ConfigError> {
    let varying =
        |knob: &str| points.iter().flat_map(|point| &point.choices).find(|c| overlap(c.setting.knob, knob));
    let fixed = above.sets.settings.iter().chain(&above.flags.settings);
    let fixed = fixed.map(|setting| (setting.knob, &setting.origin));
    let recipe = above.recipe.iter().map(|request| (RECIPE, &request.origin));
    for (knob, origin) in fixed.chain(recipe) {
        if let Some(choice) = varying(knob) {
            let message = format!("`{knob}` varies in this experiment, as `{}`", choice.written);
            return Err(ConfigError::new(origin, message));
        }
    }
    Ok(())
}
