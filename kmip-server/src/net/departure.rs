//! Whether a peer is still there while its request is worked on.
//!
//! A peer that has closed its half of the connection may wait for its answer, and most requests are
//! answered in no time. One that is gone looks the same, and its batch shall not go on for minutes:
//! what is not answered within [`GRACE`] is given up, before its next item or at its next turn.

use std::future::{pending, poll_fn};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncWrite, BufReader, ReadBuf};
use tokio::sync::watch;
use tokio::time::{Sleep, sleep};

/// How long a request is worked on after its client has closed the connection.
pub(crate) const GRACE: Duration = Duration::from_secs(1);

/// A stream of which one byte can be looked at before it is read.
pub(crate) type Peeked<S> = BufReader<S>;

/// A stream of which one byte can be looked at. Reads go to the stream itself.
pub(crate) fn peeked<S: AsyncRead>(stream: S) -> Peeked<S> {
    BufReader::with_capacity(1, stream)
}

/// What `answer` comes to; `departure` is told if the peer leaves meanwhile.
pub(crate) async fn watch<S: AsyncRead + Unpin, T>(
    stream: &mut Peeked<S>,
    departure: &watch::Sender<bool>,
    mut answer: Pin<&mut (impl Future<Output = T> + ?Sized)>,
) -> T {
    // Nearly every answer is there at once, or after one commit.
    let at_once = poll_fn(|context| Poll::Ready(answer.as_mut().poll(context))).await;
    if let Poll::Ready(done) = at_once {
        return done;
    }
    tokio::select! {
        biased;
        done = answer.as_mut() => return done,
        // Boxed, so that a connection does not keep room for it.
        () = Box::pin(departed(stream)) => {}
    }
    departure.send_replace(true);
    answer.await
}

/// Completes when the peer has closed the connection and the grace is over; never, if more comes.
async fn departed<S: AsyncRead + Unpin>(stream: &mut Peeked<S>) {
    match stream.fill_buf().await {
        Ok([]) | Err(_) => sleep(GRACE).await,
        Ok(_) => pending().await,
    }
}

/// A stream that is read by one and looked at by another, within one task.
pub(crate) struct SharedStream<S>(Arc<Mutex<Peeked<S>>>);

impl<S> Clone for SharedStream<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: AsyncRead> SharedStream<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self(Arc::new(Mutex::new(peeked(stream))))
    }

    fn lock(&self) -> MutexGuard<'_, Peeked<S>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for SharedStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.lock()).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for SharedStream<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.lock()).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.lock()).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.lock().is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.lock()).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.lock()).poll_shutdown(context)
    }
}

/// Looks at a stream while a request is worked on, where a library owns it.
pub(crate) struct Watcher<S> {
    stream: SharedStream<S>,
    departure: watch::Sender<bool>,
    seen: Seen,
}

/// What was seen of the peer since the request came.
enum Seen {
    Nothing,
    /// Its next request.
    More,
    /// The end, and until when its answer is worked on.
    End(Pin<Box<Sleep>>),
    Told,
}

impl<S: AsyncRead + Unpin> Watcher<S> {
    pub(crate) fn new(stream: SharedStream<S>, departure: watch::Sender<bool>) -> Self {
        Self { stream, departure, seen: Seen::Nothing }
    }

    /// Looks, if a request is worked on; the task is woken when there is more to see.
    pub(crate) fn poll(&mut self, is_working: bool, context: &mut Context<'_>) {
        if !is_working {
            self.seen = Seen::Nothing;
            return;
        }
        loop {
            match &mut self.seen {
                Seen::More | Seen::Told => return,
                Seen::Nothing => match self.look(context) {
                    Poll::Pending => return,
                    Poll::Ready(true) => self.seen = Seen::More,
                    Poll::Ready(false) => self.seen = Seen::End(Box::pin(sleep(GRACE))),
                },
                Seen::End(grace) => match grace.as_mut().poll(context) {
                    Poll::Pending => return,
                    Poll::Ready(()) => {
                        self.departure.send_replace(true);
                        self.seen = Seen::Told;
                    }
                },
            }
        }
    }

    /// Is there more to read?
    fn look(&self, context: &mut Context<'_>) -> Poll<bool> {
        let mut stream = self.stream.lock();
        let found: Poll<io::Result<&[u8]>> = Pin::new(&mut *stream).poll_fill_buf(context);
        found.map(|found| found.is_ok_and(|bytes| !bytes.is_empty()))
    }
}
