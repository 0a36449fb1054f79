//! Settings of a client that its connections use, and the defaults with the reason for each.

use std::sync::Arc;
use std::time::Duration;

use super::tls::Tls;
use super::trace::Trace;
use crate::version::Version;

/// Finding and reaching a server: three SYNs of TCP, which are sent after 0, 1 and 3 seconds.
pub const CONNECT_DEADLINE_DEFAULT: Duration = Duration::from_secs(5);

/// A handshake is two round trips and a few signatures; a server that takes longer is overloaded.
pub const HANDSHAKE_DEADLINE_DEFAULT: Duration = Duration::from_secs(5);

/// A server may wait for its disk, its own replicas or an HSM before it answers.
pub const REQUEST_DEADLINE_DEFAULT: Duration = Duration::from_secs(30);

/// Less than servers and firewalls commonly leave an idle connection open for.
pub const IDLE_LIMIT_DEFAULT: Duration = Duration::from_secs(30);

/// Idle connections kept for each server: what a node's drives use at once when they unlock.
pub const IDLE_CONNECTIONS_MAX_DEFAULT: usize = 4;

/// A key with all its attributes and its certificate chain is a few KiB, a Locate of ten thousand
/// objects half a MiB; what is longer is a fault or an attack.
pub const RESPONSE_LEN_MAX_DEFAULT: usize = 1024 * 1024;

/// What all servers of a client share.
pub(super) struct Settings {
    pub(super) tls: Tls,
    pub(super) connect_deadline: Duration,
    pub(super) handshake_deadline: Duration,
    pub(super) request_deadline: Duration,
    pub(super) idle_limit: Duration,
    pub(super) idle_connections_max: usize,
    pub(super) response_len_max: usize,
    pub(super) version: Option<Version>,
    pub(super) trace: Option<Arc<dyn Trace>>,
}
