//! The server asks: Set Endpoint Role, and what it sends after that (1.4, 5; 2.1, 6.1.54 and 6.2;
//! usage guide 2.1, 3.50 and 3.51).

use std::time::Duration;

use kmip::attributes::{AttributeReference, AttributeValue, Attributes};
use kmip::message::{
    RequestBatchItem, RequestHeader, RequestMessage, ResponseBatchItem, ResponseHeader,
    ResponseMessage,
};
use kmip::payload::{
    ActivateRequest, CreateRequest, DeleteAttributeRequest, DiscoverVersionsResponse, GetRequest,
    NotifyRequest, PutRequest, QueryResponse, ReKeyRequest, Request, RequestPayload,
    ResponsePayload, SetEndpointRoleRequest, SetEndpointRoleResponse,
};
use kmip::structures::Name;
use kmip::vocabulary::{
    CryptographicAlgorithm, CryptographicUsageMask, EndpointRole, ObjectType, Operation,
    PutFunction, ResultReason, ResultStatus, State, tags,
};
use kmip::{DateTime, Identifier, Version};
use kmip_server::Client as Owner;
use kmip_server::config::PushTargets;
use kmip_server::config::{Identity, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::client::{PATIENCE, Stream, certificate, exchange, hex};
use crate::running::{Lab, Running};

const V2_1: Version = Version::V2_1;

/// A client that can be asked.
struct Peer {
    stream: Stream,
    version: Version,
}

impl Peer {
    async fn connect(lab: &Lab, server: &Running, version: Version) -> Self {
        Self { stream: lab.client().connect(server.address).await.unwrap(), version }
    }

    async fn send(&mut self, frame: &[u8]) {
        self.stream.write_all(frame).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// The next frame, whatever it is; none when the server has closed the connection.
    async fn frame(&mut self) -> Option<Vec<u8>> {
        let mut frame = vec![0; 8];
        let read = timeout(PATIENCE, self.stream.read_exact(&mut frame)).await;
        read.expect("the server says something in time").ok()?;
        let len = u32::from_be_bytes(frame[4..].try_into().unwrap());
        (&mut self.stream).take(len.into()).read_to_end(&mut frame).await.unwrap();
        Some(frame)
    }

    async fn ask<R: Request>(&mut self, request: R) -> Result<R::Response, ResultReason> {
        let header = RequestHeader::new(self.version, 1);
        let message = RequestMessage { header, items: vec![RequestBatchItem::from(request)] };
        self.send(&message.encode()).await;
        let response = ResponseMessage::decode(&self.frame().await.unwrap()).unwrap();
        let item = response.items.into_iter().next().unwrap();
        match item.payload {
            Some(payload) => Ok(R::Response::try_from(payload).unwrap()),
            None => Err(item.result_reason.unwrap()),
        }
    }

    /// Gives its role away.
    async fn swap(&mut self) {
        let request = SetEndpointRoleRequest { endpoint_role: EndpointRole::Client };
        let response = self.ask(request).await.unwrap();
        assert_eq!(response.endpoint_role, EndpointRole::Client);
    }

    /// What the server asks; none when it has closed the connection.
    async fn asked(&mut self) -> Option<RequestPayload> {
        let message = RequestMessage::decode(&self.frame().await?).unwrap();
        let header = &message.header;
        assert_eq!(header.protocol_version, self.version);
        assert_eq!(header.maximum_response_size, None, "1.4, 5.1");
        assert_eq!((header.asynchronous_indicator, header.batch_order_option), (None, None));
        Some(message.items.into_iter().next().unwrap().payload)
    }

    async fn say(&mut self, item: ResponseBatchItem) {
        let header = ResponseHeader {
            protocol_version: self.version,
            time_stamp: DateTime(1),
            nonce: None,
            server_hashed_password: None,
            attestation_types: Vec::new(),
            client_correlation_value: None,
            server_correlation_value: None,
            batch_count: 1,
        };
        self.send(&ResponseMessage { header, items: vec![item] }.encode()).await;
    }

    async fn answer(&mut self, operation: Operation, payload: Option<ResponsePayload>) {
        self.say(item(operation, ResultStatus::Success, None, payload)).await;
    }

    async fn refuse(&mut self, operation: Operation) {
        let reason = Some(ResultReason::OperationNotSupported);
        self.say(item(operation, ResultStatus::OperationFailed, reason, None)).await;
    }

    /// Tells the server its versions and what it takes.
    async fn introduce(&mut self, versions: &[Version], operations: &[Operation]) {
        let Some(RequestPayload::DiscoverVersions(asked)) = self.asked().await else { panic!() };
        assert_eq!(asked.protocol_versions, [Version::V2_1, Version::V2_0]);
        let versions = DiscoverVersionsResponse { protocol_versions: versions.to_vec() };
        self.answer(Operation::DiscoverVersions, Some(versions.into())).await;
        let Some(RequestPayload::Query(_)) = self.asked().await else { panic!() };
        let found = QueryResponse { operations: operations.to_vec(), ..QueryResponse::default() };
        self.answer(Operation::Query, Some(found.into())).await;
    }

    async fn put(&mut self) -> PutRequest {
        match self.asked().await {
            Some(RequestPayload::Put(put)) => {
                self.answer(Operation::Put, None).await;
                put
            }
            other => panic!("{other:?}"),
        }
    }

    async fn notify(&mut self) -> NotifyRequest {
        match self.asked().await {
            Some(RequestPayload::Notify(notify)) => {
                self.answer(Operation::Notify, None).await;
                notify
            }
            other => panic!("{other:?}"),
        }
    }

    /// The server gives the client its role back.
    async fn is_given_its_role(&mut self) {
        match self.asked().await {
            Some(RequestPayload::SetEndpointRole(request)) => {
                assert_eq!(request.endpoint_role, EndpointRole::Client);
                let taken = SetEndpointRoleResponse { endpoint_role: EndpointRole::Client };
                self.answer(Operation::SetEndpointRole, Some(taken.into())).await;
            }
            other => panic!("{other:?}"),
        }
        exchange(&mut self.stream).await.expect("it asks again, and is answered");
    }

    async fn create(&mut self, name: &str) -> String {
        self.ask(aes(name)).await.unwrap().unique_identifier
    }
}

fn item(
    operation: Operation,
    result_status: ResultStatus,
    result_reason: Option<ResultReason>,
    payload: Option<ResponsePayload>,
) -> ResponseBatchItem {
    ResponseBatchItem {
        operation: Some(operation),
        unique_batch_item_id: None,
        result_status,
        result_reason,
        result_message: None,
        asynchronous_correlation_value: None,
        payload,
        message_extension: None,
    }
}

fn aes(name: &str) -> CreateRequest {
    let encrypt = CryptographicUsageMask::Encrypt;
    CreateRequest {
        object_type: ObjectType::SymmetricKey,
        attributes: Attributes::new([
            AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::AES),
            AttributeValue::CryptographicLength(128),
            AttributeValue::CryptographicUsageMask(encrypt),
            AttributeValue::Name(Name::text(name)),
        ]),
        protection_storage_masks: None,
    }
}

fn id(id: &str) -> Option<Identifier> {
    Some(Identifier::from(id))
}

fn without_name(object: &str) -> DeleteAttributeRequest {
    DeleteAttributeRequest {
        unique_identifier: id(object),
        current_attribute: None,
        attribute: Some(standard(tags::Name)),
        attribute_index: None,
    }
}

fn values(notify: &NotifyRequest) -> Vec<AttributeReference> {
    notify.attributes.0.iter().map(|attribute| attribute.value.reference()).collect()
}

fn standard(tag: ttlv::Tag) -> AttributeReference {
    AttributeReference::Standard(tag)
}

async fn swapped(lab: &Lab, server: &Running, operations: &[Operation]) -> Peer {
    let mut peer = Peer::connect(lab, server, V2_1).await;
    peer.swap().await;
    peer.introduce(&[Version::V2_1, Version::V2_0], operations).await;
    peer
}

#[tokio::test]
async fn a_client_is_put_new_keys_and_notified_of_changes_and_takes_its_role_back() {
    let lab = Lab::new();
    let server = Running::start(&lab.settings());
    let mut peer = swapped(&lab, &server, &[Operation::Notify, Operation::Put]).await;
    let mut other = Peer::connect(&lab, &server, V2_1).await;

    let key = other.create("a key").await;
    let put = peer.put().await;
    assert_eq!((put.unique_identifier.as_str(), put.put_function), (&*key, PutFunction::New));
    assert!(put.attributes.0.iter().any(|a| a.value == AttributeValue::Name(Name::text("a key"))));
    let get = GetRequest {
        unique_identifier: id(&key),
        key_format_type: None,
        key_wrap_type: None,
        key_compression_type: None,
        key_wrapping_specification: None,
    };
    let got = other.ask(get).await.unwrap();
    assert_eq!(put.object.key_block().unwrap().bytes(), got.object.key_block().unwrap().bytes());

    other.ask(ActivateRequest { unique_identifier: id(&key) }).await.unwrap();
    let notify = peer.notify().await;
    assert_eq!(notify.unique_identifier, key);
    let state = AttributeValue::State(State::Active);
    assert!(notify.attributes.0.iter().any(|attribute| attribute.value == state));
    for tag in [tags::ActivationDate, tags::LastChangeDate] {
        assert!(values(&notify).contains(&standard(tag)), "{notify:?}");
    }
    assert!(!values(&notify).contains(&standard(tags::Name)), "the name is the same");

    other.ask(without_name(&key)).await.unwrap();
    assert_eq!(peer.notify().await.deleted, [standard(tags::Name)]);

    let re_key = ReKeyRequest {
        unique_identifier: id(&key),
        offset: None,
        attributes: None,
        protection_storage_masks: None,
    };
    let new = other.ask(re_key).await.unwrap().unique_identifier;
    // Which of the two is told first is nobody's business.
    let mut told = Vec::new();
    for _ in 0..2 {
        let asked = peer.asked().await.unwrap();
        peer.answer(asked.operation(), None).await;
        match asked {
            RequestPayload::Put(put) => {
                let replaces = (put.put_function, put.replaced_unique_identifier);
                assert_eq!(replaces, (PutFunction::Replace, Some(key.clone())));
                told.push(put.unique_identifier);
            }
            RequestPayload::Notify(notify) => {
                assert!(values(&notify).contains(&standard(tags::Link)), "{notify:?}");
                told.push(notify.unique_identifier);
            }
            other => panic!("{other:?}"),
        }
    }
    told.sort();
    assert_eq!(told, [key, new], "the old key says by which it was replaced");

    let back = SetEndpointRoleRequest { endpoint_role: EndpointRole::Server };
    assert_eq!(peer.ask(back).await.unwrap().endpoint_role, EndpointRole::Server);
    other.create("not told").await;
    exchange(&mut peer.stream).await.expect("its own request is answered, and nothing before it");
    peer.swap().await;
    peer.introduce(&[V2_1], &[Operation::Notify, Operation::Put]).await;
    peer.put().await;
}

#[tokio::test]
async fn a_client_that_takes_no_put_is_sent_no_key() {
    let lab = Lab::new();
    let server = Running::start(&lab.settings());
    let mut peer = swapped(&lab, &server, &[Operation::Notify]).await;
    let key = Peer::connect(&lab, &server, V2_1).await.create("a key").await;
    let notify = peer.notify().await;
    assert_eq!(notify.unique_identifier, key);
    assert!(values(&notify).contains(&standard(tags::CryptographicAlgorithm)), "all of it is new");
}

#[tokio::test]
async fn another_clients_objects_are_no_news() {
    let lab = Lab::new();
    let server = Running::start(&lab.settings());
    let mut peer = swapped(&lab, &server, &[Operation::Notify]).await;
    let pair = lab.authority.client("another client").unwrap();
    let stranger = crate::client::Client::new(lab.authority.cert_pem(), Some(&pair));
    let stream = stranger.connect(server.address).await.unwrap();
    Peer { stream, version: V2_1 }.create("secret").await;
    let own = Peer::connect(&lab, &server, V2_1).await.create("own").await;
    assert_eq!(peer.notify().await.unique_identifier, own);
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_given_its_role_back() {
    let lab = Lab::new();
    let server = Running::start(&lab.settings());
    let mut peer = swapped(&lab, &server, &[Operation::DiscoverVersions, Operation::Query]).await;
    peer.is_given_its_role().await;

    // One that has no version in common.
    let mut peer = Peer::connect(&lab, &server, V2_1).await;
    peer.swap().await;
    let Some(RequestPayload::DiscoverVersions(_)) = peer.asked().await else { panic!() };
    let versions = DiscoverVersionsResponse { protocol_versions: vec![Version::V1_4] };
    peer.answer(Operation::DiscoverVersions, Some(versions.into())).await;
    peer.is_given_its_role().await;
}

#[tokio::test]
async fn a_client_that_cannot_say_what_it_takes_is_notified_until_it_refuses_too_often() {
    let lab = Lab::new();
    let server = Running::start(&lab.settings());
    let mut peer = Peer::connect(&lab, &server, V2_1).await;
    peer.swap().await;
    for operation in [Operation::DiscoverVersions, Operation::Query] {
        assert_eq!(peer.asked().await.unwrap().operation(), operation);
        peer.refuse(operation).await;
    }
    let mut other = Peer::connect(&lab, &server, V2_1).await;
    for n in 0..8 {
        other.create(&n.to_string()).await;
    }
    for _ in 0..8 {
        assert_eq!(peer.asked().await.unwrap().operation(), Operation::Notify);
        peer.refuse(Operation::Notify).await;
    }
    peer.is_given_its_role().await;
}

#[tokio::test]
async fn a_client_that_does_not_answer_is_cut_off_and_told_again_when_it_comes_back() {
    let lab = Lab::new();
    let settings = Settings { message_deadline_ms: 500, ..lab.settings() };
    let server = Running::start(&settings);
    let mut peer = swapped(&lab, &server, &[Operation::Notify]).await;
    let key = Peer::connect(&lab, &server, V2_1).await.create("a key").await;
    assert_eq!(peer.asked().await.unwrap().operation(), Operation::Notify);
    assert!(peer.frame().await.is_none(), "the connection is closed");
    let later = Peer::connect(&lab, &server, V2_1).await.create("while away").await;
    let mut peer = swapped(&lab, &server, &[Operation::Notify]).await;
    assert_eq!(peer.notify().await.unique_identifier, key);
    assert_eq!(peer.notify().await.unique_identifier, later);
}

#[tokio::test]
async fn the_connection_that_swapped_last_is_told() {
    let lab = Lab::new();
    let server = Running::start(&lab.settings());
    let mut first = swapped(&lab, &server, &[Operation::Notify]).await;
    let mut second = swapped(&lab, &server, &[Operation::Notify]).await;
    first.is_given_its_role().await;
    let key = first.create("a key").await;
    assert_eq!(second.notify().await.unique_identifier, key);
}

#[tokio::test]
async fn a_silent_client_is_given_its_role_back_and_then_closed() {
    let lab = Lab::new();
    let settings = Settings { idle_deadline_ms: 300, ..lab.settings() };
    let server = Running::start(&settings);
    let mut peer = swapped(&lab, &server, &[Operation::Notify]).await;
    peer.is_given_its_role().await;
    assert!(peer.frame().await.is_none(), "the idle deadline holds as ever");
}

/// What is no answer ends the connection: the frame, and whether roles are swapped.
#[tokio::test]
async fn what_is_no_answer_ends_the_connection() {
    let lab = Lab::new();
    let server = Running::start(&lab.settings());
    let rows: [(&str, Vec<u8>, bool); 3] = [
        ("a response that nobody asked for, from a client", hex("42007B01 00000000"), false),
        ("a response that cannot be read", hex("42007B01 00000000"), true),
        ("no KMIP", hex("42007C01 00000000"), true),
    ];
    for (what, frame, swap) in rows {
        let mut peer = Peer::connect(&lab, &server, V2_1).await;
        if swap {
            peer.swap().await;
            peer.asked().await.unwrap();
        }
        peer.send(&frame).await;
        assert!(peer.frame().await.is_none(), "{what}");
    }
    // An answer to another question than the one that is open.
    let mut peer = Peer::connect(&lab, &server, V2_1).await;
    peer.swap().await;
    peer.asked().await.unwrap();
    peer.answer(Operation::Put, None).await;
    assert!(peer.frame().await.is_none());
    lab.client().is_served(server.address).await;
}

/// 1.4, 5.1: out of band it is settled who is told.
#[tokio::test]
async fn a_client_of_1_4_is_told_where_the_settings_say_so() {
    let lab = Lab::new();
    let owner = Owner::owner_name(&certificate(&lab.client.cert_pem), Identity::Subject);
    let file = lab.path("pushes");
    std::fs::write(&file, format!("1.4 {owner}\n")).unwrap();
    let push_targets = PushTargets::read(&file).unwrap();
    let server = Running::with_push_targets(&lab.settings(), push_targets);
    let mut peer = Peer::connect(&lab, &server, Version::V1_4).await;
    // Its own requests are answered as ever. What it makes, it is told, one connection at a time.
    exchange(&mut peer.stream).await.unwrap();
    peer.send(&{
        let header = RequestHeader::new(Version::V1_4, 1);
        RequestMessage { header, items: vec![aes("a key").into()] }.encode()
    })
    .await;
    let response = ResponseMessage::decode(&peer.frame().await.unwrap()).unwrap();
    let Some(ResponsePayload::Create(made)) = &response.items[0].payload else { panic!() };
    let put = peer.put().await;
    assert_eq!(put.unique_identifier, made.unique_identifier);
    peer.ask(without_name(&made.unique_identifier)).await.unwrap();
    let notify = peer.notify().await;
    assert_eq!(notify.deleted, [standard(tags::Name)], "1.4, 5.1: an Attribute without its value");
    assert_eq!(values(&notify), [standard(tags::LastChangeDate)]);
}

#[tokio::test]
async fn a_stop_ends_a_connection_on_which_the_server_asks() {
    let lab = Lab::new();
    let mut server = Running::start(&lab.settings());
    let mut peer = swapped(&lab, &server, &[Operation::Notify]).await;
    server.stop();
    assert!(peer.frame().await.is_none());
    timeout(Duration::from_secs(60), server.ended()).await.unwrap();
}
