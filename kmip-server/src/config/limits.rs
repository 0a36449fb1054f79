//! Every limit of the door that is not a setting, with its reason.
//!
//! What an operator may want to change is in [`crate::config`]; nothing here is.

use std::time::Duration;

/// The most memory that a length named by a peer gets before any of its bytes have come.
///
/// Most requests are shorter, so that one allocation serves them.
pub(crate) const FIRST_CHUNK: usize = 4096;

/// The longest head of an HTTP request: a KMIP client sends half a dozen short lines.
pub(crate) const HTTP_HEAD_LEN_MAX: usize = 16 * 1024;

/// How long a connection that was refused is still read from, so that the answer reaches the peer.
///
/// A socket closed with unread bytes resets the connection, and the reset overtakes the answer.
pub(crate) const LINGER: Duration = Duration::from_secs(1);

/// How many bytes a refused connection may still send before it is reset all the same.
pub(crate) const LINGER_LEN_MAX: usize = 256 * 1024;

/// The first pause after the system refused to give a connection (no file descriptors, mostly).
pub(crate) const ACCEPT_PAUSE_MIN: Duration = Duration::from_millis(5);

/// The longest such pause: a server without descriptors tries again each second.
pub(crate) const ACCEPT_PAUSE_MAX: Duration = Duration::from_secs(1);

/// Connections that the kernel keeps ready while one is being accepted.
pub(crate) const BACKLOG: u32 = 1024;

/// How often the clock is looked at for the end of an open connection's certificate.
pub(crate) const EXPIRY_CHECK: Duration = Duration::from_secs(60);

/// How many connections wait at once for another to give way; beyond it they are closed.
pub(crate) const WAITING_MAX: usize = 64;

/// How long such a connection waits: what gives way is idle, and has to say goodbye.
pub(crate) const EVICTION_MAX: Duration = Duration::from_secs(2);

/// How long a connection is silent before TCP asks whether the peer is still there.
///
/// It finds clients that lost their power within minutes, and keeps firewalls' tables warm.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(60);

/// How long TCP waits between two such questions.
pub(crate) const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(10);

/// The longest name of an owner; a longer subject is named by its digest.
///
/// An owner stands in every record of the store. X.520 ends each part of a name at 64 or 128.
pub(crate) const OWNER_LEN_MAX: usize = 256;

/// File descriptors beside those of connections: the store's, the listener's, the standard ones.
pub(crate) const FILES_BESIDE: u64 = 64;

/// How long the server waits before it looks again for keys that it is to replace.
///
/// Rotate Intervals are days and years; a minute more is nothing, and an empty look costs one read.
pub(crate) const ROTATION_PAUSE: Duration = Duration::from_secs(60);

/// A certificate that ends within this is warned of at start.
///
/// NetApp Element wants new certificates to last 30 days, and warns from there on.
pub(crate) const EXPIRY_NOTICE: Duration = Duration::from_secs(30 * 24 * 60 * 60);
