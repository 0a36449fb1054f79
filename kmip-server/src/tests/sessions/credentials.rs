//! Credentials in the header, as a message carries them (2.1, 8.5, 9.4 and 9.11).

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::auth::credentials::Users;
use crate::dispatch::key_server::KeyServer;
use crate::store::memory_store::MemoryStore;
use crate::store::root_key::{IndexKey, KEY_LEN};
use aws_lc_rs::digest::{SHA256, digest};
use kmip::DateTimeExtended;
use kmip::message::{Authentication, Credential, HashedPassword};
use kmip::vocabulary::CredentialType;
use std::sync::Arc;

use crate::tests::harness::*;

fn sha256(parts: &[&[u8]]) -> Vec<u8> {
    digest(&SHA256, &parts.concat()).as_ref().to_vec()
}

/// A message of this version whose credential is made from the user's password.
fn message(version: Version, password: &[u8], at: i64) -> RequestMessage {
    let (s1, s2) = (sha256(&[b"ada", password]), sha256(&[password, b"ada"]));
    let proof = [sha256(&[&s1, &at.to_be_bytes()]), s2].concat();
    let given = HashedPassword {
        username: "ada".to_owned(),
        timestamp: DateTimeExtended(at),
        hashing_algorithm: None,
        hashed_password: SecretBytes::new(&proof),
    };
    let credential_value = Raw::build(|w| given.encode(tags::CredentialValue, w, version));
    let credential_type = CredentialType::HashedPassword;
    let mut header = RequestHeader::new(version, 1);
    header.authentication = Some(Authentication {
        credentials: vec![Credential { credential_type, credential_value }],
    });
    RequestMessage { header, items: vec![locate(vec![]).into()] }
}

async fn answer(server: &KeyServer, message: &RequestMessage) -> ResponseMessage {
    let frame = server.answer(&client("alice"), &message.encode()).await;
    ResponseMessage::decode(&frame).unwrap()
}

#[tokio::test]
async fn a_client_that_proves_its_password_is_shown_the_servers_proof() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("users");
    std::fs::write(&file, "ada:lovelace\n").unwrap();
    std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    let index_key = IndexKey::new(&[7; KEY_LEN]);
    let server = KeyServer::new(Arc::new(MemoryStore::default()), index_key)
        .with_users(Users::read(&file).unwrap());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
    let at = i64::try_from(now).unwrap();

    let request = message(NEWEST, b"lovelace", at);
    let response = answer(&server, &request).await;
    assert_eq!(response.items[0].result_status, ResultStatus::Success);
    let (s1, s2) = (sha256(&[b"ada", b"lovelace"]), sha256(&[b"lovelace", b"ada"]));
    let proof = sha256(&[&at.to_be_bytes(), &s1, &sha256(&[&s2])]);
    assert_eq!(response.header.server_hashed_password, Some(proof));

    for request in [request, message(NEWEST, b"byron", at + 1)] {
        let response = answer(&server, &request).await;
        let reason = response.items[0].result_reason;
        assert_eq!(reason, Some(ResultReason::AuthenticationNotSuccessful));
        assert_eq!(response.header.server_hashed_password, None);
    }
}
