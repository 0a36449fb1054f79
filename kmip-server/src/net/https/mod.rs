//! The HTTPS door: `POST /kmip` (Additional Message Encodings 1.0, 2; Profiles 2.1, 5.3.2).
//!
//! ```text
//! POST /kmip HTTP/1.1                      HTTP/1.1 200 OK
//! Content-Type: application/octet-stream   Content-Type: application/octet-stream
//! Content-Length: 152                      Content-Length: 168
//! Cache-Control: no-cache                  Cache-Control: no-cache
//!
//! a Request Message          ---->         a Response Message
//! ```
//!
//! The only room of this program that names hyper. It has the client from the TLS handshake and the
//! answer from [`KeyServer`], as the binary door has, and the same limits. **Whatever KMIP has an
//! answer to is answered 200**, also a failure; the other statuses are for what is no KMIP yet.
//!
//! hyper's own buffers are not wiped, as those of TLS under it are not: what is ours is.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::{ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::http::uri::Authority;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Version};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tracing::info;

use crate::auth::client::Client;
use crate::auth::held_bytes::{HeldBuffer, TOO_MUCH_HELD};
use crate::config::limits::HTTP_HEAD_LEN_MAX;
use crate::dispatch::key_server::{Form, KeyServer};
use crate::net::deadline::Limits;
use crate::net::departure::{SharedStream, Watcher};
use crate::net::end::{CloseReason, leave};
use crate::net::open_sessions::SessionGuard;
use crate::secret::SecretBuffer;

mod body;
mod content_type;
mod deadlines;
mod rejection;

use body::{Reply, read};
use content_type::{Encoding, Unreadable};
use deadlines::{HttpDeadlines, TimedStream};
use rejection::Rejection;

/// The target that the profile names (2.3).
pub(crate) const PATH: &str = "/kmip";

/// Serves one client until its connection ends; returns the number of answers given and the end.
pub(crate) async fn serve<S>(
    stream: S,
    limits: Limits,
    key_server: &KeyServer,
    client: Client,
    session: &SessionGuard,
) -> (u64, CloseReason)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let pace = Arc::new(HttpDeadlines::new(limits));
    let mut stream = SharedStream::new(stream);
    let (departure, client) = client.on_connection();
    let mut watcher = Watcher::new(stream.clone(), departure);
    let mut stop = session.leaving();
    let kmip = KmipOverHttp { limits, key_server, client: &client, pace: &pace, session };
    // Boxed, because hyper gives the stream back only from a future that can be moved.
    let service = service_fn(|request| -> ResponseFuture<'_> { Box::pin(kmip.answer(request)) });
    let mut connection = http1::Builder::new()
        // A client that has said all still gets its answer, as at the binary door.
        .half_close(true)
        .max_buf_size(HTTP_HEAD_LEN_MAX)
        // The deadlines are ours: see `pace`.
        .header_read_timeout(None)
        .serve_connection(
            TokioIo::new(TimedStream::new(stream.clone(), Arc::clone(&pace))),
            service,
        );
    let mut told = false;
    let done = loop {
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop), if !told => {
                told = true;
                if pace.stop() {
                    Pin::new(&mut connection).graceful_shutdown();
                }
            }
            done = poll_fn(|context| {
                let done = connection.poll_without_shutdown(context);
                watcher.poll(pace.is_processing(), context);
                done
            }) => break done,
        }
    };
    drop(connection);
    let end = match (pace.end(), done) {
        (Some(end), _) => end,
        (None, Ok(())) if told => CloseReason::Stopping,
        (None, Ok(())) => CloseReason::Agreed,
        (None, Err(why)) if why.is_parse() => CloseReason::Refused(format!("it is no HTTP: {why}")),
        (None, Err(why)) => CloseReason::Broken(io::Error::other(why)),
    };
    Box::pin(leave(&mut stream, &end)).await;
    (pace.answers(), end)
}

type ResponseFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Response<Reply>, Infallible>> + Send + 'a>>;

/// What the requests of one connection share.
struct KmipOverHttp<'a> {
    limits: Limits,
    key_server: &'a KeyServer,
    client: &'a Client,
    pace: &'a HttpDeadlines,
    session: &'a SessionGuard,
}

impl KmipOverHttp<'_> {
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Reply>, Infallible> {
        let response = match self.kmip(request).await {
            Ok(response) => response,
            Err(wrong) => {
                info!("answered HTTP {}: {}", wrong.status, wrong.why);
                refusal(&wrong)
            }
        };
        Ok(self.finished(response))
    }

    /// One request message in, one response message out.
    async fn kmip(&self, request: Request<Incoming>) -> Result<Response<Reply>, Rejection> {
        let _working = self.session.working();
        let deadline = self.pace.request();
        let encoding = check(&request)?;
        let len_max = encoding.len_max(self.limits.frame_len_max);
        let body = read(request.into_body(), len_max, deadline, self.client).await?;
        let form = |message| encoding.encode(message);
        let form: Option<Form<'_>> = (encoding != Encoding::Binary).then_some(&form);
        let answer = match self.decode(encoding, body).await {
            Ok(frame) => self.key_server.answer_as(self.client, &frame, form).await,
            Err(Unreadable { version, why }) => {
                self.key_server.refuse_as(self.client, version, &why, form)
            }
        };
        let mut response = Response::new(Reply::new(answer));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(encoding.name()));
        Ok(response)
    }

    /// The message in a body. A long text is read away from the threads that serve all clients.
    async fn decode(&self, encoding: Encoding, body: HeldBuffer) -> Result<HeldBuffer, Unreadable> {
        let max = self.limits.frame_len_max;
        if encoding == Encoding::Binary {
            return Ok(body);
        }
        let len = body.len();
        let read = async { encoding.decode(&body, max) };
        let frame = self.key_server.slow_text(self.client, len, read).await?;
        // The request, and the copy of an item that is done.
        let len = frame.len().saturating_mul(2);
        let held = self.client.held.as_ref().map(|held| held.hold(len));
        match held {
            Some(None) => Err(Unreadable { version: None, why: TOO_MUCH_HELD.to_owned() }),
            Some(held) => Ok(HeldBuffer::new(frame, held)),
            None => Ok(frame.into()),
        }
    }

    /// The same response with what every one carries; from here on the client has to take it.
    fn finished(&self, mut response: Response<Reply>) -> Response<Reply> {
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if self.pace.response() {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// Whether the head is that of a KMIP message, and in which encoding it is.
fn check(request: &Request<Incoming>) -> Result<Encoding, Rejection> {
    // RFC 9112, 3.2: one Host, and in HTTP/1.1 not none.
    let mut hosts = request.headers().get_all(HOST).iter();
    let is_host = match (hosts.next(), hosts.next()) {
        (None, _) => request.version() != Version::HTTP_11,
        (Some(host), None) => is_host(host),
        (Some(_), Some(_)) => false,
    };
    if !is_host {
        let why = "a request has one Host header, with a host and perhaps a port".to_owned();
        return Err(Rejection::new(StatusCode::BAD_REQUEST, why));
    }
    let path = request.uri().path();
    if path != PATH {
        return Err(Rejection::new(
            StatusCode::NOT_FOUND,
            format!("there is nothing at this path: KMIP is served at {PATH}"),
        ));
    }
    if request.method() != Method::POST {
        return Err(Rejection::new(
            StatusCode::METHOD_NOT_ALLOWED,
            format!("a KMIP message is sent by POST {PATH}"),
        ));
    }
    Encoding::of(request.headers())
        .map_err(|why| Rejection::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, why))
}

/// Returns whether a header is a host and perhaps a port, or empty (RFC 9110, 7.2; RFC 9112, 3.2).
fn is_host(value: &HeaderValue) -> bool {
    let text = value.as_bytes();
    // RFC 3986, 3.2.2: without the user that an authority may have elsewhere.
    text.is_empty() || (!text.contains(&b'@') && Authority::try_from(text).is_ok())
}

/// The sentence as the body of a response.
fn refusal(wrong: &Rejection) -> Response<Reply> {
    let mut text = wrong.why.clone();
    text.push('\n');
    let mut response = Response::new(Reply::new(SecretBuffer::new(text.into_bytes()).into()));
    *response.status_mut() = wrong.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    if wrong.status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(ALLOW, HeaderValue::from_static("POST"));
    }
    // What was not read of the body would be taken for the next request's head.
    if matches!(
        wrong.status,
        StatusCode::BAD_REQUEST
            | StatusCode::PAYLOAD_TOO_LARGE
            | StatusCode::REQUEST_TIMEOUT
            | StatusCode::SERVICE_UNAVAILABLE
    ) {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
