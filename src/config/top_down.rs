//! What top-down connections need of other knobs.

use super::choices::{GoodnessFunction, LabelPlacement, LayerSchedule, NegativeKind};
use super::error::Invalid;
use super::knobs::{Config, LAYER_SIZES};

/// A knob that a network with top-down connections needs otherwise: which, whether it is so, what it needs.
type Need = (&'static str, fn(&Config) -> bool, &'static str);

const NEEDS: [Need; 7] = [
    (
        LAYER_SIZES,
        |c| c.network.layer_sizes.len() < 2,
        "two layers or more in `network.layer_sizes` or `network.layers`: one alone has no layer above it",
    ),
    (
        "training.loss",
        |c| !c.training.loss.compares_goodness(),
        "a `training.loss` that compares goodness: \"bce\", \"symba\" or \"margin\"",
    ),
    (
        "training.negatives",
        |c| c.training.negatives == NegativeKind::Hybrid,
        "`training.negatives` with wrong labels, \"random\" or \"hard\": a label stands above the last layer",
    ),
    (
        "network.label",
        |c| c.network.label != LabelPlacement::Auto,
        "`network.label = \"auto\"`: the label stands above the last layer",
    ),
    (
        "goodness.function",
        |c| !matches!(c.goodness.function, GoodnessFunction::Sum | GoodnessFunction::Mean),
        "a `goodness.function` of squares: \"sum\" or \"mean\"",
    ),
    (
        "training.layer_schedule",
        |c| c.training.layer_schedule == LayerSchedule::Greedy,
        "`training.layer_schedule = \"simultaneous\"`: all layers step at once",
    ),
    (
        "training.dropout",
        |c| c.training.dropout > 0.0,
        "`training.dropout = 0`: activities are carried from step to step",
    ),
];

impl Config {
    /// Whether a network with top-down connections can have what the other knobs say.
    pub(super) fn check_top_down(&self) -> Result<(), Invalid> {
        if !self.network.top_down {
            return Ok(());
        }
        if let Some((with, _, what)) = NEEDS.iter().find(|(_, is_wrong, _)| is_wrong(self)) {
            let reason = format!("is true, which needs {what}");
            return Err(Invalid { knob: "network.top_down", with: Some(with), reason });
        }
        let (steps, first, last) =
            (self.network.steps, self.evaluation.first_step, self.evaluation.last_step);
        if last > steps {
            let reason = format!("is {last}, but `network.steps` is {steps}");
            return Err(Invalid { knob: "evaluation.last_step", with: Some("network.steps"), reason });
        }
        if first > last {
            let reason = format!("is {first}, but `evaluation.last_step` is {last}");
            return Err(Invalid {
                knob: "evaluation.first_step",
                with: Some("evaluation.last_step"),
                reason,
            });
        }
        Ok(())
    }
}
