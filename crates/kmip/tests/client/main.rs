//! The client against a server that does what a test tells it, over real sockets and real TLS.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at the first surprise"
)]

mod answers;
mod failover;
mod lab;
mod listener;
mod settings;
mod tls;
mod versions;
