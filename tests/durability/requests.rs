//! A server of either engine, and what the tests ask of it.

use std::collections::BTreeSet;
use std::time::Duration;

use harness::{KmipServer, Lab};
use kmip::attributes::{AttributeReference, AttributeValue, Attributes};
use kmip::client::{Client, Error};
use kmip::payload::{CreateRequest, GetAttributesRequest, GetRequest, LocateRequest};
use kmip::structures::Name;
use kmip::vocabulary::{CryptographicAlgorithm, CryptographicUsageMask, ObjectType};
use kmip::{Identifier, Version};

/// Objects in one page of Locate: an answer of so many is below the client's cap.
const PAGE: i32 = 10_000;

/// Starts a server of an engine, with more arguments.
pub(crate) fn start(lab: &Lab, engine: &str, more: &[&str]) -> KmipServer {
    KmipServer::start_with(lab, engine, |program| {
        let program = program.arg("--engine").arg(engine);
        more.iter().fold(program, |program, arg| program.arg(*arg))
    })
}

/// A client with the certificate `name` of the lab.
pub(crate) fn client(lab: &Lab, server: &KmipServer, name: &str) -> Client {
    Client::builder()
        .server(server.address().to_string())
        .ca_pem(lab.pem("ca.crt"))
        .identity_pem(lab.pem(&format!("{name}.crt")), lab.pem(&format!("{name}.key")))
        .with_version(Version::V1_4)
        .connect_deadline(Duration::from_secs(30))
        .build()
        .unwrap()
}

/// The request for an AES-256 key of this name.
pub(crate) fn create(name: &str) -> CreateRequest {
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

/// The request for an object as it is kept.
pub(crate) fn get(id: &str) -> GetRequest {
    GetRequest {
        unique_identifier: Some(Identifier::from(id)),
        key_format_type: None,
        key_wrap_type: None,
        key_compression_type: None,
        key_wrapping_specification: None,
    }
}

/// Every object of the client at the server.
pub(crate) async fn all(client: &Client) -> BTreeSet<String> {
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

/// The name of an object, which has one.
pub(crate) async fn name_of(client: &Client, id: &str) -> String {
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

/// The length of a key that the server gives.
pub(crate) async fn key_len(client: &Client, id: &str) -> Result<usize, Error> {
    let object = client.request(get(id)).await?.object;
    Ok(object.key_block().and_then(|block| block.bytes()).map_or(0, <[u8]>::len))
}
