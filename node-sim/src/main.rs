//! The program.

use std::process::ExitCode;

fn main() -> ExitCode {
    node_sim::cli::main(std::env::args_os())
}
