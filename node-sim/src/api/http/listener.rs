//! Accepts connections and gives each its own task: handshake first, then requests one by one.

use super::tls::{Acceptor, ServerStream};
use crate::config::limits::{
    CONNECTIONS_MAX, HANDSHAKE_DEADLINE, HEAD_DEADLINE, HEAD_LEN_MAX, SHUTDOWN_DEADLINE,
};
use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::{Request, Response};
use hyper::body::Frame;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use support::connection_limit::{ConnectionLimit, ConnectionPermit, OwnedBusy};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tower::ServiceExt;

/// Address of the client, an extension of each request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientAddress(pub(crate) IpAddr);

/// How long to wait when the system gives no connection, for want of files or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Body of an answer; its connection is busy until it was sent.
struct BusyBody {
    body: Body,
    _busy: OwnedBusy,
}

impl HttpBody for BusyBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        self.body.size_hint()
    }
}

/// Serves the paths of this router until it is told to stop; then what is under way is finished.
pub(crate) async fn serve(
    listener: TcpListener,
    acceptor: Acceptor,
    router: Router,
    stop: impl Future<Output = ()>,
) {
    // One address may have all: administrators come from one host.
    let limit = ConnectionLimit::new(CONNECTIONS_MAX, CONNECTIONS_MAX);
    let (stopping, _) = watch::channel(false);
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = accept(&listener, &limit) => accepted,
        };
        let Some((stream, client, permit)) = accepted else { continue };
        let (acceptor, routes) = (acceptor.clone(), (router.clone(), ClientAddress(client)));
        let stopped = stopping.subscribe();
        tokio::spawn(async move { converse(stream, permit, acceptor, routes, stopped).await });
    }
    drop(listener);
    stopping.send_replace(true);
    if !limit.wait_until_unused(SHUTDOWN_DEADLINE).await {
        tracing::warn!("stopping although some calls are still under way");
    }
}

/// Accepts a connection, then acquires its permit, so that a client that waits costs no task.
async fn accept(
    listener: &TcpListener,
    limit: &Arc<ConnectionLimit>,
) -> Option<(TcpStream, IpAddr, ConnectionPermit)> {
    match listener.accept().await {
        Ok((stream, peer)) => {
            let permit = limit.acquire(peer.ip()).await.ok()?;
            Some((stream, peer.ip(), permit))
        }
        Err(error) => {
            tracing::warn!(%error, "no connection can be accepted");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

async fn converse(
    stream: TcpStream,
    permit: ConnectionPermit,
    acceptor: Acceptor,
    routes: (Router, ClientAddress),
    mut stopped: watch::Receiver<bool>,
) {
    // Answers are small and clients wait for them: nothing is gained by holding them back.
    let _ = stream.set_nodelay(true);
    let handshake = tokio::time::timeout(HANDSHAKE_DEADLINE, acceptor.accept(stream));
    let handshake = tokio::select! {
        handshake = handshake => handshake,
        () = permit.evicted() => return,
        () = told_to_stop(&mut stopped) => return,
    };
    match handshake {
        Ok(Ok(stream)) => requests(stream, permit, routes, stopped).await,
        Ok(Err(error)) => tracing::debug!(%error, "no TLS"),
        Err(_) => tracing::debug!("the TLS handshake took too long"),
    }
}

async fn requests(
    stream: ServerStream,
    permit: ConnectionPermit,
    (router, client): (Router, ClientAddress),
    mut stopped: watch::Receiver<bool>,
) {
    let permit = Arc::new(permit);
    let service = service_fn(|mut request: Request<hyper::body::Incoming>| {
        let (busy, router) = (permit.owned_busy(), router.clone());
        request.extensions_mut().insert(client);
        async move {
            let answer: Result<Response<Body>, _> = router.oneshot(request.map(Body::new)).await;
            answer.map(|answer| answer.map(|body| BusyBody { body, _busy: busy }))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_DEADLINE)
        .max_buf_size(HEAD_LEN_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = permit.evicted() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
        () = told_to_stop(&mut stopped) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}

async fn told_to_stop(stopped: &mut watch::Receiver<bool>) {
    // An error means that nobody can tell any more: then it is over as well.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}
