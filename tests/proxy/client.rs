//! A client that sends one operation a message, and what is asked and answered.

use std::io;
use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};

use harness::{FrameConnection, Lab};
use kmip::attributes::{AttributeReference, AttributeValue, Attributes};
use kmip::encoding::Element;
use kmip::message::{RequestBatchItem, RequestHeader, RequestMessage, ResponseMessage};
use kmip::payload::{
    ActivateRequest, CreateRequest, GetAttributesRequest, GetRequest, LocateRequest,
    RequestPayload, ResponsePayload,
};
use kmip::structures::Name;
use kmip::vocabulary::{CryptographicAlgorithm, CryptographicUsageMask, ObjectType, State};
use kmip::{Version, tags};

/// A client of the lab, connected.
pub(crate) struct TestClient {
    connection: FrameConnection,
    pub(crate) version: Version,
}

impl Deref for TestClient {
    type Target = FrameConnection;

    fn deref(&self) -> &FrameConnection {
        &self.connection
    }
}

impl DerefMut for TestClient {
    fn deref_mut(&mut self) -> &mut FrameConnection {
        &mut self.connection
    }
}

/// A message with this item only.
pub(crate) fn request(version: Version, payload: impl Into<RequestPayload>) -> Vec<u8> {
    let payload: RequestPayload = payload.into();
    let items = vec![RequestBatchItem::from(payload)];
    RequestMessage { header: RequestHeader::new(version, 1), items }.encode()
}

impl TestClient {
    pub(crate) fn connect(address: SocketAddr, lab: &Lab, name: &str) -> Self {
        let (cert, key) = (lab.pem(&format!("{name}.crt")), lab.pem(&format!("{name}.key")));
        let connection = FrameConnection::connect(address, &lab.pem("ca.crt"), &cert, &key);
        Self { connection, version: Version::V1_4 }
    }

    /// Sends one item and waits for its answer.
    pub(crate) fn ask(&mut self, payload: impl Into<RequestPayload>) -> io::Result<Answer> {
        let frame = request(self.version, payload);
        self.connection.send(&frame)?;
        self.answer()
    }

    /// Waits for the next answer.
    pub(crate) fn answer(&mut self) -> io::Result<Answer> {
        let bytes = self.connection.receive_frame()?;
        let message = ResponseMessage::decode(&bytes).map_err(io::Error::other)?;
        Ok(Answer(message))
    }

    /// Makes a key of AES, which has this name; its identifier.
    pub(crate) fn create(&mut self, name: &str) -> String {
        self.ask(create(name)).unwrap().identifier()
    }
}

/// A response with one item.
#[derive(Debug)]
pub(crate) struct Answer(pub(crate) ResponseMessage);

impl Answer {
    /// The Result Reason, if it failed.
    pub(crate) fn reason(&self) -> Option<&'static str> {
        self.0.items[0].result_reason.and_then(|reason| reason.name())
    }

    pub(crate) fn payload(&self) -> &ResponsePayload {
        self.0.items[0].payload.as_ref().unwrap_or_else(|| panic!("{:?}", self.0))
    }

    /// The identifier that the answer begins with.
    pub(crate) fn identifier(&self) -> String {
        self.text("UniqueIdentifier")
    }

    pub(crate) fn located(&self) -> Vec<String> {
        let ResponsePayload::Locate(located) = self.payload() else { panic!("{:?}", self.0) };
        located.unique_identifiers.clone()
    }

    /// The bytes of the key, in hex.
    pub(crate) fn key(&self) -> String {
        self.text("KeyMaterial")
    }

    pub(crate) fn state(&self) -> State {
        let ResponsePayload::GetAttributes(got) = self.payload() else { panic!("{:?}", self.0) };
        let state = got.attributes.0.iter().find_map(|attribute| {
            if let AttributeValue::State(state) = attribute.value { Some(state) } else { None }
        });
        state.unwrap()
    }

    /// The text of the first item of this name.
    fn text(&self, name: &str) -> String {
        let element = Element::from_ttlv(&self.0.encode()).unwrap();
        find(&element, name).unwrap_or_else(|| panic!("{:?}", self.0))
    }
}

fn find(element: &Element, name: &str) -> Option<String> {
    if element.name == name {
        return element.text().map(str::to_owned);
    }
    element.children().iter().find_map(|child| find(child, name))
}

pub(crate) fn create(name: &str) -> CreateRequest {
    let mask = CryptographicUsageMask::Encrypt.union(CryptographicUsageMask::Decrypt);
    CreateRequest {
        object_type: ObjectType::SymmetricKey,
        attributes: Attributes::new([
            AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::AES),
            AttributeValue::CryptographicLength(256),
            AttributeValue::CryptographicUsageMask(mask),
            AttributeValue::Name(Name::text(name)),
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

pub(crate) fn activate(id: &str) -> ActivateRequest {
    ActivateRequest { unique_identifier: Some(id.into()) }
}

pub(crate) fn locate() -> LocateRequest {
    LocateRequest::default()
}

pub(crate) fn get_state(id: &str) -> GetAttributesRequest {
    let state = AttributeReference::Standard(tags::State);
    GetAttributesRequest { unique_identifier: Some(id.into()), attributes: vec![state] }
}
