//! Accepts clients, and connects each to the server as its own identity.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use socket2::{SockRef, Socket};
use support::connection_limit::ConnectionLimit;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tracing::{Instrument as _, debug, error, info, info_span, warn};

use super::connection::{Closed, Conversation};
use super::limits::Limits;
use crate::conversation::Recorder;
use crate::engine::{Connection, Engine};
use crate::tls::{Inbound, Upstream};

/// How long to wait when the system gives no connection, for want of files or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How long connections may take to end when the proxy stops.
const STOP_DEADLINE: Duration = Duration::from_secs(2);

/// A proxy in front of one server.
pub(crate) struct Proxy {
    pub(crate) inbound: Inbound,
    pub(crate) upstream: Upstream,
    pub(crate) engine: Arc<Engine>,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) limits: Limits,
    pub(crate) started: Instant,
    pub(crate) connections: AtomicU64,
}

impl Proxy {
    /// Serves clients until `stop` completes.
    pub(crate) async fn run(self: Arc<Self>, listener: TcpListener, stop: impl Future) {
        let max = self.limits.connections_max;
        let limit = ConnectionLimit::new(max, max);
        let (stopped, stopping) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let mut stop = pin!(stop);
        loop {
            tokio::select! {
                biased;
                _ = &mut stop => break,
                Some(ended) = tasks.join_next() => {
                    if ended.is_err_and(|why| why.is_panic()) {
                        error!("a connection's task panicked, which is a fault of this program");
                    }
                }
                accepted = listener.accept() => match accepted {
                    Ok((tcp, peer)) => match limit.try_acquire(peer.ip()) {
                        Ok(permit) => {
                            let number = self.connections.fetch_add(1, Ordering::AcqRel);
                            let number = number.saturating_add(1);
                            let span = info_span!("connection", number, %peer);
                            let proxy = Arc::clone(&self);
                            let stopping = stopping.clone();
                            let serving = async move {
                                proxy.serve(tcp, peer, number, stopping).await;
                                drop(permit);
                            };
                            tasks.spawn(serving.instrument(span));
                        }
                        Err(reached) => warn!(%peer, "refused a connection: {reached}"),
                    },
                    Err(why) => {
                        warn!("no connection can be accepted: {why}");
                        sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        drop(listener);
        stopped.send_replace(true);
        let all = async { while tasks.join_next().await.is_some() {} };
        if timeout(STOP_DEADLINE, all).await.is_err() {
            tasks.shutdown().await;
        }
    }

    /// One connection from its first byte to its last.
    async fn serve(
        &self,
        tcp: TcpStream,
        peer: SocketAddr,
        number: u64,
        stopping: watch::Receiver<bool>,
    ) {
        let socket = match prepare(&tcp) {
            Ok(socket) => socket,
            Err(why) => return debug!("the socket's options could not be set: {why}"),
        };
        // Taken before the handshake, so that no change after it is missed.
        let certificate = self.inbound.shown().changes();
        let inlet = match self.inbound.accept(tcp, self.limits.handshake_deadline).await {
            Ok(inlet) => inlet,
            Err(why) => return warn!("handshake failed: {why}"),
        };
        let subject = inlet.subject;
        let connected = self.upstream.connect(&subject, self.limits.connect_deadline).await;
        let server = match connected {
            Ok(server) => server,
            Err(why) => return warn!("closed the connection of {subject:?}: {why}"),
        };
        info!("{subject:?} connected");
        let conversation = Conversation {
            engine: &self.engine,
            recorder: &self.recorder,
            limits: &self.limits,
            started: self.started,
            connection: Connection { number, client: subject.as_str().into() },
            peer,
            certificate,
            stopping,
        };
        let closed = conversation.run(inlet.stream, server).await;
        match closed {
            Closed::Orderly(why) => info!("{subject:?} left: {why}"),
            Closed::Reset => {
                // Without lingering, the end of the last handle is a reset (RFC 9293, 3.10.4).
                if let Err(why) = socket.set_linger(Some(Duration::ZERO)) {
                    warn!("the connection could not be reset: {why}");
                }
                info!("{subject:?} left: a rule has reset the connection");
            }
            Closed::Broken(which, why) => info!("{subject:?} left: {which} broke: {why}"),
            Closed::TooLong(what, len) => {
                warn!("closed the connection of {subject:?}: a {what} of {len} bytes is too long");
            }
        }
    }
}

/// Small messages leave at once. Returns a second handle of the socket.
fn prepare(tcp: &TcpStream) -> std::io::Result<Socket> {
    tcp.set_nodelay(true)?;
    SockRef::from(tcp).try_clone()
}
