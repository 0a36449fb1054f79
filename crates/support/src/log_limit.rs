//! Limit on log lines: so many of each kind, and then a count of those that were left out.
//!
//! A kind is a place in the program. Every peer, with a certificate or without, can cause lines as
//! fast as the network carries requests: without a limit the log fills the disk. Lines at debug
//! and trace were asked for by the operator, and are not limited.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::callsite::Identifier;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// How often it is said what was left out.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// Lines of one kind that may come at once.
const BURST: u32 = 100;

/// Limit on log lines of each kind. A layer of a subscriber; its clones are one limit.
#[derive(Clone)]
pub struct LogLimit {
    /// Time in which one more line of a kind may be written.
    interval: Duration,
    kinds: Arc<Mutex<HashMap<Identifier, Kind>>>,
}

/// Lines of one kind: which, how many may be written now, and how many were left out.
struct Kind {
    target: &'static str,
    line: Option<u32>,
    room: u32,
    since: Instant,
    left_out: u64,
}

impl LogLimit {
    /// A limit of so many lines a minute of each kind.
    #[must_use]
    pub fn new(per_minute: u32) -> Self {
        let interval = Duration::from_secs(60).checked_div(per_minute).unwrap_or_default();
        Self { interval, kinds: Arc::default() }
    }

    /// Returns whether a line of this kind may be written now.
    fn take(&self, metadata: &'static Metadata<'static>, now: Instant) -> bool {
        let mut kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        let kind = match kinds.entry(metadata.callsite()) {
            Entry::Occupied(kind) => kind.into_mut(),
            Entry::Vacant(place) => place.insert(Kind {
                target: metadata.target(),
                line: metadata.line(),
                room: BURST,
                since: now,
                left_out: 0,
            }),
        };
        let passed = now.saturating_duration_since(kind.since).as_nanos();
        let more = passed.checked_div(self.interval.as_nanos()).unwrap_or(0);
        let more = u32::try_from(more).unwrap_or(u32::MAX);
        if more > 0 {
            kind.room = kind.room.saturating_add(more).min(BURST);
            kind.since = now;
        }
        match kind.room.checked_sub(1) {
            Some(room) => {
                kind.room = room;
                true
            }
            None => {
                kind.left_out = kind.left_out.saturating_add(1);
                false
            }
        }
    }

    /// Lines that were left out since the last call: place in the program, and how many.
    fn left_out(&self) -> Vec<(String, u64)> {
        let mut kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        let some = kinds.values_mut().filter(|kind| kind.left_out > 0);
        some.map(|kind| {
            let place = match kind.line {
                Some(line) => format!("{}:{line}", kind.target),
                None => kind.target.to_owned(),
            };
            (place, std::mem::take(&mut kind.left_out))
        })
        .collect()
    }

    /// Reports from time to time how many lines were left out; it never ends.
    pub async fn report(self) {
        loop {
            tokio::time::sleep(REPORT_INTERVAL).await;
            for (place, count) in self.left_out() {
                tracing::warn!("{count} more lines like those of {place} were left out");
            }
        }
    }
}

impl<S: Subscriber> Layer<S> for LogLimit {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        let metadata = event.metadata();
        // Of levels, the more verbose is the greater.
        *metadata.level() > Level::INFO || self.take(metadata, Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::fmt::MakeWriter;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::{BURST, LogLimit};

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Lines {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    #[test]
    fn each_kind_has_its_lines_and_what_is_left_out_is_counted() {
        let (lines, limit) = (Lines::default(), LogLimit::new(1));
        let written = tracing_subscriber::fmt::layer().with_writer(lines.clone());
        let subscriber = tracing_subscriber::registry().with(limit.clone()).with(written);
        tracing::subscriber::with_default(subscriber, || {
            for number in 0..BURST + 7 {
                tracing::warn!(number, "a stranger came");
            }
            tracing::info!("another kind");
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.matches("a stranger came").count(), usize::try_from(BURST).unwrap());
        assert_eq!(text.matches("another kind").count(), 1);
        let left_out = limit.left_out();
        assert_eq!(left_out.len(), 1);
        assert_eq!(left_out.first().unwrap().1, 7);
        assert!(limit.left_out().is_empty());
    }
}
