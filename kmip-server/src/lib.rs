//! A KMIP key server: what it does with a message, from the socket to the disk and back.
//!
//! ```text
//! socket -> connection -> batch -> operations/<name> -> store
//!                          |        access . lifecycle . attributes
//! socket <- connection <- batch <- response + changes -> commit
//! ```

pub mod auth;
pub mod cli;
pub mod config;
pub mod connection;
pub mod crypto;
pub mod dispatch;
pub mod guests;
pub mod health;
pub mod https;
pub mod keystore;
pub mod logging;
pub mod objects;
pub mod operations;
pub mod places;
pub mod secret;
pub mod seldom;
pub mod server;
pub mod store;
pub mod talk;
pub mod tls;
