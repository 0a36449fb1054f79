//! Rules, counts and the conversation over HTTP, for tests and people on the same machine.
//!
//! There is no authentication: it listens on the loopback address, and refuses what a web page
//! from elsewhere could send (see `origin_check`).

mod origin_check;
mod routes;
mod shown;

use std::future::Future;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use support::connection_limit::ConnectionLimit;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower::ServiceExt as _;

pub(crate) use shown::Shown;

/// Connections at once.
const CONNECTIONS_MAX: usize = 64;
/// How long the head of a request may take.
const HEAD_DEADLINE: Duration = Duration::from_secs(10);
/// How long one connection may last: also one whose client does not read.
const CONNECTION_DEADLINE: Duration = Duration::from_secs(120);
/// Longest head of a request.
const HEAD_LEN_MAX: usize = 16 << 10;
/// How long to wait when the system gives no connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until `stop` completes.
pub(crate) async fn run(listener: TcpListener, shown: Shown, stop: impl Future) {
    let router = routes::router(shown);
    let limit = ConnectionLimit::new(CONNECTIONS_MAX, CONNECTIONS_MAX);
    let mut tasks = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            _ = &mut stop => return,
            Some(_) = tasks.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((tcp, peer)) => {
                let Ok(permit) = limit.try_acquire(peer.ip()) else { continue };
                let router = router.clone();
                tasks.spawn(async move {
                    let served = timeout(CONNECTION_DEADLINE, serve(tcp, router)).await;
                    if let Ok(Err(why)) = served {
                        tracing::debug!("an HTTP connection broke: {why}");
                    }
                    drop(permit);
                });
            }
            Err(why) => {
                tracing::warn!("no HTTP connection can be accepted: {why}");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn serve(tcp: TcpStream, router: Router) -> Result<(), hyper::Error> {
    let service = service_fn(move |request: Request<hyper::body::Incoming>| {
        router.clone().oneshot(request.map(Body::new))
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_DEADLINE)
        .max_buf_size(HEAD_LEN_MAX)
        .serve_connection(TokioIo::new(tcp), service)
        .await
}
