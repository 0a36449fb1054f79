//! The same messages over TTLV, XML and JSON, over the TTLV port and over HTTPS: the same answers,
//! effects and limits. A batch whose answer cannot be written has no effect.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test stops at the first surprise, also in what tests share"
)]

mod channel;
mod comparison;
mod coverage;
mod foreign_reader;
mod limits;
mod no_effect;
mod requests;
mod same_answers;
mod scenarios;
mod script;
mod server;
mod session;
mod settings;
mod values;
