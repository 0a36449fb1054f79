//! The lab controller: faults by the switch, certificates for the cluster, and what a page needs
//! besides the cluster's own APIs, over HTTP at `/lab/v1`.
//!
//! ```text
//! cli -> server -> switchboard -+-> rules (catalogue) -> kmip-proxy
//!                     |         +-> certificates of certs -> kmip-proxy
//!                     |         +-> power, errors of methods -> node-sim
//!                     |         `-> clocks -> files that libfaketime reads
//!                     `-> notes -> node-sim, which shows them in its events
//! ```
//!
//! The cluster and the key server hold no code for it: it uses what they and the proxy offer.

mod catalogue;
mod cli;
pub mod clock;
mod fault_cli;
mod parameters;
mod proxy;
mod runs;
mod server;
mod switchboard;

pub use cli::{Settings, run, serve};
pub use fault_cli::run as run_fault;
