//! A simulated storage cluster that encrypts at rest, and its master key's way from internal to
//! external.
//!
//! ```text
//! HTTPS -> rpc -> cluster -> ledger -> asyncHandle
//!                              |
//!               rekey worker:  ledger -> rekey.effect() -> act -> rekey.advance() -> ledger -> ...
//!                                           key servers over KMIP . key ring . every node's drives
//! ```

mod api;
pub mod cli;
mod cluster;
mod config;
mod crypto;
mod key_server;
mod node;
mod state;
pub mod testing;
