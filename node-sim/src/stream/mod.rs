//! What the running program shows as it happens: one numbered stream of events.
//!
//! ```text
//! cluster, at every change ---> state_changes --+
//! calls of the API -----------> calls ----------+--> event_log ---> GET /sim/v1/events
//! KMIP messages --------------> messages -------+
//! notes of lab tools ---------------------------+
//! ```
//!
//! It is kept in memory only, and nothing in it is secret. `docs/simulator-api.md` describes it.

pub(crate) mod calls;
pub(crate) mod event_log;
pub(crate) mod messages;
pub(crate) mod overview;
mod rewrap_pace;
pub(crate) mod state_changes;

use calls::CallLog;
use event_log::EventLog;
use messages::MessageLog;
use rewrap_pace::RewrapPace;
use serde_json::{Map, Value};
use std::sync::{Arc, Mutex, OnceLock};
use tokio::sync::Semaphore;

/// Readers of the events at once: a quarter of the connections.
pub(crate) const READERS_MAX: usize = 128;

/// The stream, and what is kept to answer questions about its events.
pub(crate) struct Stream {
    /// The events.
    pub(crate) log: Arc<EventLog>,
    /// Permits of the readers.
    pub(crate) readers: Arc<Semaphore>,
    /// The KMIP messages.
    pub(crate) messages: Arc<MessageLog>,
    /// The calls of the APIs.
    pub(crate) calls: CallLog,
    /// Pace of the rekey that is running.
    pub(crate) pace: Mutex<RewrapPace>,
    /// Members of the state that stay as they are while the program runs.
    pub(crate) facts: OnceLock<Map<String, Value>>,
}

impl Stream {
    /// A stream without events.
    pub(crate) fn new() -> Arc<Self> {
        let log = Arc::new(EventLog::new());
        let messages = Arc::new(MessageLog::new(Arc::clone(&log)));
        let (calls, pace) = (CallLog::new(Arc::clone(&log)), Mutex::default());
        let readers = Arc::new(Semaphore::new(READERS_MAX));
        Arc::new(Self { log, readers, messages, calls, pace, facts: OnceLock::new() })
    }
}
