//! Whether the fields of local layers tile what is below them.

use super::error::Invalid;
use super::knobs::{Config, LAYER_SIZES, LAYERS, NetworkConfig};
use super::layer_kinds::{LayerKind, LocalKind};

/// Whether the fields tile a map of so many rows and columns. If not: why.
fn tile(local: LocalKind, below: [usize; 2], what: &str) -> Result<(), String> {
    let LocalKind { grid, stride, field, .. } = local;
    for ((grid, below), axis) in grid.into_iter().zip(below).zip(["rows", "columns"]) {
        if grid > below {
            return Err(format!("a grid of {grid} {axis} is larger than the {below} {axis} of {what}"));
        }
        let span = grid.saturating_sub(1).saturating_mul(stride).saturating_add(field);
        if span != below {
            return Err(format!(
                "{grid} fields of {field} at a stride of {stride} span {span} {axis}, but {what} has {below}: \
                 (grid - 1) * stride + field must be {below}"
            ));
        }
        if grid > 1 && stride > field {
            return Err(format!("a stride of {stride} leaves gaps between fields of {field}"));
        }
    }
    Ok(())
}

impl NetworkConfig {
    /// Whether the fields of local layers tile the maps of the layers below them. The first layer's map is the image,
    /// which only the data tell: `image` `[height, width]`, if it is known.
    pub(crate) fn check_layers(&self, image: Option<[usize; 2]>) -> Result<(), Invalid> {
        let units: Vec<usize> = self.layers.iter().map(LayerKind::units).collect();
        if !units.is_empty() && units != self.layer_sizes {
            let reason =
                format!("has layers of {units:?} units, but `{LAYER_SIZES}` is {:?}", self.layer_sizes);
            return Err(Invalid { knob: LAYERS, with: Some(LAYER_SIZES), reason });
        }
        let mut below = image;
        for (l, layer) in self.layers.iter().enumerate() {
            let LayerKind::Local(local) = layer else {
                below = None;
                continue;
            };
            let dense_below = l > 0 && matches!(self.layers[l - 1], LayerKind::Dense { .. });
            let fits = match below {
                _ if dense_below => Err(format!(
                    "a local layer sees places of the map below it, but layer {} is dense and has none",
                    l - 1
                )),
                Some(map) if l == 0 => {
                    tile(*local, map, &format!("an image of {}×{} pixels", map[0], map[1]))
                }
                Some(map) => tile(*local, map, &format!("the map of layer {}", l - 1)),
                None => Ok(()),
            };
            fits.map_err(|reason| Invalid {
                knob: LAYERS,
                with: (l == 0).then_some("data.dataset"),
                reason: format!("in layer {l}: {reason}"),
            })?;
            below = Some(local.grid);
        }
        Ok(())
    }
}

impl Config {
    /// Whether local layers see images of this shape in whole.
    ///
    /// # Errors
    /// What of `network.layers` does not fit them.
    pub fn check_map(&self, height: usize, width: usize) -> Result<(), Invalid> {
        self.network.check_layers(Some([height, width]))
    }
}
