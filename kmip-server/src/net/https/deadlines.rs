//! The deadlines of the binary door, under hyper.
//!
//! ```text
//!          first byte       whole head           answer          flushed
//!  Idle ------------> Head ------------> Processing ------------> Taken ------> Idle
//!  idle deadline      message deadline   body: likewise     message deadline
//! ```
//!
//! hyper has one deadline from an idle connection to a whole head. A KMIP client may be silent for
//! a quarter of an hour and may not take so long for a head, so the stream below hyper keeps time.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::net::deadline::{Limits, deadline_after};
use crate::net::end::CloseReason;

/// Where in the life of a request a connection is.
#[derive(Clone, Copy, Debug)]
enum Phase {
    /// Nothing of a request has come.
    Idle { until: Instant },
    /// Some of a head has come.
    Head { until: Instant },
    /// The request is at the desk, which has deadlines of its own.
    Processing,
    /// A response is on its way.
    Taken { until: Instant },
}

#[derive(Debug)]
struct State {
    phase: Phase,
    answers: u64,
    stopping: bool,
    /// Why the stream ended, if it was the stream that did.
    end: Option<CloseReason>,
}

/// What a connection's stream and its service share.
#[derive(Debug)]
pub(super) struct HttpDeadlines {
    limits: Limits,
    state: Mutex<State>,
}

impl HttpDeadlines {
    pub(super) fn new(limits: Limits) -> Self {
        let phase = Phase::Idle { until: deadline_after(limits.idle_deadline) };
        Self { limits, state: Mutex::new(State { phase, answers: 0, stopping: false, end: None }) }
    }

    /// A head has come whole: until when its body may take.
    pub(super) fn request(&self) -> Instant {
        let mut state = self.state();
        let until = match state.phase {
            Phase::Head { until } => until,
            // It came with the bytes of the one before.
            Phase::Idle { .. } | Phase::Processing | Phase::Taken { .. } => self.message_deadline(),
        };
        state.phase = Phase::Processing;
        until
    }

    /// A response is there to be taken; whether it is the last of its connection.
    pub(super) fn response(&self) -> bool {
        let mut state = self.state();
        state.phase = Phase::Taken { until: self.message_deadline() };
        state.answers = state.answers.saturating_add(1);
        state.stopping
    }

    /// The server stops; whether hyper can be told so. While a head is coming it cannot: it would
    /// close the connection under a request that is on its way.
    pub(super) fn stop(&self) -> bool {
        let mut state = self.state();
        state.stopping = true;
        !matches!(state.phase, Phase::Head { .. })
    }

    /// Is a request at the key server?
    pub(super) fn is_processing(&self) -> bool {
        matches!(self.state().phase, Phase::Processing)
    }

    /// How many responses were given.
    pub(super) fn answers(&self) -> u64 {
        self.state().answers
    }

    /// Why the stream ended, if it was the stream that did.
    pub(super) fn end(&self) -> Option<CloseReason> {
        self.state().end.take()
    }

    fn message_deadline(&self) -> Instant {
        deadline_after(self.limits.message_deadline)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The state is right after every statement, so a panic elsewhere spoils nothing.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn deadline(&self) -> Option<Instant> {
        match self.state().phase {
            Phase::Idle { until } | Phase::Head { until } | Phase::Taken { until } => Some(until),
            Phase::Processing => None,
        }
    }

    /// So many bytes were read.
    fn has_read(&self, count: usize) {
        let mut state = self.state();
        if count == 0 {
            state.end.get_or_insert(CloseReason::Closed);
        } else if let Phase::Idle { .. } = state.phase {
            state.phase = Phase::Head { until: self.message_deadline() };
        }
    }

    /// All that was written has left.
    fn has_flushed(&self) {
        let mut state = self.state();
        if let Phase::Taken { .. } = state.phase {
            state.phase = Phase::Idle { until: deadline_after(self.limits.idle_deadline) };
        }
    }

    /// A deadline has passed: the end of the stream, in good order or as a failure.
    fn is_late(&self) -> io::Result<()> {
        let mut state = self.state();
        let (end, result) = match state.phase {
            Phase::Idle { .. } => (CloseReason::Idle, Ok(())),
            Phase::Head { .. } => {
                let why = "its head did not come within the message deadline";
                (CloseReason::Refused(why.to_owned()), Err(io::ErrorKind::TimedOut.into()))
            }
            Phase::Taken { .. } => (CloseReason::Untaken, Err(io::ErrorKind::TimedOut.into())),
            Phase::Processing => return Ok(()),
        };
        state.end.get_or_insert(end);
        result
    }

    /// A failure of the stream; one that ends without TLS's notice has ended all the same.
    fn failed(&self, why: io::Error) -> io::Result<()> {
        if why.kind() == io::ErrorKind::UnexpectedEof {
            self.state().end.get_or_insert(CloseReason::ClosedWithoutNotice);
            return Ok(());
        }
        let kind = why.kind();
        self.state().end.get_or_insert(CloseReason::Broken(why));
        Err(kind.into())
    }
}

/// A stream that keeps the deadlines.
pub(super) struct TimedStream<S> {
    stream: S,
    pace: Arc<HttpDeadlines>,
    alarm: Pin<Box<Sleep>>,
}

impl<S> TimedStream<S> {
    pub(super) fn new(stream: S, pace: Arc<HttpDeadlines>) -> Self {
        let until = pace.deadline().unwrap_or_else(Instant::now);
        Self { stream, pace, alarm: Box::pin(sleep_until(until)) }
    }

    /// Ready when the deadline of this phase has passed; else whoever asks is woken by it.
    fn poll_late(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(until) = self.pace.deadline() else { return Poll::Pending };
        if self.alarm.deadline() != until {
            self.alarm.as_mut().reset(until);
        }
        ready!(self.alarm.as_mut().poll(context));
        Poll::Ready(self.pace.is_late())
    }

    /// What came of a write, or of the deadline while it waits.
    fn written<T>(
        &mut self,
        context: &mut Context<'_>,
        poll: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        match poll {
            Poll::Pending => {
                let late = ready!(self.poll_late(context));
                Poll::Ready(Err(late.err().unwrap_or_else(|| io::ErrorKind::TimedOut.into())))
            }
            Poll::Ready(Err(why)) => {
                let kind = why.kind();
                self.pace.state().end.get_or_insert(CloseReason::Broken(why));
                Poll::Ready(Err(kind.into()))
            }
            Poll::Ready(Ok(done)) => Poll::Ready(Ok(done)),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for TimedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Pending => self.poll_late(context),
            Poll::Ready(Err(why)) => Poll::Ready(self.pace.failed(why)),
            Poll::Ready(Ok(())) => {
                self.pace.has_read(buffer.filled().len().saturating_sub(before));
                Poll::Ready(Ok(()))
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TimedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(context, poll)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.written(context, poll)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let poll = Pin::new(&mut self.stream).poll_flush(context);
        let poll = ready!(self.written(context, poll));
        if poll.is_ok() {
            self.pace.has_flushed();
        }
        Poll::Ready(poll)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
