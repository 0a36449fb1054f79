//! Looks at the KMIP messages between the cluster and its key servers, and writes them to a file as
//! text with the secrets hidden.
//!
//! ```text
//! 2026-01-01T00:00:00.000000Z sent to 127.0.0.1:5696
//! RequestMessage (Structure)
//!   ...
//! (an empty line)
//! ```

use crate::state::key_ring::NodeId;
use crate::state::key_server_registry::KeyServerId;
use crate::state::timestamps;
use kmip::client::{Direction, Trace};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use time::OffsetDateTime;

/// A message between a node and a host of a key server. **Its bytes hold keys in the clear.**
#[derive(Clone, Copy)]
pub struct Passage<'a> {
    /// The node whose session it is.
    pub node_id: NodeId,
    /// The key server.
    pub key_server_id: KeyServerId,
    /// The host, as `host:port`.
    pub server: &'a str,
    /// Its direction.
    pub direction: Direction,
    /// The whole message.
    pub frame: &'a [u8],
}

/// Looks at every message as it passes, and keeps no byte of a key.
pub trait MessageSink: Send + Sync {
    /// A message passes. It should return at once: the request waits for it.
    fn message(&self, passage: &Passage<'_>);
}

/// Trace of one node's client of a key server.
pub(super) struct SessionTrace {
    pub(super) node_id: NodeId,
    pub(super) key_server_id: KeyServerId,
    pub(super) sinks: Arc<[Arc<dyn MessageSink>]>,
}

impl Trace for SessionTrace {
    fn frame(&self, server: &str, direction: Direction, frame: &[u8]) {
        let Self { node_id, key_server_id, .. } = *self;
        let passage = Passage { node_id, key_server_id, server, direction, frame };
        self.sinks.iter().for_each(|sink| sink.message(&passage));
    }
}

/// The file, to which whole messages are appended.
pub(crate) struct KmipTrace(Mutex<File>);

impl KmipTrace {
    /// Appends to this file; it is made if it is not there.
    pub(crate) fn append_to(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
        Ok(Self(Mutex::new(file)))
    }
}

impl MessageSink for KmipTrace {
    /// A trace that cannot be written does not hold up the message.
    fn message(&self, passage: &Passage<'_>) {
        let Passage { server, frame, .. } = *passage;
        let way = match passage.direction {
            Direction::Sent => "sent to",
            Direction::Received => "received from",
        };
        let now = timestamps::format_microseconds(OffsetDateTime::now_utc());
        let text = format!("{now} {way} {server}\n{}\n", kmip::redacted_text(frame));
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = file.write_all(text.as_bytes()) {
            tracing::debug!(%error, "a KMIP message could not be written to the trace");
        }
    }
}
