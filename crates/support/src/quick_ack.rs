//! TCP stream without delayed acknowledgements inside of a message.
//!
//! A peer with Nagle's algorithm (RFC 9293, 3.7.4) holds back a part of a message until the part
//! before it is acknowledged. A reader that waits for that part sends nothing, and so Linux delays
//! the acknowledgement by 40 ms, for an answer to carry it (RFC 9293, 3.8.6.3).

use std::io::{self, IoSlice};
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// TCP stream that acknowledges what it has received as soon as its reader waits for more.
///
/// What is answered before that is acknowledged by the answer, at no cost.
#[derive(Debug)]
pub struct QuickAckStream {
    tcp: TcpStream,
    /// Were bytes read since the last write?
    unacknowledged: bool,
}

impl From<TcpStream> for QuickAckStream {
    fn from(tcp: TcpStream) -> Self {
        Self { tcp, unacknowledged: false }
    }
}

impl QuickAckStream {
    /// Leaves the acknowledgement of what was read to the next write, while the reader looks for
    /// the end of the connection: a whole message has come, and its answer follows.
    pub fn acknowledge_with_answer(&mut self) {
        self.unacknowledged = false;
    }

    fn has_written(&mut self, written: &Poll<io::Result<usize>>) {
        self.unacknowledged &= !matches!(written, Poll::Ready(Ok(1..)));
    }
}

impl AsyncRead for QuickAckStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let filled = buffer.filled().len();
        let read = Pin::new(&mut self.tcp).poll_read(context, buffer);
        if read.is_pending() {
            if mem::take(&mut self.unacknowledged) {
                acknowledge(&self.tcp);
            }
        } else if buffer.filled().len() > filled {
            self.unacknowledged = true;
        }
        read
    }
}

impl AsyncWrite for QuickAckStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.tcp).poll_write(context, bytes);
        self.has_written(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.tcp).poll_write_vectored(context, slices);
        self.has_written(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(context)
    }
}

/// Sends an acknowledgement that is delayed. Where that fails, it is sent when its time comes.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn acknowledge(tcp: &TcpStream) {
    let _ = tcp.set_quickack(true);
}

/// Other systems have no such option.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn acknowledge(_: &TcpStream) {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io;
    use std::time::Duration;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::time::Instant;

    use super::QuickAckStream;

    /// Half of the shortest delay of an acknowledgement.
    const DELAY_MAX: Duration = Duration::from_millis(20);

    /// So many are tried that one of them meets no other work of the machine.
    const ROUNDS: usize = 10;

    /// A new connection acknowledges at once until it has answered some requests.
    const WARM_UP: usize = 10;

    /// Least time of a message of two bytes, each in a write of its own, and its answer.
    async fn fastest_round() -> io::Result<Duration> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        // Nagle's algorithm is on unless it is turned off.
        let mut client = TcpStream::connect(listener.local_addr()?).await?;
        let mut server = QuickAckStream::from(listener.accept().await?.0);
        let answers = tokio::spawn(async move {
            while server.read_u8().await.is_ok() {
                server.read_u8().await?;
                server.write_u8(0).await?;
            }
            io::Result::Ok(())
        });
        let mut fastest = Duration::MAX;
        for round in 0..WARM_UP + ROUNDS {
            let start = Instant::now();
            client.write_u8(1).await?;
            client.write_u8(2).await?;
            client.read_u8().await?;
            if round >= WARM_UP {
                fastest = fastest.min(start.elapsed());
            }
        }
        drop(client);
        answers.await??;
        Ok(fastest)
    }

    #[tokio::test]
    async fn part_of_a_message_is_acknowledged_when_the_reader_waits() -> io::Result<()> {
        let fastest = fastest_round().await?;
        assert!(fastest < DELAY_MAX, "{fastest:?}");
        Ok(())
    }
}
