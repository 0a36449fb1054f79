//! Secret leaks: known secrets go through every path of the real programs at the most verbose log
//! level, and then all files and all output are searched for them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test stops at the first surprise, also in what tests share"
)]

mod cluster;
mod key_server;
mod malformed_messages;
mod requests;
mod search;
