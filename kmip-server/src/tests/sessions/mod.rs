//! What lasts longer than a message: requests that are answered later, tickets, PKCS#11 sessions.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test that panics has failed, and that is its purpose"
)]

mod asynchronous;
mod blocking_store;
mod credentials;
pub(crate) mod guarded_reads;
mod guards;
mod isolation;
mod roles;
mod slow_work;
mod tickets;
