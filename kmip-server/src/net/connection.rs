//! Bytes to frames, and frames to bytes: one peer, one request after the other.
//!
//! ```text
//!  42 00 78 | 01   | 00 00 00 58 | ...
//!  tag      | type | length      | length bytes, a multiple of 8
//!  `---- looked at before any of ----'
//! ```
//!
//! Knows no TLS, and of KMIP the first eight bytes alone.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, Sleep, sleep_until, timeout, timeout_at};
use ttlv::{HEADER_LEN, Header};

use crate::auth::client::Client;
use crate::config::Settings;
use crate::config::limits::{FIRST_CHUNK, LINGER, LINGER_LEN_MAX};
use crate::dispatch::key_server::KeyServer;
use crate::net::server_requests::Talk;
use crate::secret::Wiped;

/// The type Structure (1.4, 9.1.1.2).
const STRUCTURE: u8 = 0x01;

/// The limits of one connection.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
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

/// Why no further request is read from a connection.
#[derive(Debug)]
pub enum End {
    /// The peer closed it between two requests.
    Closed,
    /// The peer closed it between two requests, without TLS's notice.
    ClosedWithoutNotice,
    /// No request came within the idle deadline.
    Idle,
    /// The server stops.
    Stopping,
    /// One of the two said beforehand that it closes after this response, as HTTP can.
    Agreed,
    /// The first bytes are not those of a request.
    NotKmip,
    /// The header is one of KMIP, but no frame that is taken; the peer was told this.
    Refused(String),
    /// The peer closed it in the middle of a request.
    Truncated {
        /// The bytes that came.
        got: usize,
        /// The bytes that should have come, as far as known.
        of: usize,
    },
    /// The rest of a request did not come within the message deadline.
    Slow {
        /// The bytes that came.
        got: usize,
        /// The bytes that should have come, as far as known.
        of: usize,
    },
    /// The peer did not take a response within the message deadline.
    Untaken,
    /// The peer did not answer a request of the server within the message deadline.
    Unanswered,
    /// The peer answered a request of the server with something that is no answer to it.
    NotAnswer(String),
    /// The transport failed.
    Broken(io::Error),
}

impl End {
    /// Whether this is how a well-behaved connection ends.
    pub fn is_orderly(&self) -> bool {
        matches!(
            self,
            Self::Closed | Self::ClosedWithoutNotice | Self::Idle | Self::Stopping | Self::Agreed
        )
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the client closed the connection"),
            Self::ClosedWithoutNotice => {
                f.write_str("the client closed the connection without a TLS close_notify")
            }
            Self::Idle => f.write_str("no request came within the idle deadline"),
            Self::Stopping => f.write_str("the server is stopping"),
            Self::Agreed => f.write_str("the connection ends after its last response"),
            Self::NotKmip => f.write_str("the first bytes are not those of a KMIP request"),
            Self::Refused(why) => write!(f, "the request was refused: {why}"),
            Self::Truncated { got, of } => {
                write!(f, "the client closed the connection after {got} of a request's {of} bytes")
            }
            Self::Slow { got, of } => {
                write!(f, "only {got} of a request's {of} bytes came within the message deadline")
            }
            Self::Untaken => f.write_str("the response was not taken within the message deadline"),
            Self::Unanswered => {
                f.write_str("a request of the server was not answered within the message deadline")
            }
            Self::NotAnswer(why) => f.write_str(why),
            Self::Broken(why) => write!(f, "the connection broke: {why}"),
        }
    }
}

/// Serves one client until its connection ends; returns the number of answers given and the end.
pub async fn serve<S>(
    stream: S,
    limits: Limits,
    key_server: &KeyServer,
    client: &Client,
    stop: watch::Receiver<bool>,
) -> (u64, End)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let silence = Silence::of_at_most(limits.idle_deadline);
    let mut connection = Connection { stream, limits, stop: Box::pin(stopped(stop)), silence };
    let mut talk = Talk::new(key_server, client, limits.message_deadline);
    let mut answers: u64 = 0;
    loop {
        let end = match exchange(&mut connection, &mut talk).await {
            Ok(answered) => {
                answers = answers.saturating_add(answered.into());
                continue;
            }
            Err(end) => end,
        };
        if let End::Refused(why) = &end {
            let response = talk.refuse(why);
            // The peer is told if it listens; the log is told in any case.
            let _ = connection.send(&response).await;
        }
        Box::pin(leave(&mut connection.stream, &end)).await;
        return (answers, end);
    }
}

/// One frame in or one frame out, and what it brings; true when a request was answered.
async fn exchange<S>(connection: &mut Connection<S>, talk: &mut Talk<'_>) -> Result<bool, End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match connection.turn(talk).await? {
        Turn::Ours => {
            // Boxed, so that a connection does not keep room for what is seldom done.
            if let Some(request) = Box::pin(talk.say()).await? {
                connection.send(&request).await?;
            }
            Ok(false)
        }
        Turn::Theirs(frame) => {
            let response = talk.hear(&frame).await?;
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
    Theirs(Wiped),
}

/// A peer's bytes, frame by frame.
struct Connection<S> {
    stream: S,
    limits: Limits,
    /// Completes once the server stops. It waits as long as the connection lasts: to begin anew for
    /// each message takes two locks that all connections share.
    stop: Pin<Box<dyn Future<Output = ()> + Send>>,
    silence: Silence,
}

/// Completes once it is true, or nobody is left who could make it so.
async fn stopped(mut stop: watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// How long nothing may come.
///
/// ```text
/// armed once          |--------- limit ---------> fires, and something has come since:
/// the last message    ......|--------- limit ---------> armed again, for what is left
/// ```
///
/// To arm and disarm it for every message would cost each of them more than its decoding does.
struct Silence {
    limit: Duration,
    alarm: Pin<Box<Sleep>>,
}

impl Silence {
    fn of_at_most(limit: Duration) -> Self {
        Self { limit, alarm: Box::pin(sleep_until(deadline_after(limit))) }
    }

    /// Completes when nothing has come from now on for so long; may be dropped and called again.
    async fn over(&mut self) {
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
struct Patience {
    limit: Duration,
    end: Option<Instant>,
}

impl Patience {
    const fn of(limit: Duration) -> Self {
        Self { limit, end: None }
    }

    /// What comes of this piece of the message, if it comes in time.
    async fn wait<F: Future>(&mut self, piece: F) -> Result<F::Output, Elapsed> {
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

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Waits until one of the two says something, and reads the whole of what the peer says.
    ///
    /// Between two requests nothing is kept for the peer but its TLS session, and only here does
    /// the server's stop end a connection, and the idle deadline.
    async fn turn(&mut self, talk: &mut Talk<'_>) -> Result<Turn, End> {
        let mut header = [0; HEADER_LEN];
        let read = tokio::select! {
            biased;
            () = self.stop.as_mut() => return Err(End::Stopping),
            read = self.stream.read(&mut header) => read,
            () = self.silence.over() => {
                return if talk.is_idle() { Ok(Turn::Ours) } else { Err(End::Idle) };
            }
            () = talk.ready() => return Ok(Turn::Ours),
        };
        let first = match read {
            Ok(0) => return Err(End::Closed),
            Ok(count) => count,
            Err(why) if is_eof(&why) => return Err(End::ClosedWithoutNotice),
            Err(why) => return Err(End::Broken(why)),
        };
        let mut patience = Patience::of(self.limits.message_deadline);
        self.fill_header(&mut header, first, &mut patience).await?;
        let parsed = Header::parse(header);
        if !talk.takes(parsed.tag) {
            return Err(End::NotKmip);
        }
        let len = frame_len(parsed, self.limits.frame_len_max)?;
        self.body(header, len, &mut patience).await.map(Turn::Theirs)
    }

    async fn fill_header(
        &mut self,
        header: &mut [u8; HEADER_LEN],
        mut got: usize,
        patience: &mut Patience,
    ) -> Result<(), End> {
        while let Some(rest) = header.get_mut(got..).filter(|rest| !rest.is_empty()) {
            let read = patience.wait(self.stream.read(rest)).await;
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
        patience: &mut Patience,
    ) -> Result<Wiped, End> {
        let mut frame = Wiped::new(Vec::with_capacity(len.min(FIRST_CHUNK)));
        frame.extend_from_slice(&header);
        while frame.len() < len {
            if frame.len() == frame.capacity() {
                let capacity = frame.capacity().saturating_mul(2).min(len);
                let mut larger = Wiped::new(Vec::with_capacity(capacity));
                larger.extend_from_slice(&frame);
                frame = larger;
            }
            let got = frame.len();
            let space = frame.capacity().min(len).saturating_sub(got);
            let limit = u64::try_from(space).unwrap_or(u64::MAX);
            // Not a byte beyond the frame: what follows is the next request.
            let mut rest = (&mut self.stream).take(limit);
            let read = patience.wait(rest.read_buf(&mut *frame)).await;
            count(read, got, len)?;
        }
        Ok(frame)
    }

    /// Sends a response in one write, so that clients that read once get all of it.
    async fn send(&mut self, response: &[u8]) -> Result<(), End> {
        let mut patience = Patience::of(self.limits.message_deadline);
        let sent = patience.wait(async {
            self.stream.write_all(response).await?;
            self.stream.flush().await
        });
        match sent.await {
            Err(_) => Err(End::Untaken),
            Ok(Err(why)) => Err(End::Broken(why)),
            Ok(Ok(())) => Ok(()),
        }
    }
}

/// Closes a connection so that what was last sent still reaches the peer.
pub(crate) async fn leave<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, end: &End) {
    match end {
        End::Closed
        | End::ClosedWithoutNotice
        | End::Idle
        | End::Stopping
        | End::Slow { .. }
        | End::Unanswered
        | End::NotAnswer(_)
        | End::Truncated { .. } => {
            // The peer may be gone, and then there is nobody to take leave of.
            let _ = timeout(LINGER, stream.shutdown()).await;
        }
        End::Agreed | End::NotKmip | End::Refused(_) => linger(stream).await,
        End::Untaken | End::Broken(_) => {}
    }
}

/// Ends the writing half and reads on for a moment, so that unread bytes do not reset the
/// connection before the peer has read why.
pub(crate) async fn linger<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) {
    let drained = timeout(LINGER, async {
        stream.shutdown().await?;
        let mut waste = [0; 1024];
        let mut left = LINGER_LEN_MAX;
        while left > 0 {
            match stream.read(&mut waste).await? {
                0 => break,
                read => left = left.saturating_sub(read),
            }
        }
        io::Result::Ok(())
    });
    // Whatever ended it, the connection is over.
    let _ = drained.await;
}

/// The length of the frame that `header` begins, or why it begins none.
fn frame_len(header: Header, max: usize) -> Result<usize, End> {
    if header.ty != STRUCTURE {
        return Err(End::Refused("the Request Message is not a Structure".to_owned()));
    }
    let len = u64::from(header.len).saturating_add(8);
    if !len.is_multiple_of(8) {
        return Err(End::Refused(format!(
            "the length of the Request Message, {}, is not a multiple of 8",
            header.len
        )));
    }
    usize::try_from(len).ok().filter(|len| *len <= max).ok_or_else(|| {
        End::Refused(format!(
            "a Request Message of {len} bytes is too long: at most {max} bytes are taken"
        ))
    })
}

/// The bytes that one read inside a frame brought.
fn count(read: Result<io::Result<usize>, Elapsed>, got: usize, of: usize) -> Result<usize, End> {
    match read {
        Err(_) => Err(End::Slow { got, of }),
        Ok(Ok(0)) => Err(End::Truncated { got, of }),
        Ok(Ok(count)) => Ok(count),
        Ok(Err(why)) if is_eof(&why) => Err(End::Truncated { got, of }),
        Ok(Err(why)) => Err(End::Broken(why)),
    }
}

fn is_eof(why: &io::Error) -> bool {
    why.kind() == io::ErrorKind::UnexpectedEof
}

/// The instant `after` from now. No setting is so long that a clock ends before it.
pub(crate) fn deadline_after(after: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(after).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn silence_is_counted_from_the_last_message_and_not_from_when_it_was_armed() {
        let second = Duration::from_secs(1);
        let mut silence = Silence::of_at_most(3 * second);
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
