//! The HTTPS door: JSON-RPC as Element speaks it, and beside it the simulator's own paths.
//!
//! ```text
//! listener -> tls -> door -> credentials -> envelope -> methods
//!                      |                                  |
//!                      +-> /sim/v1/...                 one table
//! ```
//!
//! Nothing here knows what a method does. rustls appears in `tls` alone.

pub mod credentials;
pub mod door;
pub mod envelope;
pub mod listener;
pub mod pages;
pub mod seats;
pub mod tls;
pub mod version;
