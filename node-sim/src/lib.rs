//! A simulated storage cluster that encrypts at rest, and its master key's way from internal to
//! external.
//!
//! ```text
//! HTTPS -> rpc -> cluster -> ledger -> asyncHandle
//!                              |
//!               rekey worker:  ledger -> rekey.effect() -> act -> rekey.advance() -> ledger -> ...
//!                                           key servers over KMIP . key ring . every node's drives
//! ```

pub mod api;
pub mod cli;
pub mod cluster;
pub mod config;
pub mod crypto;
pub mod key_server;
pub mod node;
pub mod state;
