//! Limits of the listeners and of calls to key servers, each with its reason.

use std::time::Duration;

/// Longest body of a request. The largest request that has a reason is `CreateKeyServerKmip` with
/// two chains of certificates; blocks of a drive are written by the same size.
pub(crate) const BODY_LEN_MAX: usize = 1024 * 1024;

/// Longest head of a request: the query of the GET form, which may be as long as browsers make
/// it, and the headers.
pub(crate) const HEAD_LEN_MAX: usize = 32 * 1024;

/// Connections at once. Clients of Element make a new one for each call; each costs some 50 kB.
pub(crate) const CONNECTIONS_MAX: usize = 512;

/// From the first byte to a finished TLS handshake.
pub(crate) const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(10);

/// From an accepted or idle connection to a whole head: also how long a connection may stay idle.
pub(crate) const HEAD_DEADLINE: Duration = Duration::from_secs(60);

/// A call that contacts a key server answers within this, whatever the server does: clients give
/// up after 30 s (Python SDK) or 40 s (PowerShell).
pub(crate) const KEY_SERVER_DEADLINE: Duration = Duration::from_secs(20);

/// How long calls that are under way may take after the program was asked to stop.
pub(crate) const SHUTDOWN_DEADLINE: Duration = Duration::from_secs(25);

/// How often the certificates of key servers are looked at: expiry is a matter of days, and the
/// faults that Element lists are up to 30 s old as well.
pub(crate) const CERTIFICATE_INTERVAL: Duration = Duration::from_secs(30);

/// Blocks that one request to the simulator's own API reads or writes.
pub(crate) const BLOCKS_MAX: u64 = 256;

/// Objects that Locate may find for one key: one is right, two are a fault, and a server that
/// passes over the attribute shall not send all that it has.
pub(crate) const LOCATED_MAX: usize = 16;

/// Longest Unique Identifier of a key that is taken from a key server: it is kept in the ledger.
/// Those that servers make have up to some 100 bytes.
pub(crate) const UNIQUE_IDENTIFIER_LEN_MAX: usize = 1024;
