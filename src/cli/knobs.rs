//! `ff knobs`.

use clap::Args;
use serde::Serialize;

use super::{CliError, report};
use crate::config::{KNOBS, Knob, find_knob};

/// List the knobs, or tell all of one.
#[derive(Args)]
pub struct Knobs {
    /// A knob by its dotted name or unique last part
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// One JSON array on stdout; one object with NAME
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// The table of docs/knobs.md
    #[arg(long, conflicts_with = "name")]
    markdown: bool,
}

impl Knobs {
    /// Lists or tells.
    pub fn run(self) -> Result<(), CliError> {
        if self.markdown {
            return report::print(&markdown());
        }
        match self.name {
            Some(name) => {
                let knob =
                    find_knob(&name).map_err(|message| CliError::request(format!("NAME: {message}")))?;
                if self.json { report::print_json(&Row::of(knob)) } else { report::print(&told(knob)) }
            }
            None if self.json => report::print_json(&KNOBS.iter().map(Row::of).collect::<Vec<_>>()),
            None => report::print(&KNOBS.iter().map(line).collect::<String>()),
        }
    }
}

/// A row of the table as JSON.
#[derive(Serialize)]
struct Row {
    name: &'static str,
    meaning: &'static str,
    takes: String,
    choices: Vec<Word>,
    default: Option<toml::Value>,
    flag: Option<&'static str>,
    read_by: &'static str,
    needs: Vec<String>,
    no_effect: Vec<String>,
    changes_numbers: bool,
    may_change_on_resume: bool,
}

#[derive(Serialize)]
struct Word {
    name: String,
    meaning: String,
}

impl Row {
    fn of(knob: &Knob) -> Self {
        let choices = knob.takes.choices().into_iter();
        Row {
            name: knob.name,
            meaning: knob.meaning,
            takes: knob.takes.to_string(),
            choices: choices.map(|choice| Word { name: choice.name, meaning: choice.meaning }).collect(),
            default: knob.default(),
            flag: knob.flag,
            read_by: knob.read_by,
            needs: needs(knob),
            no_effect: no_effect(knob),
            changes_numbers: knob.changes_numbers,
            may_change_on_resume: knob.may_change_on_resume,
        }
    }
}

fn default(knob: &Knob) -> String {
    knob.default().map(|value| value.to_string()).unwrap_or_default()
}

fn needs(knob: &Knob) -> Vec<String> {
    knob.needs.iter().map(|need| format!("{} needs {}", need.0, need.3)).collect()
}

fn no_effect(knob: &Knob) -> Vec<String> {
    knob.no_effect.iter().map(|when| format!("under {}", when.2)).collect()
}

/// One line: name, default, meaning, type and range.
fn line(knob: &Knob) -> String {
    format!("{:31} {:25} {} [{}]\n", knob.name, default(knob), knob.meaning, knob.takes)
}

/// All there is to tell of a knob.
fn told(knob: &Knob) -> String {
    let mut text = format!("{}\n{}\n\n", knob.name, knob.meaning);
    let mut add = |title: &str, lines: Vec<String>| {
        for (i, line) in lines.iter().enumerate() {
            text += &format!("{:22} {line}\n", if i == 0 { title } else { "" });
        }
    };
    let yes = |yes: bool| vec![if yes { "yes" } else { "no" }.to_owned()];
    let choices = knob.takes.choices();
    let widest = choices.iter().map(|choice| choice.name.len()).max().unwrap_or(0);
    let words: Vec<_> =
        choices.iter().map(|choice| format!("{:widest$}  {}", choice.name, choice.meaning)).collect();
    add("takes", if words.is_empty() { vec![knob.takes.to_string()] } else { words });
    add("default", vec![default(knob)]);
    add("option", knob.flag.map(str::to_owned).into_iter().collect());
    add("read by", vec![knob.read_by.to_owned()]);
    add("needs", needs(knob));
    add("has no effect", no_effect(knob));
    add("changes numbers", yes(knob.changes_numbers));
    add("may change on resume", yes(knob.may_change_on_resume));
    text
}

/// The table of docs/knobs.md.
fn markdown() -> String {
    let mut text = String::from(
        "# Knobs\n\nOne row per knob, made by `ff knobs --markdown` from the table in `src/config/knobs.rs`. \
         `ff knobs NAME` tells all of one.\n\n*Numbers*: whether the numbers of a run depend on it. *Resume*: whether \
         a resumed run may have another value.\n\n\
         | knob | takes | default | meaning | numbers | resume |\n|---|---|---|---|---|---|\n",
    );
    let yes = |yes: bool| if yes { "yes" } else { "no" };
    for knob in KNOBS {
        let mut meaning = vec![knob.meaning.to_owned()];
        meaning.extend(needs(knob).into_iter().map(|need| format!("{need}.")));
        meaning.extend(no_effect(knob).into_iter().map(|when| format!("No effect {when}.")));
        let row = [
            format!("`{}`", knob.name),
            knob.takes.to_string(),
            format!("`{}`", default(knob)),
            meaning.join(" "),
            yes(knob.changes_numbers).to_owned(),
            yes(knob.may_change_on_resume).to_owned(),
        ];
        text += &format!("| {} |\n", row.map(|cell| cell.replace('|', "\\|")).join(" | "));
    }
    text
}
