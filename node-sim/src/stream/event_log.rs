//! The events that are kept, and who waits for the next.
//!
//! Numbers go up by one and begin anew with the program, so an event's id has the program's run in
//! it. A reader that was away continues after the last id that it has, as long as the events after
//! it are kept; otherwise it begins with the whole state.

use crate::state::timestamps;
use serde_json::{Map, Value};
use std::collections::VecDeque;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use time::OffsetDateTime;
use tokio::sync::watch;
use uuid::Uuid;

/// Events that are kept: those of some minutes of a busy lab.
const EVENTS_MAX: usize = 10_000;

/// Bytes of the events that are kept.
const BYTES_MAX: usize = 16 << 20;

/// Events that are given out at once.
const BATCH_MAX: usize = 256;

/// Kind of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventKind {
    /// Members of the state that changed.
    Change,
    /// A call of an API.
    Call,
    /// A KMIP message.
    Message,
    /// An entry of `ListEvents`.
    ClusterEvent,
    /// A cluster fault that was raised, changed or resolved.
    ClusterFault,
    /// What a lab tool has to say.
    Note,
}

impl EventKind {
    const fn text(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Call => "call",
            Self::Message => "message",
            Self::ClusterEvent => "cluster-event",
            Self::ClusterFault => "cluster-fault",
            Self::Note => "note",
        }
    }
}

/// Id of an event, as a reader sends it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EventId {
    run: String,
    number: u64,
}

impl FromStr for EventId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (run, number) = text.rsplit_once('-').ok_or(())?;
        Ok(Self { run: run.to_owned(), number: number.parse().map_err(drop)? })
    }
}

/// The events of this run of the program.
pub(crate) struct EventLog {
    run: String,
    kept: Mutex<Kept>,
    last: watch::Sender<u64>,
    closed: watch::Sender<bool>,
}

#[derive(Default)]
struct Kept {
    events: VecDeque<Arc<str>>,
    bytes: usize,
    /// Number of the newest event.
    last: u64,
    /// The whole state, and the number of the event that brought it up to date.
    state: Map<String, Value>,
    state_number: u64,
}

/// What comes after an event.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// These events, as they are sent, and the number of the last.
    Events(Vec<Arc<str>>, u64),
    /// Nothing yet.
    Nothing,
    /// The events after it are not kept any more.
    Gone,
}

impl EventLog {
    /// A log without events.
    pub(crate) fn new() -> Self {
        Self {
            run: Uuid::new_v4().simple().to_string().chars().take(8).collect(),
            kept: Mutex::default(),
            last: watch::Sender::new(0),
            closed: watch::Sender::new(false),
        }
    }

    /// Adds an event of now, and returns its number.
    pub(crate) fn publish(&self, kind: EventKind, data: Map<String, Value>) -> u64 {
        let mut kept = self.kept();
        self.push(&mut kept, kind, data)
    }

    /// Replaces the state, and adds the event that says what changed.
    pub(crate) fn publish_state(&self, change: Map<String, Value>, state: Map<String, Value>) {
        let mut kept = self.kept();
        kept.state_number = self.push(&mut kept, EventKind::Change, change);
        kept.state = state;
    }

    /// Sets the state that the first events change.
    pub(crate) fn begin_with(&self, state: Map<String, Value>) {
        self.kept().state = state;
    }

    fn push(&self, kept: &mut Kept, kind: EventKind, mut data: Map<String, Value>) -> u64 {
        data.entry("time").or_insert_with(now);
        kept.last = kept.last.saturating_add(1);
        let text = self.text(kept.last, kind.text(), data);
        kept.bytes = kept.bytes.saturating_add(text.len());
        kept.events.push_back(text);
        while kept.events.len() > EVENTS_MAX || kept.bytes > BYTES_MAX {
            let Some(oldest) = kept.events.pop_front() else { break };
            kept.bytes = kept.bytes.saturating_sub(oldest.len());
        }
        self.last.send_replace(kept.last);
        kept.last
    }

    /// The whole state as an event, and the number after which the stream continues.
    pub(crate) fn state(&self) -> (Arc<str>, u64) {
        let kept = self.kept();
        let (mut state, number) = (kept.state.clone(), kept.state_number);
        drop(kept);
        state.insert("time".to_owned(), now());
        (self.text(number, "state", state), number)
    }

    /// The number after which a reader that has the event of this id continues; none if it belongs
    /// to another run, or was never sent.
    pub(crate) fn position(&self, id: &EventId) -> Option<u64> {
        (id.run == self.run && id.number <= self.kept().last).then_some(id.number)
    }

    /// What comes after the event of this number.
    pub(crate) fn after(&self, number: u64) -> Next {
        let kept = self.kept();
        let missed = kept.last.saturating_sub(number);
        let Ok(missed) = usize::try_from(missed) else { return Next::Gone };
        if missed == 0 {
            return Next::Nothing;
        }
        let Some(first) = kept.events.len().checked_sub(missed) else { return Next::Gone };
        let events: Vec<_> = kept.events.iter().skip(first).take(BATCH_MAX).cloned().collect();
        let sent = u64::try_from(events.len()).unwrap_or(u64::MAX);
        Next::Events(events, number.saturating_add(sent))
    }

    /// Id of the newest event.
    pub(crate) fn last_id(&self) -> String {
        format!("{}-{}", self.run, self.kept().last)
    }

    /// Wakes its holder with every event.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.last.subscribe()
    }

    /// Ends all readers: the program stops.
    pub(crate) fn close(&self) {
        self.closed.send_replace(true);
    }

    /// Turns true when the program stops.
    pub(crate) fn closed(&self) -> watch::Receiver<bool> {
        self.closed.subscribe()
    }

    /// An event as it is sent (HTML, 9.2.6). JSON has no line breaks outside of its strings.
    fn text(&self, number: u64, kind: &str, data: Map<String, Value>) -> Arc<str> {
        let data = Value::Object(data);
        format!("id: {}-{number}\nevent: {kind}\ndata: {data}\n\n", self.run).into()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn now() -> Value {
    timestamps::format_microseconds(OffsetDateTime::now_utc()).into()
}

#[cfg(test)]
mod tests {
    use super::{EVENTS_MAX, EventId, EventKind, EventLog, Next};
    use serde_json::{Map, json};

    fn data(number: usize) -> Map<String, serde_json::Value> {
        Map::from_iter([("n".to_owned(), json!(number))])
    }

    #[test]
    fn reader_continues_after_its_last_event_or_begins_with_the_state() {
        let log = EventLog::new();
        assert_eq!(log.after(0), Next::Nothing);
        for number in 1..=3 {
            log.publish(EventKind::Note, data(number));
        }
        let Next::Events(events, last) = log.after(1) else { panic!() };
        assert_eq!((events.len(), last), (2, 3));
        let text = &events[0];
        assert!(text.contains("event: note\ndata: {\"n\":2,\"time\":\"") && text.ends_with("\n\n"));
        let id: EventId = text.lines().next().unwrap()["id: ".len()..].parse().unwrap();
        assert_eq!(log.position(&id), Some(2));
        assert_eq!(EventLog::new().position(&id), None, "another run");
        let later = EventId { number: 9, ..id.clone() };
        assert_eq!(log.position(&later), None, "never sent");
        for number in 0..EVENTS_MAX {
            log.publish(EventKind::Note, data(number));
        }
        assert_eq!(log.after(2), Next::Gone);
        assert!(matches!(log.after(3), Next::Events(..)));
    }

    #[test]
    fn state_has_the_number_of_the_change_that_it_includes() {
        let log = EventLog::new();
        log.publish(EventKind::Note, data(1));
        log.publish_state(data(2), data(7));
        log.publish(EventKind::Note, data(3));
        let (text, number) = log.state();
        assert!(number == 2 && text.contains("-2\nevent: state\ndata: {\"n\":7,"), "{text}");
    }

    #[test]
    fn bytes_that_are_kept_are_bounded() {
        let log = EventLog::new();
        let large = Map::from_iter([("text".to_owned(), json!("x".repeat(1 << 20)))]);
        for _ in 0..40 {
            log.publish(EventKind::Note, large.clone());
        }
        assert_eq!(log.after(20), Next::Gone);
        assert!(log.kept().bytes <= super::BYTES_MAX);
    }
}
