//! A key server without a socket: messages in, messages out, objects in memory.
#![allow(dead_code, unreachable_pub, reason = "each test uses the part that it needs")]

use std::net::SocketAddr;
use std::sync::Arc;

use kmip::attributes::{AttributeValue, Attributes};
use kmip::message::{RequestBatchItem, RequestHeader, RequestMessage};
use kmip::message::{ResponseBatchItem, ResponseMessage};
use kmip::payload::{CreateRequest, CreateResponse, Request, RequestPayload, ResponsePayload};
use kmip::structures::Name;
use kmip::vocabulary::{
    BatchErrorContinuationOption, CryptographicAlgorithm, CryptographicUsageMask, ObjectType,
    ResultReason,
};
use kmip::{Identifier, Version};
use kmip_server::identity::Client;
use kmip_server::key_server::KeyServer;
use kmip_server::store::Store;
use kmip_server::store::memory::MemoryStore;
use kmip_server::store::root_key::{KEY_LEN, RootKey};
use zeroize::Zeroizing;

/// A client before a server.
pub struct Desk {
    /// The server.
    pub server: Arc<KeyServer>,
    client: Client,
}

impl Desk {
    pub fn new() -> Self {
        Self::over(Arc::new(MemoryStore::default()))
    }

    pub fn over(store: Arc<dyn Store>) -> Self {
        let index_key = RootKey::new(Zeroizing::new([7; KEY_LEN])).index_key();
        Self { server: Arc::new(KeyServer::new(store, index_key)), client: client("alice") }
    }

    /// Another client of the same server.
    pub fn beside(&self, owner: &str) -> Self {
        Self { server: Arc::clone(&self.server), client: client(owner) }
    }

    pub async fn bytes(&self, frame: &[u8]) -> Vec<u8> {
        self.server.answer(&self.client, frame).await.to_vec()
    }

    pub async fn message(&self, request: &RequestMessage) -> ResponseMessage {
        ResponseMessage::decode(&self.bytes(&request.encode()).await).unwrap()
    }

    /// A batch with the default of what becomes of it when an item fails.
    pub async fn batch(
        &self,
        version: Version,
        items: Vec<RequestPayload>,
    ) -> Vec<ResponseBatchItem> {
        self.batch_with(version, None, items).await
    }

    pub async fn batch_with(
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
        response.items
    }

    /// One operation: its answer, or the reason why not.
    pub async fn ask<R: Request>(
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

    pub async fn create(&self, version: Version, more: Vec<AttributeValue>) -> String {
        self.ask(version, aes(more)).await.unwrap().unique_identifier
    }
}

pub fn client(owner: &str) -> Client {
    Client::new(owner, SocketAddr::from(([127, 0, 0, 1], 1)))
}

/// A request for an AES-256 key with these further attributes.
pub fn aes(more: Vec<AttributeValue>) -> CreateRequest {
    let basic = [
        AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::AES),
        AttributeValue::CryptographicLength(256),
        AttributeValue::CryptographicUsageMask(
            CryptographicUsageMask::Encrypt.union(CryptographicUsageMask::Decrypt),
        ),
    ];
    create_with(basic.into_iter().chain(more))
}

pub fn create_with(values: impl IntoIterator<Item = AttributeValue>) -> CreateRequest {
    CreateRequest {
        object_type: ObjectType::SymmetricKey,
        attributes: Attributes::new(values),
        protection_storage_masks: None,
    }
}

pub fn name(text: &str) -> AttributeValue {
    AttributeValue::Name(Name::text(text))
}

pub fn id(text: &str) -> Option<Identifier> {
    Some(Identifier::from(text))
}

pub fn created(item: &ResponseBatchItem) -> String {
    match &item.payload {
        Some(ResponsePayload::Create(CreateResponse { unique_identifier, .. })) => {
            unique_identifier.clone()
        }
        other => panic!("{other:?}"),
    }
}
