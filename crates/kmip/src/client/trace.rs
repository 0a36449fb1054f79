//! Trace of the messages of a client.

use std::sync::Arc;

/// Direction of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From us to the server.
    Sent,
    /// From the server to us.
    Received,
}

/// Looks at every message of a client as it passes.
///
/// **The bytes hold keys in the clear.** Nothing looks at them unless a client is built with a
/// trace, and who writes one shows them as text with the secrets left out, or not at all.
pub trait Trace: Send + Sync {
    /// A whole message to or from `server` (`host:port`). It should return at once: the request
    /// waits for it.
    fn frame(&self, server: &str, direction: Direction, frame: &[u8]);
}

impl<F: Fn(&str, Direction, &[u8]) + Send + Sync> Trace for F {
    fn frame(&self, server: &str, direction: Direction, frame: &[u8]) {
        self(server, direction, frame);
    }
}

/// Passes a message to the trace, if there is one.
pub(super) fn trace_frame(
    trace: Option<&Arc<dyn Trace>>,
    server: &str,
    direction: Direction,
    frame: &[u8],
) {
    if let Some(trace) = trace {
        trace.frame(server, direction, frame);
    }
}
