//! Layers of several kinds: what `network.layers` lists.

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::nearest::did_you_mean;
use super::takes::{MOST_LAYERS, MOST_UNITS, describe};

/// One hidden layer of `network.layers`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum LayerKind {
    /// Every unit sees every feature.
    Dense {
        /// Units of the layer.
        units: usize,
    },
    /// Units stand at the places of a grid and see a square field each, of all channels; no two share weights (arXiv
    /// 2212.13345, section 3.2).
    Local(LocalKind),
}

/// A locally connected layer without weight sharing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocalKind {
    /// Rows and columns of its places.
    pub grid: [usize; 2],
    /// Places of the map below (pixels, for the first layer) from one field to the next.
    pub stride: usize,
    /// Places of the map below that a field is high and wide.
    pub field: usize,
    /// Units at each place.
    pub channels: usize,
}

const KINDS: [(&str, &[&str]); 2] =
    [("dense", &["kind", "units"]), ("local", &["kind", "grid", "stride", "field", "channels"])];

impl LayerKind {
    /// Units of the layer.
    pub fn units(&self) -> usize {
        match *self {
            LayerKind::Dense { units } => units,
            LayerKind::Local(LocalKind { grid: [rows, columns], channels, .. }) => {
                rows.saturating_mul(columns).saturating_mul(channels)
            }
        }
    }

    /// The layers of a list. If it is none: the end of a sentence that starts with the knob.
    pub(crate) fn parse_list(value: &Value) -> Result<Vec<LayerKind>, String> {
        let Some(layers) = value.as_array() else {
            return Err(format!(
                "must be a list of layers, such as [{{ kind = \"dense\", units = 500 }}], found {}",
                describe(value)
            ));
        };
        if layers.len() as u64 > MOST_LAYERS {
            return Err(format!("must name at most {MOST_LAYERS} layers, found {}", layers.len()));
        }
        let layer = |(l, value)| LayerKind::parse(value).map_err(|reason| format!("in layer {l}: {reason}"));
        layers.iter().enumerate().map(layer).collect()
    }

    /// Whether a value is such a list.
    pub(crate) fn check_list(value: &Value) -> Result<(), String> {
        LayerKind::parse_list(value).map(drop)
    }

    fn parse(value: &Value) -> Result<LayerKind, String> {
        let table = value.as_table().ok_or_else(|| {
            format!(
                "a layer must be a table such as {{ kind = \"dense\", units = 500 }}, found {}",
                describe(value)
            )
        })?;
        let kind = table.get("kind").and_then(Value::as_str).unwrap_or_default();
        let Some((_, keys)) = KINDS.iter().find(|(name, _)| *name == kind) else {
            return Err(match table.get("kind") {
                None => "`kind` is missing; it must be \"dense\" or \"local\"".into(),
                Some(other) => format!(
                    "`kind` must be \"dense\" or \"local\", found {}{}",
                    describe(other),
                    did_you_mean(kind, KINDS.iter().map(|(name, _)| *name))
                ),
            });
        };
        if let Some(key) = table.keys().find(|key| !keys.contains(&key.as_str())) {
            return Err(format!("unknown key `{key}`{}", did_you_mean(key, keys.iter().copied())));
        }
        let layer = if kind == "dense" {
            LayerKind::Dense { units: extent(table, "units")? }
        } else {
            LayerKind::Local(LocalKind {
                grid: grid(table)?,
                stride: extent(table, "stride")?,
                field: extent(table, "field")?,
                channels: extent(table, "channels")?,
            })
        };
        match layer.units() as u64 {
            units if units > MOST_UNITS => {
                Err(format!("it has {units} units, at most {MOST_UNITS} are possible"))
            }
            _ => Ok(layer),
        }
    }

    /// In a few letters: `500`, `4x4x128s6f10`.
    fn short(&self) -> String {
        match self {
            LayerKind::Dense { units } => units.to_string(),
            LayerKind::Local(LocalKind { grid: [rows, columns], stride, field, channels }) => {
                format!("{rows}x{columns}x{channels}s{stride}f{field}")
            }
        }
    }
}

/// A list of layers in a few letters, as they may stand in the name of a folder: `4x4x128s6f10-500`.
pub fn layers_in_short(layers: &[LayerKind]) -> String {
    layers.iter().map(LayerKind::short).collect::<Vec<_>>().join("-")
}

fn whole(value: &Value) -> Option<usize> {
    let number = value.as_integer().and_then(|n| u64::try_from(n).ok())?;
    (1..=MOST_UNITS).contains(&number).then_some(number as usize)
}

fn extent(table: &Table, key: &str) -> Result<usize, String> {
    let Some(value) = table.get(key) else { return Err(format!("`{key}` is missing")) };
    whole(value).ok_or_else(|| {
        format!("`{key}` must be a whole number from 1 to {MOST_UNITS}, found {}", describe(value))
    })
}

fn grid(table: &Table) -> Result<[usize; 2], String> {
    let Some(value) = table.get("grid") else {
        return Err("`grid` is missing; it must be [rows, columns]".into());
    };
    let extents: Vec<_> = value.as_array().map(|list| list.iter().map(whole).collect()).unwrap_or_default();
    match extents[..] {
        [Some(rows), Some(columns)] => Ok([rows, columns]),
        _ => Err(format!(
            "`grid` must be [rows, columns], whole numbers from 1 to {MOST_UNITS}, found {}",
            describe(value)
        )),
    }
}
