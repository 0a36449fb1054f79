//! Clients that send frames as fast as they are answered.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use harness::Lab;
use kmip::message::ResponseMessage;
use kmip::payload::{RequestPayload, ResponsePayload};
use kmip::vocabulary::ResultStatus;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::{Peer, messages, tls};

/// Items in one message of the filling.
const BATCH: usize = 100;
/// The answer's length that an echo is asked for stands in the last four bytes of its request.
pub(crate) const LEN_BYTES: usize = 4;

/// What is sent over and over.
#[derive(Clone)]
pub(crate) struct Load {
    frames: Arc<Vec<Vec<u8>>>,
    reconnects: bool,
    /// How long an answer is, where the peer is an echo.
    answer_len: Option<usize>,
}

/// What came of one round.
#[derive(Clone, Copy)]
pub(crate) struct Measured {
    /// Answers a second.
    pub(crate) rate: f64,
    /// The server's processor time for one answer, in microseconds; none without a server.
    pub(crate) processor_us: Option<f64>,
}

impl Load {
    fn of(payloads: impl IntoIterator<Item = RequestPayload>) -> Self {
        let frames = payloads.into_iter().map(|payload| messages::frame(vec![payload]));
        Self { frames: Arc::new(frames.collect()), reconnects: false, answer_len: None }
    }

    pub(crate) fn get(ids: &[String]) -> Self {
        Self::of(ids.iter().map(|id| messages::get(id)))
    }

    pub(crate) fn create() -> Self {
        Self::of([messages::create(None)])
    }

    pub(crate) fn locate(objects: usize) -> Self {
        Self::locate_some(objects, 1_000)
    }

    /// Looks for so many of the objects in turn.
    pub(crate) fn locate_some(objects: usize, count: usize) -> Self {
        let name = |n| messages::name(n * 7_919 % objects);
        Self::of((0..count).map(|n| messages::locate(&name(n))))
    }

    /// What storage arrays send: 97 of 100 are Locate and Get Attributes.
    pub(crate) fn mix(ids: &[String]) -> Self {
        Self::of((0..1_000).map(|n| {
            let at = n * 7_919 % ids.len();
            match n % 100 {
                0 => messages::create(None),
                1 | 2 => messages::get(&ids[at]),
                n if n % 2 == 1 => messages::locate(&messages::name(at)),
                _ => messages::get_attributes(&ids[at]),
            }
        }))
    }

    /// The same lengths, there and back, for an echo.
    pub(crate) fn echo(like: &Self) -> Self {
        // A Get's answer and a Create's, as this server makes them.
        let answer_len = if like.frames.len() > 1 { 392 } else { 224 };
        let frame = like.frames[0].clone();
        Self { frames: Arc::new(vec![frame]), reconnects: false, answer_len: Some(answer_len) }
    }

    /// The same, with a new connection for each frame.
    pub(crate) fn reconnecting(&self) -> Self {
        Self { reconnects: true, ..self.clone() }
    }
}

pub(crate) type Stream = TlsStream<TcpStream>;

async fn connect(lab: &Lab, address: &str) -> Stream {
    connect_with(TlsConnector::from(tls::client(&lab.path("pki"))), address).await
}

pub(crate) async fn connect_with(connector: TlsConnector, address: &str) -> Stream {
    let socket = TcpStream::connect(address).await.unwrap();
    socket.set_nodelay(true).unwrap();
    connector.connect("localhost".try_into().unwrap(), socket).await.unwrap()
}

pub(crate) async fn ask(stream: &mut Stream, frame: &[u8], answer: &mut Vec<u8>) {
    stream.write_all(frame).await.unwrap();
    stream.flush().await.unwrap();
    answer.resize(8, 0);
    stream.read_exact(answer).await.unwrap();
    let len = u32::from_be_bytes([answer[4], answer[5], answer[6], answer[7]]) as usize;
    answer.resize(8 + len, 0);
    stream.read_exact(&mut answer[8..]).await.unwrap();
}

/// Makes named objects, and gives their identifiers.
pub(crate) async fn fill(lab: &Lab, peer: &Peer, count: usize) -> Vec<String> {
    let ids = create_named(lab, peer, 0..count).await;
    read_once(lab, peer, ids.get(..crate::SMALL).unwrap_or(&ids)).await;
    ids
}

/// Makes objects with the names of these numbers over one connection, and gives their identifiers.
pub(crate) async fn create_named(lab: &Lab, peer: &Peer, names: Range<usize>) -> Vec<String> {
    create_named_on(&mut connect(lab, &peer.address).await, names).await
}

/// The same over a connection that is there.
pub(crate) async fn create_named_on(stream: &mut Stream, names: Range<usize>) -> Vec<String> {
    let (mut ids, mut answer) = (Vec::new(), Vec::new());
    let mut next = names.start;
    while next < names.end {
        let batch = next..names.end.min(next + BATCH);
        next = batch.end;
        let creates = batch.map(|n| messages::create(Some(&messages::name(n))));
        ask(stream, &messages::frame(creates.collect()), &mut answer).await;
        for item in ResponseMessage::decode(&answer).unwrap().items {
            match item.payload {
                Some(ResponsePayload::Create(made)) => ids.push(made.unique_identifier),
                other => panic!("{other:?}"),
            }
        }
    }
    ids
}

/// Gets each object. Its first Get writes that it is no longer fresh: that is not what is measured.
pub(crate) async fn read_once(lab: &Lab, peer: &Peer, ids: &[String]) {
    let mut stream = connect(lab, &peer.address).await;
    let mut answer = Vec::new();
    for batch in ids.chunks(BATCH) {
        let gets = batch.iter().map(|id| messages::get(id));
        ask(&mut stream, &messages::frame(gets.collect()), &mut answer).await;
        for item in ResponseMessage::decode(&answer).unwrap().items {
            assert_eq!(item.result_status, ResultStatus::Success);
        }
    }
}

/// Sends the load over so many connections for so long.
pub(crate) async fn run(
    lab: &Lab,
    peer: &Peer,
    load: &Load,
    connections: usize,
    round: Duration,
) -> Measured {
    let connector = TlsConnector::from(tls::client(&lab.path("pki")));
    let mut streams = Vec::new();
    for _ in 0..connections {
        streams.push(connect_with(connector.clone(), &peer.address).await);
    }
    let answers = Arc::new(AtomicU64::new(0));
    let (before, start) = (peer.processor_time(), Instant::now());
    let tasks: Vec<_> = streams
        .into_iter()
        .enumerate()
        .map(|(n, stream)| {
            let (load, answers) = (load.clone(), Arc::clone(&answers));
            let (connector, address) = (connector.clone(), peer.address.clone());
            tokio::spawn(async move {
                let mut stream = stream;
                let mut at = n * 37;
                let mut answer = Vec::new();
                while start.elapsed() < round {
                    if load.reconnects {
                        stream = connect_with(connector.clone(), &address).await;
                    }
                    let mut frame = load.frames[at % load.frames.len()].clone();
                    if let Some(len) = load.answer_len {
                        let tail = frame.len() - LEN_BYTES;
                        frame[tail..].copy_from_slice(&(len as u32).to_be_bytes());
                    }
                    ask(&mut stream, &frame, &mut answer).await;
                    at += 1;
                    answers.fetch_add(1, Ordering::Relaxed);
                }
                if load.answer_len.is_none() {
                    let last = ResponseMessage::decode(&answer).unwrap();
                    assert_eq!(last.items[0].result_status, ResultStatus::Success);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let (count, seconds) = (answers.load(Ordering::Relaxed) as f64, start.elapsed().as_secs_f64());
    let used = (peer.processor_time() - before).as_secs_f64();
    Measured { rate: count / seconds, processor_us: Some(used / count * 1e6) }
}
