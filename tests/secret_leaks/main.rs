//! No secret is where it should not be: known secrets go through every path of the real programs,
//! which log all that they can, and then all that they wrote and said is searched for them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test stops at the first surprise, also in what tests share"
)]

mod cluster;
mod hostile;
mod key_server;
mod requests;
mod search;
