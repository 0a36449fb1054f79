//! Bytes to frames, and frames to bytes: one peer, one request after the other.
//!
//! ```text
//!  42 00 78 | 01   | 00 00 00 58 | ...
//!  tag      | type | length      | length bytes, a multiple of 8
//!  `---- looked at before any of ----'
//! ```
//!
//! Knows no TLS, and of KMIP the first eight bytes alone.

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::error::Elapsed;
use ttlv::{HEADER_LEN, Header};

use crate::auth::client::Client;
use crate::auth::held_bytes::{ClientBytes, HeldBuffer, TOO_MUCH_HELD};
use crate::config::limits::FIRST_CHUNK;
use crate::dispatch::key_server::KeyServer;
use crate::net::deadline::{IdleTimer, Limits, MessageDeadline};
use crate::net::departure::{self, Peeked, peeked};
use crate::net::end::{CloseReason, leave};
use crate::net::exchange::Exchange;
use crate::net::open_sessions::SessionGuard;
use crate::secret::SecretBuffer;

/// The type Structure (1.4, 9.1.1.2).
const STRUCTURE: u8 = 0x01;

/// Stream that acknowledges what it has received as soon as its reader waits for more.
pub(crate) trait QuickAck: AsyncRead + AsyncWrite + Unpin {
    /// Leaves the acknowledgement of what was read to the next write.
    fn acknowledge_with_answer(&mut self);
}

/// Serves one client until its connection ends; returns the number of answers given and the end.
pub(crate) async fn serve<S>(
    stream: S,
    limits: Limits,
    key_server: &KeyServer,
    client: Client,
    session: &SessionGuard,
) -> (u64, CloseReason)
where
    S: QuickAck,
{
    let idle_timer = IdleTimer::of_at_most(limits.idle_deadline);
    let stop = Box::pin(stopped(session.leaving()));
    let (departure, client) = client.on_connection();
    let held = client.held.clone();
    let mut connection = Connection { stream: peeked(stream), limits, stop, idle_timer, held };
    let mut exchange = Exchange::new(key_server, client, limits.message_deadline);
    // It waits as long as the connection lasts, as `stop` does.
    let mut evicted = Box::pin(session.evicted());
    let mut answers: u64 = 0;
    loop {
        let turn = tokio::select! {
            biased;
            turn = connection.turn(&mut exchange) => turn,
            // Of a request of which a part has come, nothing is done.
            () = evicted.as_mut() => Err(CloseReason::Stopping),
        };
        let done = match turn {
            Ok(turn) => advance(&mut connection, &mut exchange, turn, &departure, session).await,
            Err(end) => Err(end),
        };
        let end = match done {
            Ok(answered) => {
                answers = answers.saturating_add(answered.into());
                continue;
            }
            Err(end) => end,
        };
        if let CloseReason::Refused(why) = &end {
            let response = exchange.refuse(why);
            // The peer is told if it listens; the log is told in any case.
            answers = answers.saturating_add(connection.send(&response).await.is_ok().into());
        }
        Box::pin(leave(&mut connection.stream, &end)).await;
        return (answers, end);
    }
}

/// What a frame brings, or what the server has to say; true when a request was answered.
async fn advance<S>(
    connection: &mut Connection<S>,
    exchange: &mut Exchange<'_>,
    turn: Turn,
    departure: &watch::Sender<bool>,
    session: &SessionGuard,
) -> Result<bool, CloseReason>
where
    S: QuickAck,
{
    match turn {
        Turn::Ours => {
            // Boxed, so that a connection does not keep room for what is seldom done.
            if let Some(request) = Box::pin(exchange.say()).await? {
                connection.send(&request).await?;
            }
            Ok(false)
        }
        Turn::Theirs(frame) => {
            let _working = session.working();
            // A client that waits for an answer sends nothing that waits for an acknowledgement.
            connection.stream.get_mut().acknowledge_with_answer();
            let response = {
                let answer = pin!(exchange.hear(&frame));
                departure::watch(&mut connection.stream, departure, answer).await?
            };
            drop(frame);
            match response {
                Some(response) => connection.send(&response).await.map(|()| true),
                None => Ok(false),
            }
        }
    }
}

/// Whose turn it is.
enum Turn {
    /// The server has something to say.
    Ours,
    /// The peer said this.
    Theirs(HeldBuffer),
}

/// A peer's bytes, frame by frame.
struct Connection<S> {
    stream: Peeked<S>,
    limits: Limits,
    /// Completes once the server stops. It waits as long as the connection lasts: to begin anew for
    /// each message takes two locks that all connections share.
    stop: Pin<Box<dyn Future<Output = ()> + Send>>,
    idle_timer: IdleTimer,
    /// What is held for the client, on all of its connections.
    held: Option<Arc<ClientBytes>>,
}

/// Completes once it is true, or nobody is left who could make it so.
async fn stopped(mut stop: watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

impl<S: QuickAck> Connection<S> {
    /// Waits until one of the two says something, and reads the whole of what the peer says.
    ///
    /// Between two requests nothing is kept for the peer but its TLS session, and only here does
    /// the server's stop end a connection, and the idle deadline.
    async fn turn(&mut self, exchange: &mut Exchange<'_>) -> Result<Turn, CloseReason> {
        let mut header = [0; HEADER_LEN];
        let read = tokio::select! {
            biased;
            () = self.stop.as_mut() => return Err(CloseReason::Stopping),
            read = self.stream.read(&mut header) => read,
            () = self.idle_timer.over() => {
                let is_ours = exchange.take_role_back_if_idle();
                return if is_ours { Ok(Turn::Ours) } else { Err(CloseReason::Idle) };
            }
            () = exchange.ready() => return Ok(Turn::Ours),
        };
        let first = match read {
            Ok(0) => return Err(CloseReason::Closed),
            Ok(count) => count,
            Err(why) if is_eof(&why) => return Err(CloseReason::ClosedWithoutNotice),
            Err(why) => return Err(CloseReason::Broken(why)),
        };
        let mut deadline = MessageDeadline::of(self.limits.message_deadline);
        self.fill_header(&mut header, first, &mut deadline).await?;
        let parsed = Header::parse(header);
        if !exchange.takes(parsed.tag) {
            return Err(CloseReason::NotKmip);
        }
        let len = frame_len(parsed, self.limits.frame_len_max)?;
        self.body(header, len, &mut deadline).await.map(Turn::Theirs)
    }

    async fn fill_header(
        &mut self,
        header: &mut [u8; HEADER_LEN],
        mut got: usize,
        deadline: &mut MessageDeadline,
    ) -> Result<(), CloseReason> {
        while let Some(rest) = header.get_mut(got..).filter(|rest| !rest.is_empty()) {
            let read = deadline.wait(self.stream.read(rest)).await;
            got = got.saturating_add(count(read, got, HEADER_LEN)?);
        }
        Ok(())
    }

    /// Reads the frame behind `header`. The buffer doubles as bytes come: it is never more than
    /// twice what the peer has sent, or one chunk, and each byte is moved a constant number of
    /// times. What is outgrown is wiped.
    async fn body(
        &mut self,
        header: [u8; HEADER_LEN],
        len: usize,
        deadline: &mut MessageDeadline,
    ) -> Result<HeldBuffer, CloseReason> {
        let mut held = self.held.as_ref().and_then(|held| held.hold(0));
        let mut frame = SecretBuffer::new(Vec::with_capacity(len.min(FIRST_CHUNK)));
        frame.extend_from_slice(&header);
        while frame.len() < len {
            if frame.len() == frame.capacity() {
                let capacity = frame.capacity().saturating_mul(2).min(len);
                if held.as_mut().is_some_and(|held| !held.grow_to(capacity)) {
                    return Err(CloseReason::Refused(TOO_MUCH_HELD.to_owned()));
                }
                let mut larger = SecretBuffer::new(Vec::with_capacity(capacity));
                larger.extend_from_slice(&frame);
                frame = larger;
            }
            let got = frame.len();
            let space = frame.capacity().min(len).saturating_sub(got);
            let limit = u64::try_from(space).unwrap_or(u64::MAX);
            // Not a byte beyond the frame: what follows is the next request.
            let mut rest = (&mut self.stream).take(limit);
            let read = deadline.wait(rest.read_buf(&mut *frame)).await;
            count(read, got, len)?;
        }
        Ok(HeldBuffer::new(frame, held))
    }

    /// Sends a response in one write, so that clients that read once get all of it.
    async fn send(&mut self, response: &[u8]) -> Result<(), CloseReason> {
        let mut deadline = MessageDeadline::of(self.limits.message_deadline);
        let sent = deadline.wait(async {
            self.stream.write_all(response).await?;
            self.stream.flush().await
        });
        match sent.await {
            Err(_) => Err(CloseReason::Untaken),
            Ok(Err(why)) => Err(CloseReason::Broken(why)),
            Ok(Ok(())) => Ok(()),
        }
    }
}

/// The length of the frame that `header` begins, or why it begins none.
fn frame_len(header: Header, max: usize) -> Result<usize, CloseReason> {
    if header.ty != STRUCTURE {
        return Err(CloseReason::Refused("the Request Message is not a Structure".to_owned()));
    }
    let len = u64::from(header.len).saturating_add(8);
    if !len.is_multiple_of(8) {
        return Err(CloseReason::Refused(format!(
            "the length of the Request Message, {}, is not a multiple of 8",
            header.len
        )));
    }
    usize::try_from(len).ok().filter(|len| *len <= max).ok_or_else(|| {
        CloseReason::Refused(format!(
            "a Request Message of {len} bytes is too long: at most {max} bytes are taken"
        ))
    })
}

/// The bytes that one read inside a frame brought.
fn count(
    read: Result<io::Result<usize>, Elapsed>,
    got: usize,
    of: usize,
) -> Result<usize, CloseReason> {
    match read {
        Err(_) => Err(CloseReason::Slow { got, of }),
        Ok(Ok(0)) => Err(CloseReason::Truncated { got, of }),
        Ok(Ok(count)) => Ok(count),
        Ok(Err(why)) if is_eof(&why) => Err(CloseReason::Truncated { got, of }),
        Ok(Err(why)) => Err(CloseReason::Broken(why)),
    }
}

fn is_eof(why: &io::Error) -> bool {
    why.kind() == io::ErrorKind::UnexpectedEof
}
