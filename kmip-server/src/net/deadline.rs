//! Deadlines of a connection: for one message, and for silence between messages.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use tokio::time::error::Elapsed;
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};

use crate::config::Settings;

/// The limits of one connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// The longest frame, header included.
    pub frame_len_max: usize,
    /// How long a request may take to arrive, and a response to be taken.
    pub message_deadline: Duration,
    /// How long nothing at all may come.
    pub idle_deadline: Duration,
}

impl From<&Settings> for Limits {
    fn from(settings: &Settings) -> Self {
        Self {
            frame_len_max: settings.frame_len_max,
            message_deadline: Duration::from_millis(settings.message_deadline_ms),
            idle_deadline: Duration::from_millis(settings.idle_deadline_ms),
        }
    }
}

/// How long nothing may come.
///
/// ```text
/// armed once          |--------- limit ---------> fires, and something has come since:
/// the last message    ......|--------- limit ---------> armed again, for what is left
/// ```
///
/// To arm and disarm it for every message would cost each of them more than its decoding does.
pub(crate) struct IdleTimer {
    limit: Duration,
    alarm: Pin<Box<Sleep>>,
}

impl IdleTimer {
    pub(crate) fn of_at_most(limit: Duration) -> Self {
        Self { limit, alarm: Box::pin(sleep_until(deadline_after(limit))) }
    }

    /// Completes when nothing has come from now on for so long; may be dropped and called again.
    pub(crate) async fn over(&mut self) {
        let end = deadline_after(self.limit);
        loop {
            self.alarm.as_mut().await;
            if Instant::now() >= end {
                return;
            }
            self.alarm.as_mut().reset(end);
        }
    }
}

/// How long one message may take. It begins when one first has to wait: nearly every message is
/// there whole, and no clock is asked for it.
pub(crate) struct MessageDeadline {
    limit: Duration,
    end: Option<Instant>,
}

impl MessageDeadline {
    pub(crate) const fn of(limit: Duration) -> Self {
        Self { limit, end: None }
    }

    /// What comes of this piece of the message, if it comes in time.
    pub(crate) async fn wait<F: Future>(&mut self, piece: F) -> Result<F::Output, Elapsed> {
        let mut piece = pin!(piece);
        let at_once = poll_fn(|context| Poll::Ready(piece.as_mut().poll(context)));
        match at_once.await {
            Poll::Ready(done) => Ok(done),
            Poll::Pending => {
                let end = *self.end.get_or_insert_with(|| deadline_after(self.limit));
                timeout_at(end, piece).await
            }
        }
    }
}

/// The instant `after` from now. No setting is so long that a clock ends before it.
pub(crate) fn deadline_after(after: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(after).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use tokio::time::{advance, timeout};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn silence_is_counted_from_the_last_message_and_not_from_when_it_was_armed() {
        let second = Duration::from_secs(1);
        let mut silence = IdleTimer::of_at_most(3 * second);
        for _ in 0..4 {
            // Somebody speaks after two seconds, again and again.
            assert!(timeout(2 * second, silence.over()).await.is_err());
        }
        let since = Instant::now();
        silence.over().await;
        assert_eq!(since.elapsed(), 3 * second);
        // It has fired, and counts anew.
        advance(second).await;
        let since = Instant::now();
        silence.over().await;
        assert_eq!(since.elapsed(), 3 * second);
    }
}
