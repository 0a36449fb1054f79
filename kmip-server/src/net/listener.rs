//! The accept loop: one task for each connection, and a limit on everything.
//!
//! ```text
//! listener -> permit -> task { handshake -> client -> connection::serve | https::serve }
//! ```

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use support::connection_limit::{ConnectionLimit, ConnectionPermit, LimitReached};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;
use tracing::{Instrument as _, debug, error, info, info_span, warn};

use crate::auth::client::{CertificateChain, Client};
use crate::config::Settings;
use crate::config::limits::{
    ACCEPT_PAUSE_MAX, ACCEPT_PAUSE_MIN, BACKLOG, EVICTION_MAX, EXPIRY_CHECK, KEEP_ALIVE,
    KEEP_ALIVE_INTERVAL, WAITING_MAX,
};
use crate::dispatch::key_server::KeyServer;
use crate::dispatch::resources;
use crate::net::connection;
use crate::net::deadline::Limits;
use crate::net::end::CloseReason;
use crate::net::https;
use crate::net::open_sessions::{Ended, OpenSessions, Scope};
use crate::net::tls::{Protocol, Refused, Tls, WrongFile};

/// Serves KMIP on `listener` until `shutdown` completes and the requests under way are answered.
pub async fn serve(
    listener: TcpListener,
    settings: &Settings,
    key_server: Arc<KeyServer>,
    shutdown: impl Future,
) -> Result<(), WrongFile> {
    let (tls, warnings) = Tls::open(settings)?;
    for warning in warnings {
        warn!("{warning}");
    }
    Server::new(settings, tls, key_server).run(listener, Protocol::Kmip, shutdown).await;
    Ok(())
}

/// A socket that listens on `address`.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restart must not wait for the connections of the run before it.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// A connection that was accepted.
struct AcceptedConnection {
    tcp: TcpStream,
    peer: SocketAddr,
    protocol: Protocol,
}

/// What all connections share.
pub struct Server {
    tls: Tls,
    key_server: Arc<KeyServer>,
    connection_limit: Arc<ConnectionLimit>,
    open_sessions: Arc<OpenSessions>,
    /// Connections that wait for one to give way.
    waiting: Arc<Semaphore>,
    settings: Settings,
}

impl Server {
    /// A server with these settings, certificates and objects.
    pub fn new(settings: &Settings, tls: Tls, key_server: Arc<KeyServer>) -> Arc<Self> {
        let connection_limit =
            ConnectionLimit::new(settings.connections_max, settings.connections_per_address_max);
        let (open_sessions, waiting) = (Arc::default(), Arc::new(Semaphore::new(WAITING_MAX)));
        Arc::new(Self {
            tls,
            key_server,
            connection_limit,
            open_sessions,
            waiting,
            settings: settings.clone(),
        })
    }

    /// Reads certificates, key, authorities and revocation lists again, for new connections; those
    /// that are open and whose certificate is now revoked are ended.
    ///
    /// If one of them is wrong, the old ones stay in use.
    pub fn reload(&self) {
        match self.tls.reload() {
            Ok(warnings) => {
                info!("certificates were read again");
                let is_revoked = |shown: &CertificateChain| self.tls.is_revoked(shown);
                match self.open_sessions.close_where(Ended::Revoked, is_revoked) {
                    0 => {}
                    count => warn!("{count} open connections end: their certificate is revoked"),
                }
                match self.key_server.state().tickets.forget_where(is_revoked) {
                    0 => {}
                    count => warn!("{count} tickets are gone: their certificate is revoked"),
                }
                for warning in warnings {
                    warn!("{warning}");
                }
            }
            Err(why) => error!("certificates were not read again, the old ones stay: {why}"),
        }
    }

    /// Says each day whether the server's certificate ends soon.
    pub(crate) async fn watch_expiry(self: Arc<Self>) {
        loop {
            tokio::time::sleep(Duration::from_secs(24 * 60 * 60)).await;
            if let Some(notice) = self.tls.expiry_notice(resources::now().0) {
                warn!("{notice}");
            }
        }
    }

    /// Serves KMIP on `listener` until `shutdown` completes and the requests under way are
    /// answered, or the deadline for that has passed. Several doors of one server share its
    /// connection limit, its certificates and its objects.
    pub async fn run(
        self: Arc<Self>,
        listener: TcpListener,
        protocol: Protocol,
        shutdown: impl Future,
    ) {
        let (stop, stopping) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        let mut pause = ACCEPT_PAUSE_MIN;
        loop {
            tokio::select! {
                biased;
                _ = &mut shutdown => break,
                Some(ended) = tasks.join_next() => report(ended),
                accepted = listener.accept() => match accepted {
                    Ok((tcp, peer)) => {
                        pause = ACCEPT_PAUSE_MIN;
                        let arrived = AcceptedConnection { tcp, peer, protocol };
                        self.admit(&mut tasks, arrived, stopping.clone());
                    }
                    Err(why) if is_of_one_connection(&why) => {
                        debug!("a connection ended before it was accepted: {why}");
                    }
                    Err(why) => {
                        warn!("no connection can be accepted for {pause:?}: {why}");
                        tokio::time::sleep(pause).await;
                        pause = pause.saturating_mul(2).min(ACCEPT_PAUSE_MAX);
                    }
                },
            }
        }
        drop(listener);
        stop.send_replace(true);
        finish(tasks, self.settings.shutdown_deadline()).await;
    }

    /// Gives a connection its permit and its task. Where there are too many, the one that has been
    /// idle longest gives way; if none is idle, this one is closed.
    fn admit(
        self: &Arc<Self>,
        tasks: &mut JoinSet<()>,
        arrived: AcceptedConnection,
        stopping: watch::Receiver<bool>,
    ) {
        let peer = arrived.peer;
        let span = info_span!("connection", %peer);
        let server = Arc::clone(self);
        let reached = match self.connection_limit.try_acquire(peer.ip()) {
            Ok(permit) => {
                let serving = async move { server.serve(arrived, permit, stopping).await };
                tasks.spawn(serving.instrument(span));
                return;
            }
            Err(reached) => reached,
        };
        let (setting, scope) = match reached {
            LimitReached::Total(_) => ("connections-max", Scope::All),
            LimitReached::PerAddress(_) => {
                ("connections-per-address-max", Scope::Address(peer.ip()))
            }
        };
        let place = Arc::clone(&self.waiting).try_acquire_owned();
        let (Ok(place), true) = (place, self.open_sessions.evict(scope)) else {
            return warn!(%peer, "a connection was sent away: {reached} ({setting})");
        };
        let waiting = async move {
            let permit = timeout(EVICTION_MAX, server.connection_limit.wait(peer.ip())).await;
            drop(place);
            match permit {
                Ok(permit) => server.serve(arrived, permit, stopping).await,
                Err(_) => warn!(%peer, "a connection was sent away: {reached} ({setting})"),
            }
        };
        tasks.spawn(waiting.instrument(span));
    }

    /// One connection from its first byte to its last.
    async fn serve(
        self: Arc<Self>,
        AcceptedConnection { tcp, peer, protocol }: AcceptedConnection,
        permit: ConnectionPermit,
        mut stopping: watch::Receiver<bool>,
    ) {
        if let Err(why) = prepare(&tcp) {
            debug!("the socket's options could not be set: {why}");
        }
        let (deadline, reloads) = (self.settings.handshake_deadline(), self.tls.reloads());
        let stay = self.open_sessions.enter(peer.ip());
        let mut leaving = stay.leaving();
        let shaken = tokio::select! {
            biased;
            // A handshake that is over is told of, even if the server stops at the same moment.
            // Boxed, so that a connection gives back what only its handshake needs.
            shaken = Box::pin(self.tls.accept(tcp, protocol, deadline)) => shaken,
            _ = stopping.wait_for(|stop| *stop) => return,
            _ = leaving.wait_for(|leave| *leave) => {
                return warn!("a connection that had not finished its handshake gave way");
            }
        };
        let session = match shaken {
            Ok(session) => session,
            Err(Refused::Nothing) => return debug!("{}", Refused::Nothing),
            Err(Refused::Because(why)) => return warn!("handshake failed: {why}"),
        };
        let (title, agreed) = (session.certificate.title().to_owned(), session.agreed);
        let not_after = session.certificate.validity.1;
        let (stream, key_server) = (session.stream, self.key_server.as_ref());
        let client = Client::from_certificate(session.certificate, self.settings.identity, peer);
        stay.is_client(&client.owner, Arc::clone(&session.shown));
        let client = Client { chain: Some(session.shown), ..client };
        if self.tls.reloads() != reloads {
            stay.close_where(Ended::Revoked, |shown| self.tls.is_revoked(shown));
        }
        let max = self.settings.connections_per_client_max;
        if !Box::pin(self.open_sessions.has_room(&client.owner, max)).await {
            return warn!(
                "{title} was sent away: it has {max} connections already, and none is idle \
                 (connections-per-client-max)"
            );
        }
        info!("{title} connected with {agreed}");
        let client = key_server.prepare_client(client);
        let limits = Limits::from(&self.settings);
        let mut serving = pin!(async {
            match protocol {
                Protocol::Kmip => {
                    connection::serve(stream, limits, key_server, client, &stay).await
                }
                // Boxed, so that a binary connection does not keep room for hyper's.
                Protocol::Http => {
                    Box::pin(https::serve(stream, limits, key_server, client, &stay)).await
                }
            }
        });
        let over = tokio::select! {
            biased;
            over = &mut serving => Some(over),
            () = Box::pin(expiry(not_after)) => {
                stay.end(Ended::Expired);
                None
            }
            _ = stopping.wait_for(|stop| *stop) => None,
        };
        let (answers, end) = match over {
            Some(over) => over,
            None => {
                stay.leave();
                serving.await
            }
        };
        tell_end(&title, stay.ended(), answers, &end);
        drop(permit);
    }
}

/// Says how a connection ended.
fn tell_end(title: &str, ended: Option<Ended>, answers: u64, end: &CloseReason) {
    match ended {
        Some(Ended::Revoked) => {
            warn!(answers, "{title} was cut off: its certificate is revoked");
        }
        Some(Ended::Expired) => {
            warn!(answers, "{title} was cut off: its certificate has expired");
        }
        Some(Ended::Evicted) => {
            info!(answers, "{title} left: idle for longest, it made room for another");
        }
        None if end.is_orderly() => info!(answers, "{title} left: {end}"),
        None => warn!(answers, "{title} was cut off: {end}"),
    }
}

/// Completes once the second `not_after` of Unix time is over. The clock may be set meanwhile, so
/// it is looked at again from time to time.
async fn expiry(not_after: i64) {
    loop {
        let left = not_after.saturating_sub(resources::now().0).saturating_add(1);
        match u64::try_from(left) {
            Ok(left) if left > 0 => {
                tokio::time::sleep(EXPIRY_CHECK.min(Duration::from_secs(left))).await;
            }
            Ok(_) | Err(_) => return,
        }
    }
}

/// Waits for the tasks, and ends those that the deadline finds.
async fn finish(mut tasks: JoinSet<()>, deadline: Duration) {
    let all = async {
        while let Some(ended) = tasks.join_next().await {
            report(ended);
        }
    };
    if timeout(deadline, all).await.is_err() {
        warn!("{} connections did not finish within {deadline:?}", tasks.len());
        tasks.shutdown().await;
    }
}

/// A task that panicked took one connection with it and no more; the log must say so.
fn report(ended: Result<(), JoinError>) {
    if ended.is_err_and(|why| why.is_panic()) {
        error!("the task of a connection panicked, which is a fault of this program");
    }
}

/// Small answers leave at once, and a peer that is gone is noticed.
fn prepare(tcp: &TcpStream) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    let keep_alive = TcpKeepalive::new().with_time(KEEP_ALIVE).with_interval(KEEP_ALIVE_INTERVAL);
    SockRef::from(tcp).set_tcp_keepalive(&keep_alive)
}

/// Errors of accept(2) that are about the connection, not about this machine.
fn is_of_one_connection(why: &io::Error) -> bool {
    matches!(
        why.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}
