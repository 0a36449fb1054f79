//! The program `certs`.

use std::process::ExitCode;

fn main() -> ExitCode {
    certs::cli::run(std::env::args_os())
}
