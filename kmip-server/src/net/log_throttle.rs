//! Lines of the log that strangers can cause: so many in a while, and then a count.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many such lines are written within [`WINDOW`].
pub(crate) const LINES_MAX: u32 = 60;

/// How long a count lasts. Whoever reads the log sees each minute that it goes on.
pub(crate) const WINDOW: Duration = Duration::from_secs(60);

/// Counts lines of one kind.
#[derive(Default)]
pub(crate) struct LogThrottle {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    since: Option<Instant>,
    written: u32,
    left_out: u64,
}

impl LogThrottle {
    /// May a line be written now? If so, how many were left out before it.
    pub(crate) fn allow(&self, now: Instant) -> Option<u64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.since.is_none_or(|since| now.saturating_duration_since(since) >= WINDOW) {
            state.since = Some(now);
            state.written = 0;
        }
        if state.written >= LINES_MAX {
            state.left_out = state.left_out.saturating_add(1);
            return None;
        }
        state.written = state.written.saturating_add(1);
        Some(std::mem::take(&mut state.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::{LINES_MAX, LogThrottle, WINDOW};
    use std::time::Instant;

    #[test]
    fn what_is_left_out_is_counted() {
        let (seldom, now) = (LogThrottle::default(), Instant::now());
        for _ in 0..LINES_MAX {
            assert_eq!(seldom.allow(now), Some(0));
        }
        for _ in 0..7 {
            assert_eq!(seldom.allow(now), None);
        }
        let later = now.checked_add(WINDOW).unwrap();
        assert_eq!(seldom.allow(later), Some(7));
        assert_eq!(seldom.allow(later), Some(0));
    }
}
