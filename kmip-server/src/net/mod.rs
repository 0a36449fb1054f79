//! Listener, TLS, framing, deadlines, HTTPS and server-initiated requests.

pub(crate) mod connection;
pub(crate) mod deadline;
pub(crate) mod departure;
pub(crate) mod end;
pub(crate) mod exchange;
pub(crate) mod https;
pub(crate) mod listener;
pub(crate) mod open_sessions;

pub(crate) mod tls;
