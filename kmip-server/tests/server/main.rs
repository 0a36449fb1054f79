//! The door from outside: real sockets, real certificates, and peers that mean no good.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    reason = "a test that panics has failed, and that is its purpose"
)]

mod client;
#[cfg(target_os = "linux")]
mod delayed_ack;
mod encodings;
mod files;
mod hostile;
mod https;
mod log;
mod program;
mod refusals;
mod roles;
mod running;
mod secrets;
mod serving;
mod settings;
