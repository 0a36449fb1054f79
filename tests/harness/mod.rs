//! Harness of the end-to-end tests: starts the programs as real processes.
//!
//! ```text
//! Lab ------- a folder with certificates
//!   KmipServer::start(&lab)    a key server on a port of its own
//!   Cluster::start(&lab)       a cluster, and a JSON-RPC client for it
//!   KmipProxy::start(&lab, a)  a proxy before the key server at the address a
//!   Foreign::python()          an interpreter with the foreign clients of tests/foreign
//! ```
//!
//! A process dies with its value. Nothing here knows what a right answer is: that is the test's.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "used by tests alone, which stop at the first thing that is not as it says"
)]

mod cluster;
mod cluster_setup;
mod element_agreement;
pub mod foreign;
mod frames;
mod https;
mod https_connection;
mod kmip_proxy;
mod kmip_server;
mod lab;
mod master_keys;
mod mutual_tls;
mod preload;
mod process;
pub mod proxy_http;
mod pykmip_server;
mod random;
mod server_process;
mod soak;
mod soft_hsm;
mod working_copy;

pub use cluster::{Cluster, RpcError};
pub use frames::FrameConnection;
pub use https::{Answer, Https};
pub use https_connection::{HttpsConnection, HttpsResponse};
pub use kmip_proxy::KmipProxy;
pub use kmip_server::KmipServer;
pub use lab::Lab;
pub use master_keys::MasterKeys;
pub use preload::preload;
pub use process::{Process, Program};
pub use pykmip_server::PykmipServer;
pub use random::{Random, seed};
pub use server_process::ServerProcess;
pub use soak::rounds;
pub use soft_hsm::SoftHsm;
pub use working_copy::WorkingCopy;

use std::path::{Path, PathBuf};

/// The folder of the test executable's build: `target/debug` or alike.
pub(crate) fn build_folder() -> PathBuf {
    let executable = std::env::current_exe().expect("a test knows where it is");
    // target/debug/deps/NAME-HASH
    executable.ancestors().nth(2).map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// The repository's root, for tests that read it.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests are a folder of it")
}
