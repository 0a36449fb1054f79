//! Listener, TLS, framing, deadlines, HTTPS and server-initiated requests.

pub mod connection;
pub mod connection_limit;
pub mod deadline;
pub mod end;
pub mod https;
pub mod listener;
pub mod log_throttle;
pub mod open_sessions;
pub mod server_requests;
pub mod tls;
