//! `ff`: parse, run, print the error, exit.

use std::process::ExitCode;

fn main() -> ExitCode {
    forward_forward::cli::run(std::env::args_os())
}
