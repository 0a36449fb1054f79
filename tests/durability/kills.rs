//! What a key server has acknowledged is there after it was killed: none lost, none doubled.
//!
//! Many writers create keys, each with a name of its own, while the server is killed with SIGKILL
//! again and again and started on the same folder. At the end every acknowledged key is found by
//! its name, once, and is there.
//!
//! 3,000 keys and 5 kills by default; with `SOAK=1`, 100,000 and 20.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a test stops at the first surprise"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use harness::{KmipServer, Lab, rounds};
use kmip::attributes::{AttributeReference, AttributeValue, Attributes};
use kmip::client::Client;
use kmip::payload::{CreateRequest, GetAttributesRequest, GetRequest, LocateRequest};
use kmip::structures::Name;
use kmip::vocabulary::{CryptographicAlgorithm, CryptographicUsageMask, ObjectType};
use kmip::{Identifier, Version};

/// Writers at once.
const WRITERS: usize = 32;

/// Keys in one page of the last count: an answer of so many is below the client's cap.
const PAGE: i32 = 10_000;

/// How long a writer waits before it asks a server that is down again.
const BACK_OFF: Duration = Duration::from_millis(5);

fn client(lab: &Lab, server: &KmipServer) -> Client {
    Client::builder()
        .server(server.address().to_string())
        .ca_pem(lab.pem("ca.crt"))
        .identity_pem(lab.pem("client.crt"), lab.pem("client.key"))
        .with_version(Version::V1_4)
        .connect_deadline(Duration::from_secs(30))
        .build()
        .unwrap()
}

fn create(name: &str) -> CreateRequest {
    CreateRequest {
        object_type: ObjectType::SymmetricKey,
        attributes: Attributes::new([
            AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::AES),
            AttributeValue::CryptographicLength(256),
            AttributeValue::CryptographicUsageMask(CryptographicUsageMask::Encrypt),
            AttributeValue::Name(Name::text(name)),
        ]),
        protection_storage_masks: None,
    }
}

/// Creates keys until `wanted` are acknowledged by all writers together; an error says nothing of
/// whether the key was made, so the name is not used again.
async fn write(
    writer: usize,
    wanted: usize,
    client: Arc<Client>,
    count: Arc<AtomicUsize>,
    tell: Sender<()>,
) -> BTreeMap<String, String> {
    let mut acknowledged = BTreeMap::new();
    for n in 0.. {
        if count.load(Ordering::Relaxed) >= wanted {
            break;
        }
        let name = format!("key-{writer}-{n}");
        match client.request(create(&name)).await {
            Ok(answer) => {
                count.fetch_add(1, Ordering::Relaxed);
                acknowledged.insert(name, answer.unique_identifier);
                // Nobody listens after the last kill.
                let _ = tell.send(());
            }
            // The server is down or was killed under the request: it is asked again in a while.
            Err(_) => tokio::time::sleep(BACK_OFF).await,
        }
    }
    acknowledged
}

/// Every key of the client at the server.
async fn all(client: &Client) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    loop {
        let request = LocateRequest {
            maximum_items: Some(PAGE),
            offset_items: Some(i32::try_from(ids.len()).unwrap()),
            ..LocateRequest::default()
        };
        let page = client.request(request).await.unwrap().unique_identifiers;
        let is_last = page.len() < usize::try_from(PAGE).unwrap();
        ids.extend(page);
        if is_last {
            return ids;
        }
    }
}

async fn name_of(client: &Client, id: &str) -> String {
    let request = GetAttributesRequest {
        unique_identifier: Some(Identifier::from(id)),
        attributes: vec![AttributeReference::from_name("Name")],
    };
    let found = client.request(request).await.unwrap().attributes.0;
    match found.first().map(|attribute| &attribute.value) {
        Some(AttributeValue::Name(name)) => name.value.clone(),
        other => panic!("{id} has the name {other:?}"),
    }
}

async fn is_whole(client: &Client, id: &str) {
    let request = GetRequest {
        unique_identifier: Some(Identifier::from(id)),
        key_format_type: None,
        key_wrap_type: None,
        key_compression_type: None,
        key_wrapping_specification: None,
    };
    let object = client.request(request).await.unwrap().object;
    let key = object.key_block().and_then(|block| block.bytes()).map(<[u8]>::len);
    assert_eq!(key, Some(32), "{id}");
}

#[test]
fn no_acknowledged_key_is_lost_or_doubled_by_sigkill() {
    let (creates, kills) = (rounds(3_000, 100_000), rounds(5, 20));
    let lab = Lab::new();
    let mut server = KmipServer::start(&lab);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client_ = Arc::new(client(&lab, &server));
    let count = Arc::new(AtomicUsize::new(0));
    let (tell, told) = channel();
    let writers: Vec<_> = (0..WRITERS)
        .map(|w| {
            let (client, count) = (Arc::clone(&client_), Arc::clone(&count));
            runtime.spawn(write(w, creates, client, count, tell.clone()))
        })
        .collect();
    for _ in 0..kills {
        // The kills are spread over the creates, whatever their speed.
        for _ in 0..creates / (kills + 1) {
            told.recv().unwrap();
        }
        server.kill();
        server.restart();
    }
    runtime.block_on(async {
        let mut acknowledged = BTreeMap::new();
        for writer in writers {
            acknowledged.extend(writer.await.unwrap());
        }
        let held = all(&client_).await;
        let mut names = BTreeSet::new();
        for id in &held {
            let name = name_of(&client_, id).await;
            assert!(names.insert(name.clone()), "two keys are called {name}");
        }
        for (name, id) in &acknowledged {
            assert!(held.contains(id), "{name} was acknowledged as {id} and is lost");
            assert!(names.contains(name), "{name} was acknowledged and its name is lost");
            is_whole(&client_, id).await;
        }
        println!(
            "{} acknowledged, {kills} kills, {} held: none lost, none doubled",
            acknowledged.len(),
            held.len()
        );
        assert!(acknowledged.len() >= creates);
    });
}
