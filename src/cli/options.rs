//! Options that set knobs: their help and the values that completions offer follow from the table of knobs.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command, Error};
use toml::Value;

use crate::config::{Choice, KNOBS, Knob};

/// A command whose options have the values that their knobs take. The help of `ff train` is that of the knobs;
/// other commands may mean something narrower.
pub fn of_the_table(command: Command) -> Command {
    let (trains, tells) = (command.get_name() == "train", command.get_name() == "knobs");
    command.mut_args(|option| {
        if option.get_long() == Some("set") {
            return suggest(option, assignments());
        }
        if tells && option.is_positional() {
            let names =
                KNOBS.iter().map(|knob| Choice { name: knob.name.into(), meaning: knob.meaning.into() });
            return suggest(option, names.collect());
        }
        let Some(knob) = knob_of(&option) else { return option };
        let option = if trains { option.help(help(knob)) } else { option };
        suggest(option, knob.takes.choices())
    })
}

fn knob_of(option: &Arg) -> Option<&'static Knob> {
    let long = option.get_long().map(|long| format!("--{long}"));
    let values = option.get_value_names().and_then(|names| names.first());
    let name = long.or_else(|| values.map(ToString::to_string))?;
    KNOBS.iter().find(|knob| knob.flag == Some(&name))
}

/// `What computes: auto, cpu or opencl [default: auto]`.
fn help(knob: &Knob) -> String {
    let mut help = knob.meaning.trim_end_matches('.').to_owned();
    if !knob.takes.choices().is_empty() {
        help += &format!(": {}", knob.takes);
    }
    let default = match knob.default() {
        Some(Value::String(text)) => text,
        Some(Value::Array(values)) => values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        value => value.map(|value| value.to_string()).unwrap_or_default(),
    };
    if default.is_empty() { help } else { help + &format!(" [default: {default}]") }
}

/// What `--set` takes: every knob, and every word of those that take words.
fn assignments() -> Vec<Choice> {
    let assignment = |knob: &Knob| {
        let words = knob.takes.choices();
        if words.is_empty() {
            return vec![Choice { name: format!("{}=", knob.name), meaning: knob.meaning.into() }];
        }
        let set = |word: Choice| Choice { name: format!("{}={}", knob.name, word.name), ..word };
        words.into_iter().map(set).collect()
    };
    KNOBS.iter().flat_map(assignment).collect()
}

fn suggest(option: Arg, choices: Vec<Choice>) -> Arg {
    if choices.is_empty() {
        return option;
    }
    let value = |choice: Choice| PossibleValue::new(choice.name).help(choice.meaning);
    let parser = Suggested(choices.into_iter().map(value).collect());
    option.value_parser(parser).hide_possible_values(true)
}

/// Takes any text and offers some: what is wrong with a value is said by its knob.
#[derive(Clone)]
struct Suggested(Vec<PossibleValue>);

impl TypedValueParser for Suggested {
    type Value = String;

    fn parse_ref(&self, command: &Command, option: Option<&Arg>, text: &OsStr) -> Result<String, Error> {
        StringValueParser::new().parse_ref(command, option, text)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0.iter().cloned()))
    }
}
