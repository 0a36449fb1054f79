//! Malformed messages with secrets in them: the server's error must not repeat a secret.

use harness::FrameConnection;
use kmip::message::{
    Authentication, Credential, RequestBatchItem, RequestHeader, RequestMessage, SecretText,
    UsernameAndPassword,
};
use kmip::vocabulary::{CredentialType, tags};
use kmip::{Encode, Version};
use ttlv::Raw;

use crate::key_server::{PASSWORD, WRONG_PASSWORD, known_key};
use crate::requests::{attributes, register};

/// Tag, type and length.
const HEAD_LEN: usize = 8;
/// Where in an item its type is.
const TYPE_AT: usize = 3;
/// All types of items, and one that there is not.
const TYPES: std::ops::RangeInclusive<u8> = 1..=12;

/// Sends every malformed message, and returns the response to each.
pub(crate) fn exchange(connect: impl Fn() -> FrameConnection) -> Vec<(String, Vec<u8>)> {
    let mut connection = connect();
    let mut answers = Vec::new();
    for (what, frame) in messages() {
        match connection.exchange(&frame) {
            Some(answer) => answers.push((what, answer)),
            None => connection = connect(),
        }
    }
    answers
}

fn messages() -> Vec<(String, Vec<u8>)> {
    let mut messages = Vec::new();
    for version in [Version::V1_4, Version::V2_1] {
        for (who, password) in [("a user", PASSWORD), ("nobody", WRONG_PASSWORD)] {
            let frame = message(version, who, password);
            let version = format!("{who}: {version}");
            messages.push((format!("{version} whole"), frame.clone()));
            for cut in (HEAD_LEN..frame.len()).step_by(HEAD_LEN) {
                messages.push((format!("{version} cut at {cut}"), cut_at(&frame, cut)));
            }
            for at in items(&frame) {
                for kind in TYPES {
                    let mut other = frame.clone();
                    other[at + TYPE_AT] = kind;
                    messages.push((format!("{version} type {kind} at {at}"), other));
                }
            }
        }
    }
    messages
}

/// A Register of the known key, with this password.
fn message(version: Version, who: &str, password: &str) -> Vec<u8> {
    let credential = UsernameAndPassword {
        username: "alice".to_owned(),
        password: Some(SecretText::new(password)),
    };
    let credential_value = Raw::build(|w| credential.encode(tags::CredentialValue, w, version));
    let credential =
        Credential { credential_type: CredentialType::UsernameAndPassword, credential_value };
    let mut header = RequestHeader::new(version, 1);
    header.authentication = Some(Authentication { credentials: vec![credential] });
    let name = format!("hostile-{version}-{who}");
    let request = register(attributes(&name, "hostile", 256), &known_key());
    RequestMessage { header, items: vec![RequestBatchItem::from(request)] }.encode()
}

/// The message that ends here, as its head says, whatever the items in it say.
fn cut_at(frame: &[u8], len: usize) -> Vec<u8> {
    let mut cut = frame[..len].to_vec();
    let inside = u32::try_from(len - HEAD_LEN).unwrap();
    cut[4..HEAD_LEN].copy_from_slice(&inside.to_be_bytes());
    cut
}

/// Where items begin: at the first byte of every tag of the standard. No value begins with it.
fn items(frame: &[u8]) -> impl Iterator<Item = usize> {
    (HEAD_LEN..frame.len()).step_by(HEAD_LEN).filter(|at| frame[*at] == 0x42)
}
