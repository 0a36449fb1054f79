//! Mechanisms that the programs share. No policy: what is kept, where and why is the caller's.

#[cfg(feature = "connection-limit")]
pub mod connection_limit;
pub mod durable_fs;
#[cfg(feature = "log-limit")]
pub mod log_limit;
#[cfg(feature = "quick-ack")]
pub mod quick_ack;
#[cfg(feature = "small-files")]
pub mod small_files;
#[cfg(feature = "tls-failure")]
pub mod tls_failure;
