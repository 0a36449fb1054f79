//! Client identity, credentials, tickets, access rights, and places in what is limited a client.

pub(crate) mod access_control;
pub(crate) mod client;
pub(crate) mod credentials;
pub(crate) mod endpoint_role;
pub(crate) mod held_bytes;
pub(crate) mod reservations;
pub(crate) mod rights;
pub(crate) mod superseded_certificates;
pub(crate) mod tickets;
