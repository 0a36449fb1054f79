//! The client against a scripted server, over real sockets and real TLS.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at the first surprise"
)]

mod failover;
mod fixture;
mod responses;
mod scripted_server;
mod settings;
mod tls;
mod versions;
