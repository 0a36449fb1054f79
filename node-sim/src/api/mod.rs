//! The HTTPS door: JSON-RPC as Element speaks it, and beside it the simulator's own paths.
//!
//! ```text
//! listener -> tls -> door -> credentials -> envelope -> methods
//!                      |                                  |
//!                      +-> /sim/v1/...                 one table
//! ```
//!
//! Nothing here knows what a method does. rustls appears in `tls` alone.

pub(crate) mod api_state;
pub(crate) mod api_version;
pub(crate) mod http;
pub(crate) mod json_rpc;
pub(crate) mod methods;
pub(crate) mod router;
pub(crate) mod simulator;
