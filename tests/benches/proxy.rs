//! Cost of kmip-proxy beside a direct connection: `cargo bench -p tests --bench proxy`.
//!
//! One client asks for one key, again and again, on one connection to the same server: directly,
//! through a proxy that keeps no conversation, and through one with its default settings and a
//! rule. Rounds are interleaved; the median is shown, and what the proxy adds to a Get.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "a benchmark stops at the first surprise"
)]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use harness::{FrameConnection, KmipProxy, KmipServer, Lab};
use kmip::Version;
use kmip::attributes::{AttributeValue, Attributes};
use kmip::message::{RequestBatchItem, RequestHeader, RequestMessage, ResponseMessage};
use kmip::payload::{CreateRequest, GetRequest, RequestPayload, ResponsePayload};
use kmip::vocabulary::{CryptographicAlgorithm, CryptographicUsageMask, ObjectType};

/// Rounds of each row.
const ROUNDS: usize = 5;
/// How long a round of a row lasts.
const ROUND: Duration = Duration::from_millis(1_500);

/// A rule that matches and never acts.
const RULES: &str = "[[rule]]\nname = \"none\"\noperation = \"Get\"\nfrom = 1000000000\n\
                     action = { key-bytes = {} }\n";

fn main() {
    let lab = Lab::new();
    let server = KmipServer::start(&lab);
    let rules = lab.path("rules.toml");
    std::fs::write(&rules, RULES).unwrap();
    let silent = KmipProxy::start(&lab, server.address(), |program| {
        program.arg("--conversation-memory").arg("0").arg("--log").arg("warn")
    });
    let usual = KmipProxy::start(&lab, server.address(), |program| {
        program.arg("--rules").arg(&rules).arg("--log").arg("warn")
    });
    let get = get(&mut connect(server.address(), &lab));
    let rows = [
        ("direct", server.address()),
        ("proxy, no conversation", silent.address()),
        ("proxy, a rule and the conversation in memory", usual.address()),
    ];
    let mut rows = rows.map(|(name, address)| (name, connect(address, &lab), Vec::new()));
    for _ in 0..ROUNDS {
        for (_, connection, found) in &mut rows {
            found.push(round(connection, &get));
        }
    }
    let medians = rows.map(|(name, _, mut found)| {
        found.sort();
        (name, found.get(ROUNDS / 2).copied().unwrap())
    });
    let [(_, direct), ..] = medians;
    println!("| Get of a key of 256 bits, one connection | us | added |\n|---|---|---|");
    for (name, median) in medians {
        let (all, added) = (median.as_micros(), median.saturating_sub(direct).as_micros());
        println!("| {name} | {all} | {added} |");
    }
}

fn connect(address: SocketAddr, lab: &Lab) -> FrameConnection {
    let (cert, key) = (lab.pem("client.crt"), lab.pem("client.key"));
    FrameConnection::connect(address, &lab.pem("ca.crt"), &cert, &key)
}

/// The mean time of a Get in one round.
fn round(connection: &mut FrameConnection, get: &[u8]) -> Duration {
    let begun = Instant::now();
    let mut count: u32 = 0;
    while begun.elapsed() < ROUND {
        connection.exchange(get).unwrap();
        count = count.saturating_add(1);
    }
    begun.elapsed().checked_div(count).unwrap()
}

fn message(payload: RequestPayload) -> Vec<u8> {
    let items = vec![RequestBatchItem::from(payload)];
    RequestMessage { header: RequestHeader::new(Version::V1_4, 1), items }.encode()
}

/// Makes a key; the message that asks for it.
fn get(connection: &mut FrameConnection) -> Vec<u8> {
    let mask = CryptographicUsageMask::Encrypt.union(CryptographicUsageMask::Decrypt);
    let create = CreateRequest {
        object_type: ObjectType::SymmetricKey,
        attributes: Attributes::new([
            AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::AES),
            AttributeValue::CryptographicLength(256),
            AttributeValue::CryptographicUsageMask(mask),
        ]),
        protection_storage_masks: None,
    };
    let created = connection.exchange(&message(create.into())).unwrap();
    let mut created = ResponseMessage::decode(&created).unwrap();
    let payload = created.items.remove(0).payload;
    let Some(ResponsePayload::Create(created)) = payload else { panic!("{payload:?}") };
    let get = GetRequest {
        unique_identifier: Some(created.unique_identifier.into()),
        key_format_type: None,
        key_wrap_type: None,
        key_compression_type: None,
        key_wrapping_specification: None,
    };
    message(get.into())
}
