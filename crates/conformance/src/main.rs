//! The program `kmip-conformance`.

use std::process::ExitCode;

fn main() -> ExitCode {
    kmip_conformance::cli::run(std::env::args_os())
}
