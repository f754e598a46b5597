//! What was probably meant by an argument or a command that there is not.

use std::ffi::OsString;

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use strsim::damerau_levenshtein;

use super::CliError;
use crate::config::{find_knob, known_elsewhere};

/// The message of an unknown argument or command, and what was probably meant; none for other errors.
pub fn told(error: &clap::Error, root: &Command, arguments: &[OsString]) -> Option<String> {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    let (what, hint) = match error.kind() {
        ErrorKind::UnknownArgument => {
            let argument = text(ContextKind::InvalidArg)?;
            let hint = for_argument(&argument, command(root, arguments));
            (format!("unexpected argument '{argument}'"), hint)
        }
        ErrorKind::InvalidSubcommand => {
            let name = text(ContextKind::InvalidSubcommand)?;
            let hint = for_command(&name, command(root, arguments));
            (format!("unrecognized command '{name}'"), hint)
        }
        _ => return None,
    };
    Some(match hint {
        Some(hint) => format!("{what}; {hint}"),
        None => what,
    })
}

/// The command that the arguments name, as far as they name one.
fn command<'a>(root: &'a Command, arguments: &[OsString]) -> &'a Command {
    let mut command = root;
    for word in arguments.iter().skip(1).filter_map(|word| word.to_str()) {
        if let Some(inner) = command.find_subcommand(word) {
            command = inner;
        }
    }
    command
}

fn for_command(name: &str, command: &Command) -> Option<String> {
    if name == "version" {
        return Some("`ff --version` tells it".into());
    }
    let names = command.get_subcommands().map(Command::get_name);
    nearest(name, names).map(|name| format!("did you mean '{name}'?"))
}

fn for_argument(argument: &str, command: &Command) -> Option<String> {
    let takes_set = has_option(command, "set");
    let Some(name) = argument.strip_prefix("--") else {
        let (key, _) = argument.split_once('=')?;
        let is_knob = takes_set && !key.starts_with('-') && find_knob(key).is_ok();
        return is_knob.then(|| format!("knobs are set with --set {argument}"));
    };
    let name = name.split('=').next().unwrap_or_default();
    let knob = name.replace('-', "_").to_lowercase();
    let ours = known_elsewhere(&knob).map_or(knob.clone(), str::to_owned);
    let option = ours.replace('_', "-");
    if has_option(command, &option) {
        return Some(format!("did you mean '--{option}'?"));
    }
    if takes_set && find_knob(&ours).is_ok() {
        return Some(format!("it is set with --set {ours}=VALUE"));
    }
    let options = command.get_arguments().filter_map(|argument| argument.get_long());
    nearest(name, options).map(|option| format!("did you mean '--{option}'?"))
}

fn has_option(command: &Command, name: &str) -> bool {
    command.get_arguments().any(|argument| argument.get_long() == Some(name))
}

/// The option that is a few letters from the name, however it is written.
fn nearest<'a>(name: &str, options: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let near = options.map(|option| (damerau_levenshtein(&name, option), option));
    let (distance, option) = near.min_by_key(|(distance, _)| *distance)?;
    (distance <= 1.max(name.chars().count() / 4)).then_some(option)
}

/// Refuses what people who come from other tools write for the sizes of layers.
pub fn refuse_habits(layer_sizes: &[String]) -> Result<(), CliError> {
    for text in layer_sizes {
        if let Some((key, _)) = text.split_once('=')
            && find_knob(key).is_ok()
        {
            return Err(CliError::request(format!("{text}: knobs are set with --set {text}")));
        }
        let listed = text.trim_start_matches('[').trim_end_matches(']');
        let sizes: Vec<&str> =
            listed.split([',', 'x']).map(str::trim).filter(|size| !size.is_empty()).collect();
        let is_list =
            (sizes.len() > 1 || listed != text) && sizes.iter().all(|size| size.parse::<u64>().is_ok());
        if is_list && !sizes.is_empty() {
            return Err(CliError::request(format!(
                "LAYER_SIZES: sizes stand apart, such as {} rather than {text}",
                sizes.join(" ")
            )));
        }
    }
    Ok(())
}
