//! The hook through which somebody may look at the messages as they pass.

use std::sync::Arc;

/// Which way a message goes.
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

/// Shows a message to the trace, if there is one.
pub(super) fn show(trace: Option<&Arc<dyn Trace>>, server: &str, way: Direction, frame: &[u8]) {
    if let Some(trace) = trace {
        trace.frame(server, way, frame);
    }
}
