//! The program `kmip-server`: see [`kmip_server::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    kmip_server::cli::run(std::env::args_os())
}
