//! The program.

use std::process::ExitCode;

fn main() -> ExitCode {
    node_sim::run(std::env::args_os())
}
