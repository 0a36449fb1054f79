//! The programs in one, for the tests: `programs NAME ARGUMENTS...` is the program NAME.
//!
//! `cargo test` builds the programs of the package that it tests; so the tests have their own.

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    let name = args.first().map(|name| name.to_string_lossy().into_owned());
    match name.as_deref() {
        Some("certs") => certs::cli::run(args),
        Some("control") => lab_tools::control::run(args),
        Some("kmip-conformance") => kmip_conformance::cli::run(args),
        Some("kmip-proxy") => kmip_proxy::run(args),
        Some("kmip-server") => kmip_server::run(args),
        Some("persona") => lab_tools::persona::run(args),
        Some("node-sim") => node_sim::run(args),
        _ => {
            let _ = writeln!(std::io::stderr(), "programs: no program is called {name:?}");
            ExitCode::from(2)
        }
    }
}
