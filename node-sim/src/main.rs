//! The program.

use std::process::ExitCode;

fn main() -> ExitCode {
    node_sim::cli::run(std::env::args_os())
}
