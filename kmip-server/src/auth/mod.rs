//! Client identity, credentials, tickets and access rights.

pub(crate) mod access_control;
pub(crate) mod client;
pub(crate) mod credentials;
pub(crate) mod endpoint_role;
pub(crate) mod held_bytes;
pub(crate) mod rights;
pub(crate) mod superseded_certificates;
pub(crate) mod tickets;
