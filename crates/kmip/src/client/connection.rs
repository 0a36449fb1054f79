//! One connection: a frame out, a frame in, under a deadline.
//!
//! Frames are wiped when they are dropped. What TLS keeps in its own buffers is its own business.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite as _, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use ttlv::{HEADER_LEN, Header, Type};
use zeroize::Zeroizing;

use super::error::{Error, Phase};
use super::sent_bytes::CountingStream;
use super::settings::Settings;
use super::tls::{Name, Session, is_refusal};
use super::trace::{Direction, trace_frame};
use crate::vocabulary::tags;

/// An open connection to one server.
pub(super) struct Connection {
    address: Arc<str>,
    stream: Session<CountingStream<TcpStream>>,
    /// Whether the server has answered on it: then it accepts our certificate.
    answered: bool,
}

/// Failure of an exchange.
pub(super) struct Failure {
    pub(super) error: Error,
    /// May the server have read the request?
    pub(super) maybe_done: bool,
    /// Was the connection found dead, as a kept one may be?
    pub(super) dead: bool,
}

/// Why a frame was not exchanged.
enum FrameError {
    Io(io::Error),
    Malformed(String),
}

impl From<io::Error> for FrameError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Drop for Connection {
    /// Ends TLS in good order, as far as that takes no waiting: a server logs a connection that
    /// just breaks off.
    fn drop(&mut self) {
        let mut context = Context::from_waker(Waker::noop());
        let _ = Pin::new(&mut self.stream).poll_shutdown(&mut context);
    }
}

impl Connection {
    /// Connects and shakes hands.
    pub(super) async fn open(
        address: &Arc<str>,
        (host, port): (&str, u16),
        name: &Name,
        settings: &Settings,
    ) -> Result<Self, Error> {
        let server = || address.as_ref().to_owned();
        let late = |phase, limit| Error::Timeout { server: server(), phase, limit };
        let limit = settings.connect_deadline;
        let tcp = timeout(limit, TcpStream::connect((host, port)))
            .await
            .map_err(|_| late(Phase::Connecting, limit))?
            .map_err(|cause| Error::Connect { server: server(), cause })?;
        // A request is one write and waits for its answer: Nagle's algorithm could only delay it.
        tcp.set_nodelay(true).map_err(|cause| Error::Connect { server: server(), cause })?;
        let limit = settings.handshake_deadline;
        let shaken = settings.tls.handshake(name, CountingStream::new(tcp));
        let stream = timeout(limit, shaken).await.map_err(|_| late(Phase::Handshake, limit))?;
        let stream = stream.map_err(|cause| match settings.tls.fault(&cause) {
            Some(fault) => Error::Tls { server: server(), fault },
            None => Error::Closed { server: server(), cause },
        })?;
        Ok(Self { address: Arc::clone(address), stream, answered: false })
    }

    /// Sends a frame and waits for the one that answers it.
    pub(super) async fn exchange(
        &mut self,
        frame: &[u8],
        settings: &Settings,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let before = self.stream.get_ref().0.written();
        trace_frame(settings.trace.as_ref(), &self.address, Direction::Sent, frame);
        let limit = settings.request_deadline;
        let result = timeout(limit, self.send_and_receive(frame, settings.response_len_max)).await;
        let server = || self.address.as_ref().to_owned();
        let (error, dead, refused) = match result {
            Ok(Ok(answer)) => {
                self.answered = true;
                trace_frame(settings.trace.as_ref(), &self.address, Direction::Received, &answer);
                return Ok(answer);
            }
            Err(_) => {
                (Error::Timeout { server: server(), phase: Phase::Request, limit }, false, false)
            }
            Ok(Err(FrameError::Malformed(why))) => {
                (Error::Malformed { server: server(), why }, false, false)
            }
            Ok(Err(FrameError::Io(cause))) => {
                let refused = !self.answered && is_refusal(&cause);
                match settings.tls.fault(&cause) {
                    // One that has worked and then breaks is as dead as one that ends.
                    Some(fault) => (Error::Tls { server: server(), fault }, self.answered, refused),
                    None => (Error::Closed { server: server(), cause }, true, false),
                }
            }
        };
        let written = self.stream.get_ref().0.written() > before;
        Err(Failure { error, maybe_done: written && !refused, dead })
    }

    async fn send_and_receive(
        &mut self,
        frame: &[u8],
        max: usize,
    ) -> Result<Zeroizing<Vec<u8>>, FrameError> {
        let mut start = [0; HEADER_LEN];
        if let Err(broken) = self.write(frame).await {
            // In TLS 1.3 a server refuses our certificate after the handshake, so the alert that
            // says why may lie unread on a connection that can no longer be written to.
            return Err(match self.stream.read_exact(&mut start).await {
                Err(said) if is_refusal(&said) => said.into(),
                _ => broken.into(),
            });
        }
        self.stream.read_exact(&mut start).await?;
        let header = Header::parse(start);
        if header.tag != tags::ResponseMessage || header.ty != Type::Structure.number() {
            let shown: String = start.iter().take(4).map(|byte| format!(" {byte:02X}")).collect();
            let why = format!("it begins with{shown}, which is no Response Message");
            return Err(FrameError::Malformed(why));
        }
        let len = usize::try_from(header.len).unwrap_or(usize::MAX).saturating_add(HEADER_LEN);
        if len > max {
            let why = format!("it is {len} bytes long and may be {max} at most");
            return Err(FrameError::Malformed(why));
        }
        // The peer names the length, but our own setting bounds it.
        let mut answer = Zeroizing::new(vec![0; len]);
        let (first, rest) = answer.split_at_mut(HEADER_LEN.min(len));
        first.copy_from_slice(&start);
        self.stream.read_exact(rest).await?;
        Ok(answer)
    }

    async fn write(&mut self, frame: &[u8]) -> io::Result<()> {
        self.stream.write_all(frame).await?;
        self.stream.flush().await
    }

    /// Whether it is open and has no unexpected bytes.
    pub(super) async fn is_idle(&mut self) -> bool {
        let mut byte = [0; 1];
        let mut buf = ReadBuf::new(&mut byte);
        let stream = &mut self.stream;
        poll_fn(|cx| Poll::Ready(Pin::new(&mut *stream).poll_read(cx, &mut buf).is_pending())).await
    }
}
