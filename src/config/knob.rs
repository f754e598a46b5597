//! A row of the table of knobs.

use toml::Value;

use super::knobs::{Config, DEPTH, WIDTH};
use super::takes::Takes;

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Knob {
    /// Table and key, with a dot between them.
    pub name: &'static str,
    /// What it means, in a sentence or two.
    pub meaning: &'static str,
    /// Type and range of its values.
    pub takes: Takes,
    /// The module that acts on it.
    pub read_by: &'static str,
    /// The option of `ff train`, or of `ff eval`, that sets it, if there is one.
    pub flag: Option<&'static str>,
    /// What some of its values need of other knobs.
    pub needs: &'static [Need],
    /// When it has no effect, so that setting it for a run is a mistake.
    pub no_effect: &'static [When],
    /// Whether the numbers of a run depend on it.
    pub changes_numbers: bool,
    /// Whether a resumed run may have another value.
    pub may_change_on_resume: bool,
    /// Its value in a configuration; none where that is a whole number beyond what a file can hold.
    pub(super) value: fn(&Config) -> Option<Value>,
}

/// What a value of a knob needs of another: the value, the other knob, whether it is missing, what it is.
#[derive(Clone, Copy, Debug)]
pub struct Need(pub &'static str, pub &'static str, pub fn(&Config) -> bool, pub &'static str);

/// A state of another knob: that knob, whether it is in that state, what messages say of it.
#[derive(Clone, Copy, Debug)]
pub struct When(pub &'static str, pub fn(&Config) -> bool, pub &'static str);

impl Knob {
    /// Its value in a configuration; none where that is a whole number beyond what a file can hold.
    pub fn value(&self, config: &Config) -> Option<Value> {
        (self.value)(config)
    }

    /// Its built-in value.
    pub fn default(&self) -> Option<Value> {
        self.value(&Config::default())
    }

    /// Whether it is short for another: no field of [`Config`].
    pub fn is_short(&self) -> bool {
        self.name == DEPTH || self.name == WIDTH
    }

    pub(super) const fn flag(mut self, flag: &'static str) -> Self {
        self.flag = Some(flag);
        self
    }

    pub(super) const fn needs(mut self, needs: &'static [Need]) -> Self {
        self.needs = needs;
        self
    }

    pub(super) const fn no_effect(mut self, when: &'static [When]) -> Self {
        self.no_effect = when;
        self
    }

    pub(super) const fn without_numbers(mut self) -> Self {
        self.changes_numbers = false;
        self
    }

    pub(super) const fn resumable(mut self) -> Self {
        self.may_change_on_resume = true;
        self
    }
}

/// A row without name, meaning and field: numbers depend on the knob, a resumed run keeps it.
pub(super) const fn knob(takes: Takes, read_by: &'static str) -> Knob {
    Knob {
        name: "",
        meaning: "",
        takes,
        read_by,
        flag: None,
        needs: &[],
        no_effect: &[],
        changes_numbers: true,
        may_change_on_resume: false,
        value: |_| None,
    }
}
