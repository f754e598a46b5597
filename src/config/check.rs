//! What no run can have: values out of range, values that need what is not there, settings without effect.

use super::error::Invalid;
use super::knobs::{Config, KNOBS, Need, When};
use super::takes::MOST_IN_A_FILE;

impl Config {
    /// Whether a run can have these values. What depends on the data is left to
    /// [`Config::check_against`].
    pub fn validate(&self) -> Result<(), Invalid> {
        check(self, |_| false)
    }
}

/// As [`Config::validate`]; moreover, no knob that `is_explicit` may be without effect.
pub(crate) fn check(config: &Config, is_explicit: impl Fn(&str) -> bool) -> Result<(), Invalid> {
    for knob in KNOBS.iter().filter(|knob| !knob.is_short()) {
        let in_range = match knob.value(config) {
            Some(value) => knob.takes.check_range(&value),
            None => Err(format!("must be at most {MOST_IN_A_FILE}")),
        };
        in_range.map_err(|reason| Invalid { knob: knob.name, with: None, reason })?;
    }
    config.network.check_layers(None)?;
    config.check_top_down()?;
    for knob in KNOBS {
        let missing = knob.needs.iter().find(|Need(_, _, is_missing, _)| is_missing(config));
        if let Some(Need(_, with, _, text)) = missing {
            let value = knob.value(config).map_or(String::new(), |value| value.to_string());
            let reason = format!("is {value}, which needs {text}");
            return Err(Invalid { knob: knob.name, with: Some(with), reason });
        }
    }
    for knob in KNOBS.iter().filter(|knob| is_explicit(knob.name)) {
        if let Some(When(with, _, text)) = knob.no_effect.iter().find(|When(_, holds, _)| holds(config)) {
            let reason = format!("has no effect under {text}");
            return Err(Invalid { knob: knob.name, with: Some(with), reason });
        }
    }
    Ok(())
}
