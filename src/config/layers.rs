//! Sources of values, laid over each other: the last to set a knob has its way and answers for it.

use std::collections::HashMap;

use serde::Deserialize;
use toml::Value;

use super::check::check;
use super::error::{ConfigError, Invalid};
use super::knobs::{Config, DEPTH, KNOBS, Knob, LAYER_SIZES, LAYERS, WIDTH};
use super::layer_kinds::LayerKind;
use super::names;
use super::origin::Origin;
use super::text::defaults;

/// One knob as one source sets it.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) knob: &'static str,
    pub(crate) value: Value,
    pub(crate) origin: Origin,
}

impl Setting {
    /// A setting whose value is of the knob's type.
    pub(crate) fn checked(
        knob: &'static Knob,
        value: Value,
        origin: impl Into<Origin>,
    ) -> Result<Self, ConfigError> {
        let origin = origin.into();
        // -0.0 is the same number, and would name another folder.
        let value = if value.as_float() == Some(0.0) { Value::Float(0.0) } else { value };
        let value = match knob.takes.at_home(value) {
            Ok(value) => value,
            Err(reason) => return Err(ConfigError::new(origin, format!("`{}` {reason}", knob.name))),
        };
        let fits = match knob.takes.check_type(&value) {
            // A short form is none of the values that are checked in the end.
            Ok(()) if knob.is_short() => knob.takes.check_range(&value),
            fits => fits,
        };
        match fits {
            Ok(()) => Ok(Setting { knob: knob.name, value, origin }),
            Err(reason) => Err(ConfigError::new(origin, format!("`{}` {reason}", knob.name))),
        }
    }
}

/// All that one source sets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layer {
    pub(crate) settings: Vec<Setting>,
    /// Whether someone asks for these values for this run, rather than a preset that just has them.
    pub(crate) explicit: bool,
}

impl Layer {
    /// What the user asked for.
    pub(crate) fn explicit(settings: Vec<Setting>) -> Self {
        let explicit = true;
        Layer { settings, explicit }
    }

    /// Every value of an earlier run: nobody asked for it in this one.
    pub(crate) fn saved(config: &Config) -> Result<Self, ConfigError> {
        let all = KNOBS.iter().filter(|knob| !knob.is_short());
        let values = all.filter_map(|knob| Some((knob, knob.value(config)?)));
        let settings = values.map(|(knob, value)| Setting::checked(knob, value, Origin::Default));
        Ok(Layer { settings: settings.collect::<Result<_, _>>()?, explicit: false })
    }

    /// The layers of several kinds, if it names any.
    fn kinds(&self) -> Option<Vec<LayerKind>> {
        let kinds = LayerKind::parse_list(&self.get(LAYERS)?.value).ok();
        kinds.filter(|kinds| !kinds.is_empty())
    }

    /// The last value of the knob here.
    pub(crate) fn get(&self, knob: &str) -> Option<&Setting> {
        self.settings.iter().rev().find(|setting| setting.knob == knob)
    }
}

/// A checked configuration and who set what in it.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The value of every knob.
    pub config: Config,
    /// Who set it.
    pub origins: Origins,
}

/// Who set each knob.
#[derive(Clone, Debug, Default)]
pub struct Origins(HashMap<&'static str, Answerable>);

#[derive(Clone, Debug)]
struct Answerable {
    origin: Origin,
    explicit: bool,
    /// Higher layers have the higher rank.
    rank: usize,
}

impl Origins {
    /// Who set the knob with this dotted name.
    pub fn of(&self, knob: &str) -> Origin {
        let found = self.0.get(knob);
        found.map_or(Origin::Default, |answerable| answerable.origin.clone())
    }

    /// Whether someone set the knob for this run, above its recipe.
    pub fn is_explicit(&self, knob: &str) -> bool {
        self.0.get(knob).is_some_and(|answerable| answerable.explicit)
    }

    /// The error that names who is to blame: of two knobs that do not go together, the one that was
    /// set at the higher level.
    pub fn blame(&self, invalid: &Invalid) -> ConfigError {
        let rank = |knob| self.0.get(knob).map(|answerable| answerable.rank);
        // What is typed side by side is as new; the one at fault answers for it.
        let typed = |knob| matches!(self.of(knob), Origin::Set(_) | Origin::Flag(_));
        let newer = |other| rank(other) > rank(invalid.knob) && !(typed(other) && typed(invalid.knob));
        let knob = match invalid.with {
            Some(other) if newer(other) => other,
            _ => invalid.knob,
        };
        ConfigError::new(self.of(knob), invalid.to_string())
    }
}

/// Lays the layers, lowest first, over the built-in values and checks the result.
pub(crate) fn resolve(layers: &[&Layer]) -> Result<Resolved, ConfigError> {
    let mut table = defaults().clone();
    let mut origins = Origins::default();
    for (rank, layer) in layers.iter().enumerate() {
        refuse_two_shapes(layer)?;
        let kinds = layer.kinds();
        for setting in &layer.settings {
            let set = match shape(setting, table.get("network")) {
                // The kinds say the sizes too.
                _ if setting.knob == LAYER_SIZES && kinds.is_some() => continue,
                Some(sizes) => vec![(LAYER_SIZES, sizes), (LAYERS, Value::Array(Vec::new()))],
                None if setting.knob == LAYER_SIZES => {
                    vec![(LAYER_SIZES, setting.value.clone()), (LAYERS, Value::Array(Vec::new()))]
                }
                None if setting.knob == LAYERS => match &kinds {
                    Some(kinds) => vec![(LAYER_SIZES, sizes(kinds)), (LAYERS, listed(kinds, &setting.value))],
                    None => vec![(LAYERS, setting.value.clone())],
                },
                None => vec![(setting.knob, setting.value.clone())],
            };
            for (knob, value) in set {
                names::put(&mut table, knob, value);
                let answerable =
                    Answerable { origin: setting.origin.clone(), explicit: layer.explicit, rank };
                origins.0.insert(knob, answerable);
            }
        }
    }
    let config = Config::deserialize(Value::Table(table))
        .map_err(|error| ConfigError::new(Origin::Default, error.message()))?;
    match check(&config, |knob| origins.is_explicit(knob)) {
        Ok(()) => Ok(Resolved { config, origins }),
        Err(invalid) => Err(origins.blame(&invalid)),
    }
}

/// `depth` and `width` are short for `layer_sizes`, and `layers` is in its place: one source says it one way. The config
/// of a run says both.
fn refuse_two_shapes(layer: &Layer) -> Result<(), ConfigError> {
    let short = layer.get(DEPTH).or(layer.get(WIDTH));
    let sizes_beside = |kinds: &Vec<LayerKind>| {
        let given = layer.get(LAYER_SIZES)?;
        (layer.explicit || given.value != sizes(kinds)).then_some(given)
    };
    let (one, other) = match (layer.kinds(), layer.get(LAYER_SIZES), short) {
        (Some(kinds), _, None) => (sizes_beside(&kinds), LAYERS),
        (Some(_), _, short) => (short, LAYERS),
        (None, Some(_), short) => (short, LAYER_SIZES),
        _ => (None, LAYER_SIZES),
    };
    match one {
        Some(one) => Err(ConfigError::new(
            &one.origin,
            format!("`{}` and `{other}` are set together; use one of them", one.knob),
        )),
        None => Ok(()),
    }
}

/// The layer sizes of layers of several kinds.
fn sizes(kinds: &[LayerKind]) -> Value {
    Value::Array(kinds.iter().map(|kind| Value::Integer(kind.units() as i64)).collect())
}

/// The list as it is kept: none where all are dense, which the sizes say.
fn listed(kinds: &[LayerKind], value: &Value) -> Value {
    match kinds.iter().all(|kind| matches!(kind, LayerKind::Dense { .. })) {
        true => Value::Array(Vec::new()),
        false => value.clone(),
    }
}

/// The layer sizes that `depth` or `width` make of the ones below them.
fn shape(setting: &Setting, network: Option<&Value>) -> Option<Value> {
    let sizes = network.and_then(|network| network.get("layer_sizes"));
    let sizes = sizes.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    match (setting.knob, setting.value.as_integer()) {
        (DEPTH, Some(depth)) => {
            let width = sizes.first().cloned().unwrap_or(Value::Integer(0));
            Some(Value::Array(vec![width; usize::try_from(depth).ok()?]))
        }
        (WIDTH, Some(_)) => Some(Value::Array(vec![setting.value.clone(); sizes.len()])),
        _ => None,
    }
}
