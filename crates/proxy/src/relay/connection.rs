//! One client's connection and the one to the server: two directions at once, message by message.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kmip::tags;
use tokio::io::{AsyncWriteExt as _, ReadHalf, WriteHalf, split};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use ttlv::{HEADER_LEN, Header, Tag};

use super::exchange_queue::ExchangeQueue;
use super::frame::{Frame, FrameReader};
use super::idle::IdleTimer;
use super::limits::Limits;
use crate::conversation::{Passage, Recorder, Way};
use crate::engine::{Clock, Connection, End, Engine, Exchange, Outcome};
use crate::tls::{ClientStream, ServerStream};

/// How long the server may take to close once the client has closed.
const LINGER: Duration = Duration::from_secs(30);
/// How long the end of TLS may take.
const CLOSE_DEADLINE: Duration = Duration::from_secs(1);

/// How a connection ends.
#[derive(Debug)]
pub(super) enum Closed {
    /// In good order: both ends are closed.
    Orderly(&'static str),
    /// A rule resets the client's connection.
    Reset,
    /// It broke.
    Broken(&'static str, io::Error),
    /// A message is longer than the limit.
    TooLong(&'static str, usize),
}

/// What all connections share, and what is known of this one.
pub(super) struct Conversation<'a> {
    pub(super) engine: &'a Engine,
    pub(super) recorder: &'a Recorder,
    pub(super) limits: &'a Limits,
    pub(super) started: Instant,
    pub(super) connection: Connection,
    pub(super) peer: SocketAddr,
    /// Changes when clients are shown another certificate.
    pub(super) certificate: watch::Receiver<u64>,
    /// Becomes true when the proxy stops.
    pub(super) stopping: watch::Receiver<bool>,
}

/// Requests that are not answered yet, and for how long no message has passed.
struct UnderWay {
    queue: ExchangeQueue,
    idle: IdleTimer,
}

impl Conversation<'_> {
    /// Relays until either end closes; the client's connection is closed in good order, unless it
    /// is to be reset.
    pub(super) async fn run(&self, client: ClientStream, server: ServerStream) -> Closed {
        let (from_client, mut to_client) = split(client);
        let (from_server, mut to_server) = split(server);
        let from_client = FrameReader::new(from_client, self.limits.request_len_max);
        let from_server = FrameReader::new(from_server, self.limits.response_len_max);
        let under_way = UnderWay {
            queue: ExchangeQueue::default(),
            idle: IdleTimer::new(self.limits.idle_deadline),
        };
        let closed = {
            let mut requests = pin!(self.requests(from_client, &mut to_server, &under_way));
            let mut responses = pin!(self.responses(from_server, &mut to_client, &under_way));
            tokio::select! {
                closed = &mut responses => closed,
                closed = &mut requests => match closed {
                    // What was asked is still answered.
                    Closed::Orderly(why) => timeout(LINGER, &mut responses)
                        .await
                        .map_or(Closed::Orderly(why), |_| Closed::Orderly(why)),
                    closed @ (Closed::Reset | Closed::Broken(..) | Closed::TooLong(..)) => closed,
                },
            }
        };
        // An end that is gone needs no farewell.
        let _ = timeout(CLOSE_DEADLINE, to_server.shutdown()).await;
        if !matches!(closed, Closed::Reset | Closed::Broken(..)) {
            let _ = timeout(CLOSE_DEADLINE, to_client.shutdown()).await;
        }
        closed
    }

    /// Passes on what the client sends.
    async fn requests(
        &self,
        mut from: FrameReader<ReadHalf<ClientStream>>,
        to: &mut WriteHalf<ServerStream>,
        under_way: &UnderWay,
    ) -> Closed {
        loop {
            let frame = from.next().await;
            let _held = under_way.idle.hold();
            let passed = match frame {
                Err(why) => return Closed::Broken("the client's connection", why),
                Ok(Frame::TooLong(len)) => return Closed::TooLong("request", len),
                Ok(Frame::End) => {
                    // The server hears of it too, and may still answer.
                    let _ = to.shutdown().await;
                    return Closed::Orderly("the client closed");
                }
                Ok(Frame::Other(bytes)) => {
                    self.record(Way::Request, Some(&bytes), &Outcome::default());
                    write(to, &bytes).await
                }
                Ok(Frame::Message(bytes)) if is_tagged(&bytes, tags::ResponseMessage) => {
                    self.record(Way::ClientResponse, Some(&bytes), &Outcome::default());
                    write(to, &bytes).await
                }
                Ok(Frame::Message(bytes)) => match self.request(&bytes, to, &under_way.queue).await
                {
                    Ok(None) => Ok(()),
                    Ok(Some(closed)) => return closed,
                    Err(why) => Err(why),
                },
            };
            if let Err(why) = passed {
                return Closed::Broken("the server's connection", why);
            }
        }
    }

    /// Passes on one request, or does with it what the rules say.
    async fn request(
        &self,
        bytes: &[u8],
        to: &mut WriteHalf<ServerStream>,
        queue: &ExchangeQueue,
    ) -> io::Result<Option<Closed>> {
        let (outcome, exchange) = self.engine.request(bytes, &self.connection, self.clock());
        self.record_request(bytes, &outcome, exchange.as_ref());
        delay(outcome.delay).await;
        let sent = outcome.bytes.as_ref().map_or(bytes, |bytes| bytes.as_slice());
        match outcome.end {
            Some(End::Drop) => return Ok(None),
            Some(End::Reset) => return Ok(Some(Closed::Reset)),
            Some(End::Truncate(len)) => {
                write(to, sent.get(..len).unwrap_or(sent)).await?;
                let _ = to.shutdown().await;
                return Ok(Some(Closed::Orderly("a rule has cut a request")));
            }
            None => {}
        }
        let Some(exchange) = exchange else { return Ok(None) };
        let is_forwarded = exchange.is_forwarded;
        // Before the request is sent, so that its response finds it.
        queue.push(exchange);
        if is_forwarded {
            write(to, sent).await?;
        }
        Ok(None)
    }

    /// Passes on what the server sends, and what is made up.
    async fn responses(
        &self,
        mut from: FrameReader<ReadHalf<ServerStream>>,
        to: &mut WriteHalf<ClientStream>,
        under_way: &UnderWay,
    ) -> Closed {
        let UnderWay { queue, idle } = under_way;
        let (mut stopping, mut certificate) = (self.stopping.clone(), self.certificate.clone());
        loop {
            let passed = if let Some(exchange) = queue.pop_made_up() {
                self.response(Some(&exchange), None, to, idle).await
            } else {
                let frame = tokio::select! {
                    () = queue.added() => continue,
                    _ = stopping.wait_for(|stop| *stop), if queue.is_empty() => {
                        return Closed::Orderly("the proxy stops");
                    }
                    Ok(()) = certificate.changed(), if queue.is_empty() => {
                        return Closed::Orderly("clients are shown another certificate");
                    }
                    why = idle.over(), if queue.is_empty() => return Closed::Orderly(why),
                    frame = from.next() => frame,
                };
                match frame {
                    Err(why) => return Closed::Broken("the server's connection", why),
                    Ok(Frame::TooLong(len)) => return Closed::TooLong("response", len),
                    Ok(Frame::End) => return Closed::Orderly("the server closed"),
                    Ok(Frame::Other(bytes)) => {
                        self.record(Way::Response, Some(&bytes), &Outcome::default());
                        write(to, &bytes).await.map(|()| None)
                    }
                    Ok(Frame::Message(bytes)) if is_tagged(&bytes, tags::RequestMessage) => {
                        self.record(Way::ServerRequest, Some(&bytes), &Outcome::default());
                        write(to, &bytes).await.map(|()| None)
                    }
                    Ok(Frame::Message(bytes)) => {
                        let exchange = queue.pop();
                        self.response(exchange.as_ref(), Some(&bytes), to, idle).await
                    }
                }
            };
            idle.note_message();
            match passed {
                Ok(None) => {}
                Ok(Some(closed)) => return closed,
                Err(why) => return Closed::Broken("the client's connection", why),
            }
        }
    }

    /// Passes on one response, or does with it what the rules say.
    async fn response(
        &self,
        exchange: Option<&Exchange>,
        bytes: Option<&[u8]>,
        to: &mut WriteHalf<ClientStream>,
        idle: &IdleTimer,
    ) -> io::Result<Option<Closed>> {
        let outcome = match exchange {
            Some(exchange) => self.engine.response(exchange, bytes, self.clock()),
            None => Outcome::default(),
        };
        self.record(Way::Response, bytes, &outcome);
        delay(outcome.delay).await;
        if let Some(limit) = outcome.idle {
            idle.limit_by_rule(limit);
        }
        let sent = outcome.bytes.as_ref().map(|bytes| bytes.as_slice()).or(bytes);
        let sent = sent.unwrap_or_default();
        match outcome.end {
            Some(End::Drop) => Ok(None),
            Some(End::Reset) => Ok(Some(Closed::Reset)),
            Some(End::Truncate(len)) => {
                write(to, sent.get(..len).unwrap_or(sent)).await?;
                Ok(Some(Closed::Orderly("a rule has cut a response")))
            }
            None => write(to, sent).await.map(|()| None),
        }
    }

    fn clock(&self) -> Clock {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let unix_seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
        Clock { since_start: self.started.elapsed(), unix_seconds }
    }

    fn record_request(&self, bytes: &[u8], outcome: &Outcome, exchange: Option<&Exchange>) {
        let is_answered = exchange.is_some_and(|exchange| !exchange.is_forwarded);
        let fate = is_answered.then_some("answered by the proxy");
        self.record_fate(Way::Request, Some(bytes), outcome, fate);
    }

    fn record(&self, way: Way, came: Option<&[u8]>, outcome: &Outcome) {
        self.record_fate(way, came, outcome, None);
    }

    fn record_fate(
        &self,
        way: Way,
        came: Option<&[u8]>,
        outcome: &Outcome,
        fate: Option<&'static str>,
    ) {
        let fate = match outcome.end {
            Some(End::Drop) => Some("dropped"),
            Some(End::Reset) => Some("connection reset"),
            Some(End::Truncate(_)) => Some("truncated"),
            None => fate,
        };
        self.recorder.write(&Passage {
            connection: self.connection.number,
            client: &self.connection.client,
            peer: self.peer,
            way,
            came,
            sent: outcome.bytes.as_ref().map(|bytes| bytes.as_slice()),
            rules: &outcome.fired,
            fate,
        });
    }
}

/// Waits. Without a delay not at all: a timer of no length takes up to a millisecond.
async fn delay(delay: Duration) {
    if !delay.is_zero() {
        sleep(delay).await;
    }
}

fn is_tagged(message: &[u8], tag: Tag) -> bool {
    message.first_chunk::<HEADER_LEN>().is_some_and(|start| Header::parse(*start).tag == tag)
}

async fn write<W: tokio::io::AsyncWrite + Unpin>(to: &mut W, bytes: &[u8]) -> io::Result<()> {
    to.write_all(bytes).await?;
    to.flush().await
}
