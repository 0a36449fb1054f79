//! Why a connection ends, and how it is closed.

use std::fmt;
use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use crate::config::limits::{LINGER, LINGER_LEN_MAX};

/// Why no further request is read from a connection.
#[derive(Debug)]
pub(crate) enum CloseReason {
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

impl CloseReason {
    /// Whether this is how a well-behaved connection ends.
    pub(crate) fn is_orderly(&self) -> bool {
        matches!(
            self,
            Self::Closed | Self::ClosedWithoutNotice | Self::Idle | Self::Stopping | Self::Agreed
        )
    }
}

impl fmt::Display for CloseReason {
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

/// Closes a connection so that what was last sent still reaches the peer.
pub(crate) async fn leave<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, end: &CloseReason) {
    match end {
        CloseReason::Closed
        | CloseReason::ClosedWithoutNotice
        | CloseReason::Idle
        | CloseReason::Stopping
        | CloseReason::Slow { .. }
        | CloseReason::Unanswered
        | CloseReason::NotAnswer(_)
        | CloseReason::Truncated { .. } => {
            // The peer may be gone, and then there is nobody to take leave of.
            let _ = timeout(LINGER, stream.shutdown()).await;
        }
        CloseReason::Agreed | CloseReason::NotKmip | CloseReason::Refused(_) => {
            linger(stream).await
        }
        CloseReason::Untaken | CloseReason::Broken(_) => {}
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
