//! The APIs over HTTPS: Element's JSON-RPC, and the simulator's own paths.
//!
//! ```text
//! http::listener -> http::tls -> router -> http::basic_auth -> json_rpc -> methods
//!                                                       |
//!                                                       +----> simulator (/sim/v1/...)
//!                                                       `----> lab_requests (/lab/v1/...)
//!                     router -> page (/ui/, without credentials)
//! ```
//!
//! `http` knows no method; `methods` know no socket, header or body. rustls is in `http::tls` only.

pub(crate) mod api_state;
pub(crate) mod api_version;
pub(crate) mod http;
pub(crate) mod json_rpc;
pub(crate) mod lab_controller;
pub(crate) mod lab_requests;
pub(crate) mod methods;
pub(crate) mod page;
pub(crate) mod router;
pub(crate) mod simulator;
