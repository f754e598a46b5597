//! The command line: arguments become checked configs before any work starts.

mod allocator;
mod bench;
mod compare;
mod completions;
mod data;
mod devices;
mod error;
mod eval;
mod hints;
mod knobs;
mod limits;
mod man;
mod memory;
mod on_backend;
mod options;
mod plot;
mod predict;
mod prose;
mod recipes;
mod report;
mod runs;
mod saved;
mod signals;
mod source;
mod sweep;
mod table;
mod test_time;
mod train;
mod verify;
mod version;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

pub use allocator::Allocator;
pub use error::CliError;

/// A research toolkit for Hinton's Forward-Forward algorithm.
#[derive(Parser)]
#[command(name = "ff", version, long_version = version::long(), about, arg_required_else_help = true, subcommand_required = true)]
#[command(args_override_self = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Train one network.
    Train(train::Train),
    /// Train every cell of an experiment.
    Sweep(sweep::Sweep),
    /// Measure the accuracy of a run or a checkpoint.
    Eval(eval::Eval),
    /// Label images.
    Predict(predict::Predict),
    /// Draw the figures of a run or a sweep again from what it saved.
    Plot(plot::Plot),
    /// List the runs and cells below folders beside one another.
    Runs(runs::Runs),
    /// Show what differs between runs, and their results beside one another.
    Compare(compare::Compare),
    /// Time a training step beside the floor of the device.
    Bench(bench::Bench),
    /// List the devices there are and which one `auto` takes.
    Devices(devices::Devices),
    /// Prove that a device computes what the f64 reference does.
    Verify(verify::Verify),
    /// Fetch data sets, or describe them.
    Data(data::Data),
    /// List the knobs, or tell all of one.
    Knobs(knobs::Knobs),
    /// List the recipes, and what each sets.
    Recipes(recipes::Recipes),
    /// Print a completion script for a shell.
    Completions(completions::Completions),
    /// Write manual pages.
    Man(man::Man),
}

/// Runs a command line and says how it went: 0 done, 1 a run failed, 2 the request was wrong.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    signals::prepare();
    let arguments = with_dashes(arguments);
    let parsed = match parsed(&arguments) {
        Ok(parsed) => parsed,
        Err(error) if is_help(&error) => {
            // A closed stdout is the reader's choice.
            let _ = error.print();
            return if error.exit_code() == 0 { ExitCode::SUCCESS } else { ExitCode::from(2) };
        }
        Err(error) => {
            complain(&explained(&error, &arguments));
            return ExitCode::from(2);
        }
    };
    let result = match parsed.command {
        Command::Train(command) => command.run(),
        Command::Sweep(command) => command.run(),
        Command::Eval(command) => command.run(),
        Command::Predict(command) => command.run(),
        Command::Plot(command) => command.run(),
        Command::Runs(command) => command.run(),
        Command::Compare(command) => command.run(),
        Command::Bench(command) => command.run(),
        Command::Devices(command) => command.run(),
        Command::Verify(command) => command.run(),
        Command::Data(command) => command.run(),
        Command::Knobs(command) => command.run(),
        Command::Recipes(command) => command.run(),
        Command::Completions(command) => command.run(&mut command_line()),
        Command::Man(command) => command.run(command_line()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error.to_string());
            error.exit_code()
        }
    }
}

/// The commands and their options. What an option that sets a knob says and takes follows from the table of knobs.
fn command_line() -> clap::Command {
    Arguments::command().mut_subcommands(options::of_the_table)
}

/// Long options may be written with underscores, as the original toolkit's are.
fn with_dashes(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut only_values = false;
    let rewrite = |argument: OsString| {
        only_values |= argument == "--";
        match argument.to_str() {
            Some(text) if text.starts_with("--") && !only_values => {
                let (name, value) = text.split_at(text.find('=').unwrap_or(text.len()));
                format!("{}{value}", name.replace('_', "-")).into()
            }
            _ => argument,
        }
    };
    arguments.into_iter().map(rewrite).collect()
}

/// Says what is wrong: in one line, below which the place in the file is shown.
fn complain(message: &str) {
    report::say(&format!("ff: {message}"));
}

fn parsed(arguments: &[OsString]) -> Result<Arguments, clap::Error> {
    let matches = command_line().try_get_matches_from(arguments)?;
    Arguments::from_arg_matches(&matches)
}

/// Why a command line is not understood, if so. Nothing of it is run.
pub fn refusal(arguments: Vec<OsString>) -> Option<String> {
    let arguments = with_dashes(arguments);
    let error = parsed(&arguments).err().filter(|error| !is_help(error))?;
    Some(explained(&error, &arguments))
}

/// Help and version are asked for; they go to stdout.
fn is_help(error: &clap::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    )
}

/// What is wrong with an argument, on one line.
fn explained(error: &clap::Error, arguments: &[OsString]) -> String {
    if let Some(message) = hints::told(error, &command_line(), arguments) {
        return message;
    }
    let rendered = error.render().to_string();
    let lines = rendered.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:"));
    let parts = lines.map(|line| line.trim_start_matches("error: ").trim_start_matches("tip: "));
    // That an unknown option could be a value, or that there is help, is no help here.
    let idle = |line: &str| line.is_empty() || line.contains("as a value") || line.starts_with("For more");
    let parts: Vec<&str> = parts.filter(|line| !idle(line)).collect();
    parts.join("; ").replace(":; ", ": ")
}
