//! `ff`: parse, run, print the error, exit.

use std::process::ExitCode;

use forward_forward::cli::{self, Allocator};

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

fn main() -> ExitCode {
    cli::run(std::env::args_os())
}
