//! A KMIP key server: what it does with a message, from the socket to the disk and back.
//!
//! ```text
//! socket -> connection -> batch -> operations/<name> -> store
//!                          |        access . lifecycle . attributes
//! socket <- connection <- batch <- response + changes -> commit
//! ```

pub mod asked;
pub mod asynchronous;
pub mod attempt;
pub mod auth;
pub mod batch;
pub mod certifying;
pub mod chains;
pub mod ciphering;
pub mod cli;
pub mod config;
pub mod connection;
pub mod constraints;
pub mod context;
pub mod crypto;
pub mod defaults;
pub mod feed;
pub mod guests;
pub mod health;
pub mod https;
pub mod key_server;
pub mod live;
pub mod logging;
pub mod named;
pub mod objects;
pub mod operations;
pub mod pairs;
pub mod pending;
pub mod places;
pub mod replacing;
pub mod rotating;
pub mod secret;
pub mod seldom;
pub mod server;
pub mod serving;
pub mod store;
pub mod streams;
pub mod talk;
pub mod tls;
pub mod using;
pub mod wrapping;
