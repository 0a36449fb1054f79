//! The program `kmip-proxy`: see [`kmip_proxy::run`].

use std::process::ExitCode;

fn main() -> ExitCode {
    kmip_proxy::run(std::env::args_os())
}
