//! The rekey of the master key between real programs: a cluster and its key servers as processes,
//! mutual TLS between them, and SIGKILL at every point where something was made to last.
//!
//! Whatever happens, a rekey that was accepted ends by itself, all data reads back, and of all
//! master keys one is left: the new one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test stops at the first surprise, also in what tests share"
)]

mod cluster_killed;
mod directions;
mod fixture;
mod key_server_client;
mod node_offline;
mod server_killed;
