//! What differs between two configurations.

use super::knobs::{Config, KNOBS};

/// The first knob, by its dotted name, that makes `a` another run than `b`: one that a resumed run may not change.
pub fn first_difference(a: &Config, b: &Config) -> Option<&'static str> {
    let mut kept = KNOBS.iter().filter(|knob| !knob.may_change_on_resume && !knob.is_short());
    kept.find(|knob| knob.value(a) != knob.value(b)).map(|knob| knob.name)
}
