//! kmip-proxy between real clients and real servers, over mutual TLS on real sockets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise, also in what tests share"
)]

mod actions;
mod byte_server;
mod client;
mod foreign;
mod http_interface;
mod program;
mod transparency;
