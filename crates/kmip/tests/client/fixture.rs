//! Fixture of the client's tests: certificates, requests, and a server that answers everything.

use certs::{Authority, CertifiedKey};
use kmip::attributes::{AttributeValue, Attributes};
use kmip::client::{Builder, Client};
use kmip::message::RequestMessage;
use kmip::objects::{Key, KeyBlock, Object};
use kmip::payload::{
    CreateRequest, CreateResponse, DiscoverVersionsResponse, GetRequest, GetResponse,
    RequestPayload,
};
use kmip::vocabulary::{CryptographicAlgorithm, CryptographicUsageMask, KeyFormatType, ObjectType};
use kmip::{Identifier, Version};

use crate::scripted_server::{Reaction, ScriptedServer, done, message, tls};

/// The bytes of the key that every Get is answered with.
pub(crate) const KEY: [u8; 32] = *b"thirty-two bytes, and all secret";

/// An authority, and its certificates for `127.0.0.1` and for one client.
pub(crate) struct Fixture {
    pub(crate) authority: Authority,
    pub(crate) server: CertifiedKey,
    pub(crate) client: CertifiedKey,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let authority = Authority::new("authority").unwrap();
        let server = authority.server(&["127.0.0.1"]).unwrap();
        let client = authority.client("node-1").unwrap();
        Self { authority, server, client }
    }

    /// Starts a server that accepts clients with a certificate of the authority.
    pub(crate) async fn listen(
        &self,
        script: impl Fn(usize, &RequestMessage) -> Reaction + Send + Sync + 'static,
    ) -> ScriptedServer {
        ScriptedServer::start(tls(&self.server, self.authority.cert_pem()), script).await
    }

    /// The settings of a client that our authority signed.
    pub(crate) fn builder(&self) -> Builder {
        Client::builder()
            .ca_pem(self.authority.cert_pem())
            .identity_pem(&self.client.cert_pem, self.client.key_pem.as_bytes())
    }

    /// A client of these servers.
    pub(crate) fn client(&self, servers: &[&ScriptedServer]) -> Client {
        let add = |builder: Builder, server: &&ScriptedServer| builder.server(server.address());
        servers.iter().fold(self.builder(), add).build().unwrap()
    }
}

/// Answers every request with success; speaks every version.
pub(crate) fn answer_all(_: usize, request: &RequestMessage) -> Reaction {
    let items = request.items.iter().map(|item| {
        let mut answer = match &item.payload {
            RequestPayload::DiscoverVersions(asked) => done(DiscoverVersionsResponse {
                protocol_versions: asked.protocol_versions.clone(),
            }),
            RequestPayload::Create(asked) => done(CreateResponse {
                object_type: asked.object_type,
                unique_identifier: "new".to_owned(),
                template_attribute: None,
            }),
            RequestPayload::Get(GetRequest {
                unique_identifier: Some(Identifier::Text(id)),
                ..
            }) => done(get_response(id)),
            other => panic!("nobody asks for {:?} here", other.operation()),
        };
        answer.unique_batch_item_id.clone_from(&item.unique_batch_item_id);
        answer
    });
    Reaction::Answer(message(request, items.collect()))
}

/// As [`answer_all`], but does `react` with all but Discover Versions.
pub(crate) fn except_discover(
    react: impl Fn(usize, &RequestMessage) -> Reaction + Send + Sync + 'static,
) -> impl Fn(usize, &RequestMessage) -> Reaction + Send + Sync + 'static {
    move |number, request| match is_discover(request) {
        true => answer_all(number, request),
        false => react(number, request),
    }
}

pub(crate) fn is_discover(request: &RequestMessage) -> bool {
    matches!(request.items[0].payload, RequestPayload::DiscoverVersions(_))
}

pub(crate) fn create() -> CreateRequest {
    CreateRequest {
        object_type: ObjectType::SymmetricKey,
        attributes: Attributes::new([
            AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::AES),
            AttributeValue::CryptographicLength(256),
            AttributeValue::CryptographicUsageMask(CryptographicUsageMask::Encrypt),
        ]),
        protection_storage_masks: None,
    }
}

pub(crate) fn get(id: &str) -> GetRequest {
    GetRequest {
        unique_identifier: Some(id.into()),
        key_format_type: None,
        key_wrap_type: None,
        key_compression_type: None,
        key_wrapping_specification: None,
    }
}

pub(crate) fn get_response(id: &str) -> GetResponse {
    let mut key_block = KeyBlock::plain(KeyFormatType::Raw, &KEY);
    key_block.cryptographic_algorithm = Some(CryptographicAlgorithm::AES);
    key_block.cryptographic_length = Some(256);
    GetResponse {
        object_type: ObjectType::SymmetricKey,
        unique_identifier: id.to_owned(),
        object: Object::SymmetricKey(Key { key_block }),
    }
}

/// A version by its two numbers.
pub(crate) const fn version(major: i32, minor: i32) -> Version {
    Version { major, minor }
}
