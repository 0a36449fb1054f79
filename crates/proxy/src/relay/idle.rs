//! Time for which no message has passed on a connection.

use std::future::pending;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Time since the last message of a connection, with the limits on it.
pub(super) struct IdleTimer {
    state: Mutex<State>,
}

struct State {
    last: Instant,
    /// Requests that a rule holds back.
    held: usize,
    limit: Option<Duration>,
    /// Limit that a rule has set.
    of_rule: Option<Duration>,
}

/// Mark of a request that is held back; the connection is not idle until it is dropped.
pub(super) struct Held<'a>(&'a IdleTimer);

impl IdleTimer {
    /// Begins with a connection; `None` for no limit.
    pub(super) fn new(limit: Option<Duration>) -> Self {
        let (last, held, of_rule) = (Instant::now(), 0, None);
        Self { state: Mutex::new(State { last, held, limit, of_rule }) }
    }

    /// Notes that a message passes.
    pub(super) fn note_message(&self) {
        self.state().last = Instant::now();
    }

    /// Notes the limit that a rule has set.
    pub(super) fn limit_by_rule(&self, limit: Duration) {
        self.state().of_rule = Some(limit);
    }

    /// Notes that a request is held back.
    pub(super) fn hold(&self) -> Held<'_> {
        let mut state = self.state();
        state.held = state.held.saturating_add(1);
        Held(self)
    }

    /// Waits until the connection has been idle for too long; returns why it is closed.
    pub(super) async fn over(&self) -> &'static str {
        loop {
            let (end, why) = self.state().end();
            match end {
                Some(end) if end <= Instant::now() => return why,
                Some(end) => sleep_until(end).await,
                None => pending().await,
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// When the connection is to be closed if no message passes, and why.
    fn end(&self) -> (Option<Instant>, &'static str) {
        let (limit, why) = match (self.of_rule, self.limit) {
            (Some(of_rule), limit) if limit.is_none_or(|limit| of_rule <= limit) => {
                (Some(of_rule), "a rule has closed an idle connection")
            }
            (_, limit) => (limit, "it was idle for longer than the idle deadline"),
        };
        // While a request is held back, the time begins anew.
        let from = if self.held > 0 { Instant::now() } else { self.last };
        (limit.and_then(|limit| from.checked_add(limit)), why)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.held = state.held.saturating_sub(1);
        state.last = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{Instant, advance, timeout};

    use super::IdleTimer;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn shorter_limit_ends_an_idle_connection() {
        let timer = IdleTimer::new(Some(SECOND * 10));
        let begun = Instant::now();
        assert!(timer.over().await.contains("idle deadline"));
        assert_eq!(begun.elapsed(), SECOND * 10);
        timer.note_message();
        timer.limit_by_rule(SECOND * 3);
        assert!(timer.over().await.contains("a rule"));
        assert_eq!(begun.elapsed(), SECOND * 13);
        let timer = IdleTimer::new(None);
        assert!(timeout(SECOND * 100_000, timer.over()).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn message_or_held_request_begins_the_time_anew() {
        let timer = IdleTimer::new(Some(SECOND * 10));
        advance(SECOND * 9).await;
        timer.note_message();
        assert!(timeout(SECOND * 9, timer.over()).await.is_err());
        let held = timer.hold();
        assert!(timeout(SECOND * 100, timer.over()).await.is_err());
        drop(held);
        assert!(timeout(SECOND * 9, timer.over()).await.is_err());
        assert!(timeout(SECOND * 2, timer.over()).await.is_ok());
    }
}
