//! A key server without a socket: messages in, messages out, objects in memory.

#![allow(dead_code, unused_imports, reason = "each test program needs another part of it")]

use crate::auth::client::{CertificateChain, Client, ClientAuthorities};
use crate::config::Names;
use crate::config::policy::Policy;
use crate::crypto::x509::path_validation;
use crate::dispatch::key_server::{Form, KeyServer};
use crate::keystore::process_state::ProcessState;
use crate::store::memory_store::MemoryStore;
use crate::store::root_key::{IndexKey, KEY_LEN};
use crate::store::{OpenStore, Store};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

// What the tests name, so that each needs one import.
pub(crate) use kmip::attributes::{
    Attribute, AttributeReference, AttributeValue, Attributes, VendorAttribute,
};
pub(crate) use kmip::codec::{DateTime, SecretBytes};
pub(crate) use kmip::message::{
    RequestBatchItem, RequestHeader, RequestMessage, ResponseBatchItem, ResponseMessage,
};
pub(crate) use kmip::objects::{Key, KeyBlock, KeyMaterial, KeyValue, Object};
pub(crate) use kmip::payload::{
    ActivateRequest, AddAttributeRequest, CreateRequest, CreateResponse, DestroyRequest,
    DiscoverVersionsRequest, Filter, GetAttributesRequest, GetRequest, LocateRequest,
    ModifyAttributeRequest, QueryRequest, ReKeyRequest, RegisterRequest, Request, RequestPayload,
    ResponsePayload, RevokeRequest, UnknownPayload,
};
pub(crate) use kmip::structures::{MessageExtension, Name, RevocationReason};
pub(crate) use kmip::vocabulary::{
    BatchErrorContinuationOption, CryptographicAlgorithm, CryptographicUsageMask, KeyFormatType,
    LinkType, ObjectType, Operation, QueryFunction, ResultReason, ResultStatus,
    RevocationReasonCode, State, ValidityIndicator, tags,
};
pub(crate) use kmip::{Encode, Identifier, Version};
pub(crate) use ttlv::{Raw, Writer};

fn index_key() -> IndexKey {
    IndexKey::new(&[7; KEY_LEN])
}

/// The longest message of a failure: 800 characters, each escaped.
const MESSAGE_LEN_MAX: usize = 8_000;

/// A client before a server.
pub(crate) struct Harness {
    /// The server.
    pub(crate) server: Arc<KeyServer>,
    client: Client,
}

impl Harness {
    pub(crate) fn new() -> Self {
        Self::over(Arc::new(MemoryStore::default()))
    }

    pub(crate) fn over(store: Arc<dyn Store>) -> Self {
        Self::at(KeyServer::new(store, index_key()))
    }

    /// A server with these rules.
    pub(crate) fn ruled(rules: Policy) -> Self {
        let store = Arc::new(MemoryStore::default());
        Self::at(KeyServer::new(store, index_key()).with_policy(rules))
    }

    /// A server with this beside its store.
    pub(crate) fn living(live: ProcessState) -> Self {
        let store = Arc::new(MemoryStore::default());
        Self::at(KeyServer::new(store, index_key()).with_state(live))
    }

    /// A server with these rules and this beside the store, which is there.
    pub(crate) fn with(store: Arc<dyn Store>, rules: Policy, live: ProcessState) -> Self {
        Self::at(KeyServer::new(store, index_key()).with_policy(rules).with_state(live))
    }

    /// A server where objects may share a Name, over a store that is there.
    pub(crate) fn sharing(store: Arc<dyn Store>) -> Self {
        let rules = Policy { names: Names::Shared, ..Policy::default() };
        Self::at(KeyServer::new(store, index_key()).with_policy(rules))
    }

    /// A server with a store that was opened, where objects may share a Name, and this beside it.
    pub(crate) fn opened(opened: &OpenStore, live: ProcessState) -> Self {
        let rules = Policy { names: Names::Shared, ..Policy::default() };
        let server = KeyServer::new(Arc::clone(&opened.store), opened.index_key.clone());
        Self::at(server.with_policy(rules).with_state(live))
    }

    fn at(server: KeyServer) -> Self {
        Self { client: server.prepare_client(client("alice")), server: Arc::new(server) }
    }

    /// A client that has shown a certificate, at the same server.
    pub(crate) fn as_client(&self, client: Client) -> Self {
        Self { server: Arc::clone(&self.server), client: self.server.prepare_client(client) }
    }

    /// Another client of the same server.
    pub(crate) fn beside(&self, owner: &str) -> Self {
        self.as_client(client(owner))
    }

    pub(crate) async fn bytes(&self, frame: &[u8]) -> Vec<u8> {
        self.server.answer(&self.client, frame).await.to_vec()
    }

    /// The answer in another form.
    pub(crate) async fn bytes_as(&self, frame: &[u8], form: Form<'_>) -> Vec<u8> {
        self.server.answer_as(&self.client, frame, Some(form)).await.to_vec()
    }

    pub(crate) async fn message(&self, request: &RequestMessage) -> ResponseMessage {
        ResponseMessage::decode(&self.bytes(&request.encode()).await).unwrap()
    }

    /// A batch with the default of what becomes of it when an item fails.
    pub(crate) async fn batch(
        &self,
        version: Version,
        items: Vec<RequestPayload>,
    ) -> Vec<ResponseBatchItem> {
        self.batch_with(version, None, items).await
    }

    pub(crate) async fn batch_with(
        &self,
        version: Version,
        on_error: Option<BatchErrorContinuationOption>,
        items: Vec<RequestPayload>,
    ) -> Vec<ResponseBatchItem> {
        let mut header = RequestHeader::new(version, i32::try_from(items.len()).unwrap());
        header.batch_error_continuation_option = on_error;
        let items = items.into_iter().map(RequestBatchItem::from).collect();
        let response = self.message(&RequestMessage { header, items }).await;
        assert_eq!(response.header.protocol_version, version);
        for message in response.items.iter().filter_map(|item| item.result_message.as_ref()) {
            assert!(is_in_words(message), "{message}");
            assert!(message.len() < MESSAGE_LEN_MAX, "{} bytes: {message}", message.len());
        }
        response.items
    }

    /// One operation: its answer, or the reason why not.
    pub(crate) async fn ask<R: Request>(
        &self,
        version: Version,
        request: R,
    ) -> Result<R::Response, ResultReason> {
        let mut items = self.batch(version, vec![request.into()]).await;
        assert_eq!(items.len(), 1);
        let item = items.remove(0);
        match (item.result_reason, item.payload) {
            (None, Some(payload)) => {
                Ok(R::Response::try_from(payload).unwrap_or_else(|other| panic!("{other:?}")))
            }
            (Some(reason), _) => Err(reason),
            (None, None) => panic!("neither reason nor payload"),
        }
    }

    pub(crate) async fn create(&self, version: Version, more: Vec<AttributeValue>) -> String {
        self.ask(version, aes(more)).await.unwrap().unique_identifier
    }
}

/// The authority of the clients of a server, as far as a certificate must be signed by it.
pub(crate) struct SignedBy(pub(crate) Vec<u8>);

impl ClientAuthorities for SignedBy {
    fn check(&self, chain: &CertificateChain) -> Result<(), String> {
        let all: Vec<_> = chain.0.iter().cloned().chain([self.0.clone()]).collect();
        let now = DateTime(i64::try_from(now_seconds()).unwrap());
        match path_validation::judge(&all, Some(&self.0), now.0) {
            Ok(ValidityIndicator::Valid) => Ok(()),
            Ok(_) => Err("the authority did not sign it".to_owned()),
            Err(_) => Err("it cannot be read".to_owned()),
        }
    }
}

fn now_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// State of a server whose clients have certificates of this authority.
pub(crate) fn signed_by(authority: &certs::Authority) -> ProcessState {
    let pem = x509_parser::pem::parse_x509_pem(authority.cert_pem().as_bytes()).unwrap().1;
    let client_authorities: Arc<dyn ClientAuthorities> = Arc::new(SignedBy(pem.contents));
    ProcessState { client_authorities: Some(client_authorities), ..ProcessState::default() }
}

/// Whether a message is for people: without the debug text of an Option or a structure, and with
/// the names of tags where they have one (their numbers may stand behind them).
fn is_in_words(message: &str) -> bool {
    let has_name = |word: &str| {
        let number = u32::from_str_radix(word, 16).ok().filter(|_| word.len() == 6);
        number.is_some_and(|number| tags::name(ttlv::Tag(number)).is_some())
    };
    let is_debug_text = ["Some(", "None", "Err(", "Ok(", " { "].iter().any(|w| message.contains(w));
    !is_debug_text && !message.split([' ', ',', ';', ':', '.']).any(has_name)
}

pub(crate) fn client(owner: &str) -> Client {
    Client::new(owner, SocketAddr::from(([127, 0, 0, 1], 1)))
}

/// A request for an AES-256 key with these further attributes.
pub(crate) fn aes(more: Vec<AttributeValue>) -> CreateRequest {
    let basic = [
        AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::AES),
        AttributeValue::CryptographicLength(256),
        AttributeValue::CryptographicUsageMask(
            CryptographicUsageMask::Encrypt.union(CryptographicUsageMask::Decrypt),
        ),
    ];
    create_with(basic.into_iter().chain(more))
}

pub(crate) fn create_with(values: impl IntoIterator<Item = AttributeValue>) -> CreateRequest {
    CreateRequest {
        object_type: ObjectType::SymmetricKey,
        attributes: Attributes::new(values),
        protection_storage_masks: None,
    }
}

pub(crate) fn name(text: &str) -> AttributeValue {
    AttributeValue::Name(Name::text(text))
}

pub(crate) fn id(text: &str) -> Option<Identifier> {
    Some(Identifier::from(text))
}

pub(crate) fn created(item: &ResponseBatchItem) -> String {
    match &item.payload {
        Some(ResponsePayload::Create(CreateResponse { unique_identifier, .. })) => {
            unique_identifier.clone()
        }
        other => panic!("{other:?}"),
    }
}

pub(crate) const OLDEST: Version = Version::V1_0;
pub(crate) const NEWEST: Version = Version::V2_1;

pub(crate) fn get(object: &str) -> GetRequest {
    get_as(Some(object), None)
}

pub(crate) fn get_as(object: Option<&str>, key_format_type: Option<KeyFormatType>) -> GetRequest {
    GetRequest {
        unique_identifier: object.map(Identifier::from),
        key_format_type,
        key_wrap_type: None,
        key_compression_type: None,
        key_wrapping_specification: None,
    }
}

pub(crate) fn locate(values: Vec<AttributeValue>) -> LocateRequest {
    LocateRequest { attributes: values.into_iter().collect(), ..LocateRequest::default() }
}

pub(crate) fn revoke(object: &str, code: RevocationReasonCode) -> RevokeRequest {
    RevokeRequest {
        unique_identifier: id(object),
        revocation_reason: RevocationReason { code, message: None },
        compromise_occurrence_date: None,
    }
}

pub(crate) fn key_bytes(object: &Object) -> Vec<u8> {
    object.key_block().unwrap().bytes().unwrap().to_vec()
}

pub(crate) async fn attribute(
    harness: &Harness,
    object: &str,
    name: &str,
) -> Option<AttributeValue> {
    let request = GetAttributesRequest {
        unique_identifier: id(object),
        attributes: vec![AttributeReference::from_name(name)],
    };
    let found = harness.ask(Version::V1_4, request).await.unwrap().attributes.0;
    found.into_iter().next().map(|attribute| attribute.value)
}

pub(crate) async fn state(harness: &Harness, object: &str) -> State {
    match attribute(harness, object, "State").await {
        Some(AttributeValue::State(state)) => state,
        other => panic!("{other:?}"),
    }
}
