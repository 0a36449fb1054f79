//! The stream of events: `GET /sim/v1/events` (HTML, 9.2: server-sent events).

use super::answers::refusal;
use crate::api::api_state::ApiState;
use crate::api::http::session::Session;
use crate::stream::READERS_MAX;
use crate::stream::event_log::{EventId, Next};
use axum::Extension;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use serde::Deserialize;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::watch;

/// What the browser sends when it connects again.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// How often a line is sent when there is nothing else, so that a reader that is gone is noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Last event of a reader whose session has ended.
const SESSION_ENDED: &str = "event: session-ended\ndata: {}\n\n";

/// Events on their way to one reader.
const QUEUED_MAX: usize = 64;

/// Where the reader continues.
#[derive(Deserialize)]
pub(super) struct Wanted {
    after: Option<String>,
}

/// Body of the answer: what the task of the reader sends.
struct EventBody(Receiver<Bytes>);

impl HttpBody for EventBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}

/// Answers events until the reader goes, its session ends, or the program stops.
pub(super) async fn follow(
    State(state): State<Arc<ApiState>>,
    session: Option<Extension<Session>>,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
) -> Response {
    let Ok(reader) = Arc::clone(&state.api.stream.readers).try_acquire_owned() else {
        let reason = format!("at most {READERS_MAX} readers can follow the events at once");
        return refusal(StatusCode::SERVICE_UNAVAILABLE, &reason);
    };
    let last = headers.get(LAST_EVENT_ID).and_then(|value| value.to_str().ok());
    let last = last.map(str::to_owned).or(wanted.after);
    let position = last.and_then(|text| text.parse::<EventId>().ok());
    let position = position.and_then(|id| state.api.stream.log.position(&id));
    let (sender, receiver) = channel(QUEUED_MAX);
    let session = session.map(|Extension(session)| session);
    tokio::spawn(async move {
        let _reader = reader;
        send(&state, session.as_ref(), position, &sender).await;
    });
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, Body::new(EventBody(receiver))).into_response()
}

/// Sends a reader the events after this number, or the whole state first.
async fn send(
    state: &ApiState,
    session: Option<&Session>,
    position: Option<u64>,
    sender: &Sender<Bytes>,
) {
    let log = &state.api.stream.log;
    let (mut news, mut closed) = (log.watch(), log.closed());
    let mut position = position;
    loop {
        news.borrow_and_update();
        let next = position.map_or(Next::Gone, |number| log.after(number));
        let (texts, number) = match next {
            Next::Events(texts, number) => (texts, number),
            Next::Gone => {
                let (text, number) = log.state();
                (vec![text], number)
            }
            Next::Nothing => (Vec::new(), position.unwrap_or_default()),
        };
        let left = match session.map(|session| state.sessions.left(session, Instant::now())) {
            Some(None) => {
                let _ = sender.send(Bytes::from_static(SESSION_ENDED.as_bytes())).await;
                return;
            }
            Some(Some(left)) => left,
            None => KEEP_ALIVE,
        };
        position = Some(number);
        for text in &texts {
            if sender.send(Bytes::copy_from_slice(text.as_bytes())).await.is_err() {
                return;
            }
        }
        if !texts.is_empty() {
            continue;
        }
        tokio::select! {
            _ = news.changed() => {}
            () = tokio::time::sleep(left) => {}
            () = tokio::time::sleep(KEEP_ALIVE) => {
                if sender.send(Bytes::from_static(b":\n\n")).await.is_err() {
                    return;
                }
            }
            () = sender.closed() => return,
            () = told_to_end(&mut closed) => return,
        }
    }
}

async fn told_to_end(closed: &mut watch::Receiver<bool>) {
    // An error means that nobody can tell any more: then it is over as well.
    let _ = closed.wait_for(|closed| *closed).await;
}
