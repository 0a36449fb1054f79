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
pub mod crypto;
pub mod dispatch;
pub mod keystore;
pub mod net;
pub mod objects;
pub mod operations;
pub mod secret;
pub mod store;

#[cfg(test)]
mod tests;
