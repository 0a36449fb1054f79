//! Client identity, credentials, tickets and access rights.

pub mod access_control;
pub mod client;
pub mod credentials;
pub mod endpoint_role;
pub mod rights;
pub mod superseded_certificates;
pub mod tickets;
