//! `kmip-server store`: what a server acknowledged is verified, exported, and served by another
//! engine.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::path::Path;
use std::process::Output;
use std::time::Duration;

use harness::{KmipServer, Lab, Program};
use kmip::attributes::{AttributeValue, Attributes};
use kmip::client::Client;
use kmip::payload::{CreateRequest, GetRequest};
use kmip::vocabulary::{CryptographicAlgorithm, CryptographicUsageMask, ObjectType};
use kmip::{Identifier, Version};

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

async fn create(client: &Client) -> String {
    let attributes = Attributes::new([
        AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::AES),
        AttributeValue::CryptographicLength(256),
        AttributeValue::CryptographicUsageMask(CryptographicUsageMask::Encrypt),
    ]);
    let object_type = ObjectType::SymmetricKey;
    let request = CreateRequest { object_type, attributes, protection_storage_masks: None };
    client.request(request).await.unwrap().unique_identifier
}

async fn key(client: &Client, id: &str) -> Vec<u8> {
    let request = GetRequest {
        unique_identifier: Some(Identifier::from(id)),
        key_format_type: None,
        key_wrap_type: None,
        key_compression_type: None,
        key_wrapping_specification: None,
    };
    let object = client.request(request).await.unwrap().object;
    object.key_block().and_then(|block| block.bytes()).unwrap().to_vec()
}

/// Runs `kmip-server store` with these arguments.
fn store(command: &str, data: &Path, more: &[&Path]) -> Output {
    let program = Program::new("kmip-server", "").arg("store").arg(command);
    let program = program.arg("--data").arg(data);
    more.iter().fold(program, |program, more| program.arg(more)).command().output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.clone(), output.stderr.clone()].concat()).into_owned()
}

#[test]
fn export_of_a_stopped_server_is_served_by_another_engine() {
    let lab = Lab::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut server = KmipServer::start(&lab);
    let asked = client(&lab, &server);
    let ids: Vec<_> = (0..20).map(|_| runtime.block_on(create(&asked))).collect();
    let keys: Vec<_> = ids.iter().map(|id| runtime.block_on(key(&asked, id))).collect();
    let old = server.data().to_owned();
    let in_use = store("verify", &old, &[]);
    assert_eq!(in_use.status.code(), Some(1));
    assert!(text(&in_use).contains("is in use by another process"), "{}", text(&in_use));

    // One store was stopped in good order, and one killed.
    server.process().terminate();
    let verified = store("verify", &old, &[Path::new("--scratch"), &lab.path("")]);
    assert!(verified.status.success(), "{}", text(&verified));
    assert!(text(&verified).contains("files: as the last stop left them"), "{}", text(&verified));
    server.restart();
    server.kill();
    let verified = store("verify", &old, &[]);
    assert!(verified.status.success(), "{}", text(&verified));
    assert!(text(&verified).contains("seals: all open"), "{}", text(&verified));

    let file = lab.path("store.export");
    let exported = store("export", &old, &[&file]);
    assert!(exported.status.success(), "{}", text(&exported));
    let new = lab.path("redb");
    std::fs::create_dir(&new).unwrap();
    std::fs::copy(old.join("store.key"), new.join("store.key")).unwrap();
    let imported = store("import", &new, &[Path::new("--engine"), Path::new("redb"), &file]);
    assert!(imported.status.success(), "{}", text(&imported));
    let said = text(&imported);
    assert_eq!(text(&exported).strip_prefix("ex"), said.strip_prefix("im"), "the same rows");

    let server =
        KmipServer::start_with(&lab, "redb", |program| program.arg("--engine").arg("redb"));
    let asked = client(&lab, &server);
    for (id, expected) in ids.iter().zip(&keys) {
        assert!(runtime.block_on(key(&asked, id)) == *expected, "{id}");
    }
    drop(server);

    // A damaged file makes no store, and a damaged store no file.
    let mut bytes = std::fs::read(&file).unwrap();
    if let Some(byte) = bytes.last_mut() {
        *byte ^= 1;
    }
    std::fs::write(&file, bytes).unwrap();
    let third = lab.path("third");
    std::fs::create_dir(&third).unwrap();
    std::fs::copy(old.join("store.key"), third.join("store.key")).unwrap();
    let refused = store("import", &third, &[&file]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused).contains("it is damaged at byte"), "{}", text(&refused));
    assert!(!third.join("store").exists());
    std::fs::write(old.join("store/head"), [0; 8192]).unwrap();
    let refused = store("export", &old, &[&lab.path("other.export")]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused).contains("the head file"), "{}", text(&refused));
    let verified = store("verify", &old, &[]);
    assert_eq!(verified.status.code(), Some(1));
    assert!(text(&verified).contains("head file: missing or damaged"), "{}", text(&verified));
}
