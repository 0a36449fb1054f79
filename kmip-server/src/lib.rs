//! A KMIP key server: what it does with a message, from the socket to the disk and back.
//!
//! ```text
//! socket -> connection -> batch -> operations/<name> -> store
//!                          |        access . lifecycle . attributes
//! socket <- connection <- batch <- response + changes -> commit
//! ```

pub mod cli;
pub mod config;
pub mod connection;
pub mod health;
pub mod identity;
pub mod key_server;
pub mod limits;
pub mod logging;
pub mod places;
pub mod server;
pub mod store;
pub mod tls;
