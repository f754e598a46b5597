//! Top-down connections: layers are driven by the layer above too, step by step (arXiv 2212.13345, section 3.4).

use ff_backend::{Fields, Normalization};

use super::{Above, LayerSpec};
use crate::config::Config;

/// The steps of a network whose layers are driven from above too.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TopDown {
    /// T: synchronous steps after the bottom-up pass.
    pub steps: usize,
    /// What a layer keeps of its activities, before they are normalized, from one step to the next.
    pub damping: f64,
    /// The first step, from 1, whose goodness counts for a label.
    pub first: usize,
    /// The last one.
    pub last: usize,
}

impl TopDown {
    pub(super) fn of(config: &Config) -> Option<Self> {
        let (network, evaluation) = (&config.network, &config.evaluation);
        network.top_down.then_some(TopDown {
            steps: network.steps,
            damping: network.damping,
            first: evaluation.first_step,
            last: evaluation.last_step,
        })
    }
}

/// Gives every layer but the last the one above it as a second input.
pub(super) fn connect(layers: &mut [LayerSpec], normalization: Normalization) {
    for l in 1..layers.len() {
        let (below, above) = (&layers[l - 1], &layers[l]);
        let fields = above.fields.as_ref().and_then(|above| seen_from_below(below, above));
        layers[l - 1].above = Some(Above { units: layers[l].units, fields, normalization });
    }
}

/// What the units of a layer below a local one see of it: each place the units in whose field it is. The fields of a local
/// layer take the places below it whole.
fn seen_from_below(below: &LayerSpec, above: &Fields) -> Option<Fields> {
    let own = below.fields.as_ref()?.channels();
    let places = below.units / own.max(1);
    let mut lists = vec![Vec::new(); places];
    for place in 0..above.places() {
        let mut seen: Vec<usize> =
            above.of_unit(place * above.channels()).map(|(_, unit)| unit / own).collect();
        seen.dedup();
        let units = (place * above.channels()) as u32..((place + 1) * above.channels()) as u32;
        seen.into_iter().for_each(|below| lists[below].extend(units.clone()));
    }
    Fields::new(above.units(), own, &lists).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::config::ConfigBuilder;
    use crate::data::ImageShape;
    use crate::spec::Spec;

    /// Whoever sees a unit is seen by it.
    #[test]
    fn fields_from_above_are_those_from_below_turned_around() {
        let layers = "layers=[{kind='local',grid=[4,4],stride=2,field=2,channels=3},\
                      {kind='local',grid=[3,3],stride=1,field=2,channels=5},{kind='dense',units=4}]";
        let config = ConfigBuilder::new().set("top_down=true").set(layers).build().unwrap();
        let spec = Spec::new(&config, ImageShape::gray(8, 8), 10);
        let up = spec.layers[1].fields.as_ref().unwrap();
        let down = spec.layers[0].above.as_ref().unwrap().fields.as_ref().unwrap();
        assert_eq!((down.features(), down.channels(), down.places()), (45, 3, 16));
        let pairs = |fields: &Fields| {
            let seen =
                |unit| fields.of_unit(unit).map(move |(_, feature)| (unit, feature)).collect::<Vec<_>>();
            (0..fields.units()).flat_map(seen).collect::<Vec<_>>()
        };
        let mut turned: Vec<_> = pairs(down).into_iter().map(|(unit, feature)| (feature, unit)).collect();
        turned.sort_unstable();
        assert_eq!(pairs(up), turned);
        let top = spec.layers[1].above.as_ref().unwrap();
        assert!(top.fields.is_none() && top.units == 4, "a dense layer is seen by all");
        assert!(spec.layers[2].above.is_none() && spec.layers[2].label_features() == 10);
        assert_eq!(spec.layers[0].label_features(), 0);
    }
}
