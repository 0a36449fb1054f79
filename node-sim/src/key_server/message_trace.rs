//! Writes every KMIP message that passes between the cluster and its key servers to a file, as
//! text with the secrets hidden.
//!
//! ```text
//! 2026-01-01T00:00:00.000000Z sent to 127.0.0.1:5696
//! RequestMessage (Structure)
//!   ...
//! (an empty line)
//! ```

use crate::state::timestamps;
use kmip::client::{Direction, Trace};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use time::OffsetDateTime;

/// The file, to which whole messages are appended.
pub(crate) struct KmipTrace(Mutex<File>);

impl KmipTrace {
    /// Appends to this file; it is made if it is not there.
    pub(crate) fn append_to(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
        Ok(Self(Mutex::new(file)))
    }
}

impl Trace for KmipTrace {
    /// A trace that cannot be written does not hold up the message.
    fn frame(&self, server: &str, direction: Direction, frame: &[u8]) {
        let way = match direction {
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
