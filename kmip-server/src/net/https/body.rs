//! Bodies: read within a length and a deadline, and wiped when they are done with.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::auth::client::Client;
use crate::auth::held_bytes::{HeldBuffer, TOO_MUCH_HELD};
use crate::secret::SecretBuffer;
use hyper::StatusCode;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use tokio::time::{Instant, timeout_at};

use super::rejection::Rejection;
use crate::config::limits::FIRST_CHUNK;

/// The body of a response: one piece, whose length is known, so that hyper sends Content-Length.
pub(super) struct Reply(Option<Bytes>);

impl Reply {
    /// These bytes, wiped and no longer held once they are sent.
    pub(super) fn new(bytes: HeldBuffer) -> Self {
        Self(Some(Bytes::from_owner(bytes)))
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let len = self.0.as_ref().map_or(0, Bytes::len);
        SizeHint::with_exact(u64::try_from(len).unwrap_or(u64::MAX))
    }
}

/// The whole body of a request, of at most `max` bytes.
///
/// The buffer grows as bytes come, and what is outgrown is wiped.
pub(super) async fn read(
    mut body: Incoming,
    max: usize,
    deadline: Instant,
    client: &Client,
) -> Result<HeldBuffer, Rejection> {
    let told = body.size_hint().lower();
    if usize::try_from(told).map_or(true, |told| told > max) {
        return Err(too_long(max));
    }
    let mut whole = SecretBuffer::new(Vec::new());
    let mut held = client.held.as_ref().and_then(|held| held.hold(0));
    loop {
        let next = poll_fn(|context| Pin::new(&mut body).poll_frame(context));
        let frame = match timeout_at(deadline, next).await {
            Err(_) => {
                let why = format!("only {} bytes of the body came in time", whole.len());
                return Err(Rejection::new(StatusCode::REQUEST_TIMEOUT, why));
            }
            Ok(None) => return Ok(HeldBuffer::new(whole, held)),
            Ok(Some(Err(why))) => {
                let why = format!("the body broke off: {why}");
                return Err(Rejection::new(StatusCode::BAD_REQUEST, why));
            }
            Ok(Some(Ok(frame))) => frame,
        };
        // The other kind of frame are trailers, which say nothing of a message.
        let Ok(piece) = frame.into_data() else { continue };
        let len = whole.len().saturating_add(piece.len());
        if len > max {
            return Err(too_long(max));
        }
        if len > whole.capacity() {
            let capacity = whole.capacity().saturating_mul(2).max(len).max(FIRST_CHUNK).min(max);
            if held.as_mut().is_some_and(|held| !held.grow_to(capacity)) {
                let why = TOO_MUCH_HELD.to_owned();
                return Err(Rejection::new(StatusCode::SERVICE_UNAVAILABLE, why));
            }
            let mut larger = SecretBuffer::new(Vec::with_capacity(capacity));
            larger.extend_from_slice(&whole);
            whole = larger;
        }
        whole.extend_from_slice(&piece);
    }
}

fn too_long(max: usize) -> Rejection {
    let why = format!("a body of this type has at most {max} bytes");
    Rejection::new(StatusCode::PAYLOAD_TOO_LARGE, why)
}
