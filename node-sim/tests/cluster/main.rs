//! The cluster on real folders, from outside: a key vault in memory stands for the key servers.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test that cannot go on stops, also in what tests share"
)]

mod crash;
mod keys_at_rest;
mod lab;
mod outage;
mod power;
mod rekey;
