//! The HTTPS door: JSON-RPC as Element speaks it, and beside it the simulator's own paths.
//!
//! ```text
//! listener -> tls -> door -> credentials -> envelope -> methods
//!                      |                                  |
//!                      +-> /sim/v1/...                 one table
//! ```
//!
//! Nothing here knows what a method does. rustls appears in `tls` alone.

pub mod api_state;
pub mod api_version;
pub mod http;
pub mod json_rpc;
pub mod methods;
pub mod router;
pub mod simulator;
