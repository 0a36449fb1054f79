//! The program `kmip-server`: see [`kmip_server::run`].

use std::process::ExitCode;

/// A quarter of what a Create costs went into allocating under the C library
/// (docs/notes/performance-tried.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    kmip_server::run(std::env::args_os())
}
