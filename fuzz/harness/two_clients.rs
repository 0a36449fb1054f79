//! A server with two clients: whatever the first sends is answered, and nothing that it has is seen
//! by the second.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use kmip::message::{RequestMessage, ResponseBatchItem, ResponseMessage};
use kmip::payload::*;
use kmip::vocabulary::{CryptographicAlgorithm, Operation, ResultStatus, tags};
use kmip::{Identifier, Version};
use kmip_server::store::{Change, IndexKey, KEY_LEN, Key, MemoryStore, Range, Store, To};
use kmip_server::{Client, KeyServer, SecretBuffer};
use tokio::runtime::{Builder, Runtime};
use ttlv::{HEADER_LEN, Type};

use crate::sessions::{self, NAMES};
use crate::tree::{self, Body, Node};

/// Longer than any result is kept that waits to be polled.
const FOREVER: Duration = Duration::from_secs(24 * 60 * 60);

/// Most identifiers that the second client tries for one input.
const TRIED_MAX: usize = 24;

/// What the server has before an input.
struct Start {
    rows: Vec<(Key, Vec<u8>)>,
    /// Identifiers of the first client's objects, in the order of [`NAMES`].
    ids: Vec<String>,
}

/// Checks the requests of the first client that stand one after another in `input`. Returns false
/// for what takes so long that it is not tried.
pub fn check(input: &[u8]) -> bool {
    let start = start();
    let frames: Vec<Vec<u8>> = frames(input).map(|frame| with_ids(frame, &start.ids)).collect();
    if frames.iter().any(|frame| is_slow(frame)) {
        return false;
    }
    runtime().block_on(async {
        let server = server(&start.rows).await;
        let (first, second) = (client("first"), client("second"));
        let mut ids: BTreeSet<String> = start.ids.iter().cloned().collect();
        for frame in &frames {
            let answer = answered(&server, &first, frame).await;
            collect_ids(frame, &mut ids);
            collect_ids(&answer, &mut ids);
        }
        nothing_is_seen(&server, &second, &ids).await;
        // What is answered later is done before the next input.
        tokio::time::sleep(FOREVER).await;
        nothing_is_seen(&server, &second, &ids).await;
    });
    true
}

/// Sends a request, and returns the answer, which can be read whatever the request is.
async fn answered(server: &KeyServer, client: &Client, frame: &[u8]) -> Vec<u8> {
    let answer = server.answer(client, frame).await.to_vec();
    let read = ResponseMessage::decode(&answer).expect("an answer can be read");
    assert!(Version::SERVED.contains(&read.header.protocol_version), "a version that is served");
    assert!(!read.items.is_empty(), "an answer says something");
    for item in &read.items {
        let is_failed = item.result_status == ResultStatus::OperationFailed;
        assert_eq!(is_failed, item.result_reason.is_some(), "what failed, and it alone, says why");
    }
    assert_eq!(read.encode(), answer, "an answer is written as it is read");
    answer
}

/// The second client asks for all objects that the first has or has named, and for any object.
async fn nothing_is_seen(server: &KeyServer, second: &Client, ids: &BTreeSet<String>) {
    let mut payloads: Vec<RequestPayload> = Vec::new();
    for id in ids.iter().take(TRIED_MAX) {
        let unique_identifier = Some(Identifier::from(id.as_str()));
        payloads.push(get(unique_identifier.clone()).into());
        payloads.push(export(unique_identifier.clone()).into());
        payloads.push(GetAttributesRequest { unique_identifier, attributes: Vec::new() }.into());
    }
    payloads.push(LocateRequest::default().into());
    let request = sessions::message(Version::V2_1, payloads);
    let mut request = RequestMessage::decode(&request).expect("a request of ours can be read");
    request.header.batch_error_continuation_option =
        Some(kmip::vocabulary::BatchErrorContinuationOption::Continue);
    let answer = answered(server, second, &request.encode()).await;
    let answer = ResponseMessage::decode(&answer).expect("an answer can be read");
    assert_eq!(answer.items.len(), request.items.len(), "each item is answered");
    answer.items.iter().for_each(shows_nothing);
}

fn shows_nothing(item: &ResponseBatchItem) {
    match (&item.payload, item.operation) {
        (Some(ResponsePayload::Locate(found)), _) => {
            assert!(found.unique_identifiers.is_empty(), "the second client finds {found:?}");
        }
        (payload, operation) => {
            assert_eq!(item.result_status, ResultStatus::OperationFailed, "{operation:?}");
            assert!(payload.is_none(), "{operation:?} fails and shows {payload:?}");
        }
    }
}

fn get(unique_identifier: Option<Identifier>) -> GetRequest {
    GetRequest {
        unique_identifier,
        key_format_type: None,
        key_wrap_type: None,
        key_compression_type: None,
        key_wrapping_specification: None,
    }
}

fn export(unique_identifier: Option<Identifier>) -> ExportRequest {
    ExportRequest {
        unique_identifier,
        key_format_type: None,
        key_wrap_type: None,
        key_compression_type: None,
        key_wrapping_specification: None,
    }
}

fn client(owner: &str) -> Client {
    Client::new(owner, SocketAddr::from(([127, 0, 0, 1], 1)))
}

/// Runtime of one input. Its clock stands still while anything works, and else is wound forward.
fn runtime() -> Runtime {
    let built = Builder::new_current_thread().enable_time().start_paused(true).build();
    built.expect("a runtime is made")
}

fn index_key() -> IndexKey {
    IndexKey::new(&[7; KEY_LEN])
}

async fn server(rows: &[(Key, Vec<u8>)]) -> KeyServer {
    let store = MemoryStore::default();
    let changes = rows.iter().map(|(key, value)| Change {
        key: key.clone(),
        expected: 0,
        to: To::Put(SecretBuffer::new(value.clone())),
    });
    store.commit(changes.collect()).await.expect("the objects are kept");
    KeyServer::new(Arc::new(store), index_key())
}

/// Makes the objects of the first client, once.
fn start() -> &'static Start {
    static START: OnceLock<Start> = OnceLock::new();
    START.get_or_init(|| {
        runtime().block_on(async {
            let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
            let server = KeyServer::new(Arc::clone(&store), index_key());
            let request = sessions::message(Version::V2_1, sessions::owned());
            let answer = answered(&server, &client("first"), &request).await;
            let mut ids = Vec::new();
            visit_ids(&answer, &mut |id| ids.push(id.to_owned()));
            assert_eq!(ids.len(), NAMES.len(), "every object is made");
            let all = Range { from: vec![], to: vec![], limit: 1024 };
            let rows = store.scan(all).await.expect("the rows are read").into_iter();
            let rows = rows.map(|(key, record)| (key, record.value.to_vec())).collect();
            Start { rows, ids }
        })
    })
}

/// Frames of a connection: as long as their headers say, and what is left.
fn frames(input: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(input);
    std::iter::from_fn(move || {
        let now = rest.take()?;
        let len = now.get(4..).and_then(|now| now.first_chunk()).copied();
        let len = len.and_then(|len| usize::try_from(u32::from_be_bytes(len)).ok());
        match len.and_then(|len| now.split_at_checked(len.saturating_add(HEADER_LEN))) {
            Some((frame, others)) if !others.is_empty() => {
                rest = Some(others);
                Some(frame)
            }
            _ => Some(now),
        }
    })
}

/// Puts identifiers where the names of objects stand.
fn with_ids(frame: &[u8], ids: &[String]) -> Vec<u8> {
    let Some(mut nodes) = tree::read(frame) else { return frame.to_vec() };
    for node in &mut nodes {
        node.visit_mut(&mut |node| {
            let name = NAMES.iter().position(|name| node.text() == Some(name));
            if let Some(id) = name.and_then(|at| ids.get(at)) {
                node.body = Body::Value(Type::TextString, id.as_bytes().to_vec());
            }
        });
    }
    tree::write(&nodes)
}

fn visit_ids(message: &[u8], f: &mut impl FnMut(&str)) {
    let names_object =
        |node: &Node| tags::row(node.tag).is_some_and(|row| row.name.contains("UniqueIdentifier"));
    for node in tree::read(message).unwrap_or_default() {
        node.visit(&mut |node| {
            if let Some(id) = node.text().filter(|_| names_object(node)) {
                f(id);
            }
        });
    }
}

fn collect_ids(message: &[u8], ids: &mut BTreeSet<String>) {
    visit_ids(message, &mut |id| _ = ids.insert(id.to_owned()));
}

/// Most rounds of a derivation that are tried.
const ROUNDS_MAX: u32 = 1000;

/// What takes tenths of a second each time: RSA key pairs, and derivations of very many rounds.
fn is_slow(frame: &[u8]) -> bool {
    let Ok(request) = RequestMessage::decode(frame) else { return false };
    let makes_pair = request.items.iter().any(|item| {
        [Operation::CreateKeyPair, Operation::ReKeyKeyPair].contains(&item.payload.operation())
    });
    let mut is_slow = false;
    for node in tree::read(frame).unwrap_or_default() {
        node.visit(&mut |node| {
            let Body::Value(ty, value) = &node.body else { return };
            let number = value.as_slice().try_into().map(u32::from_be_bytes).unwrap_or_default();
            // In 1.x the algorithm is an Attribute Value.
            let names_rsa = *ty == Type::Enumeration && number == CryptographicAlgorithm::RSA.0;
            is_slow |= makes_pair && names_rsa;
            is_slow |= node.tag == tags::IterationCount && number > ROUNDS_MAX;
        });
    }
    is_slow
}
