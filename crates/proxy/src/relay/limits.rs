//! Limits of a proxy.

use std::time::Duration;

/// Limits of one proxy.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) request_len_max: usize,
    pub(crate) response_len_max: usize,
    pub(crate) connections_max: usize,
    /// How long no message may pass; `None` for no limit.
    pub(crate) idle_deadline: Option<Duration>,
    pub(crate) handshake_deadline: Duration,
    pub(crate) connect_deadline: Duration,
}
