//! What is said on one connection, and by whom.
//!
//! ```text
//! the client asks:    request -> answer
//!                        | Set Endpoint Role
//! the server asks:    Discover Versions . Query -> Notify | Put, as objects change
//!                        | Set Endpoint Role
//! the client asks:    ...
//! ```
//!
//! A request of the client is answered in either role: it disturbs nothing, and with Set Endpoint
//! Role it takes its own role back. Knows no socket and no TLS: frames in, frames out.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use kmip::attributes::{AttributeList, AttributeReference};
use kmip::message::{RequestBatchItem, RequestHeader, RequestMessage, ResponseMessage};
use kmip::payload::{
    DiscoverVersionsRequest, GetAttributesRequest, GetRequest, NotifyRequest, PutRequest,
    QueryRequest, RequestPayload, ResponsePayload, SetEndpointRoleRequest,
};
use kmip::vocabulary::{
    EndpointRole, Operation, PutFunction, QueryFunction, ResultReason, ResultStatus, tags,
};
use kmip::{Identifier, Version};
use tokio::time::{Instant, sleep_until};
use ttlv::Tag;

use crate::auth::client::Client;
use crate::auth::endpoint_role::Endpoint;
use crate::auth::held_bytes::HeldBuffer;
use crate::dispatch::key_server::KeyServer;
use crate::keystore::notifications::{Kind, Next, ObjectChange, Subscriber};
use crate::net::deadline::deadline_after;
use crate::net::end::CloseReason;
use crate::secret::SecretBuffer;

/// How many requests in a row a client may refuse before it is given its role back: one that
/// understands none of them has not meant to be asked.
const REFUSALS_MAX: u32 = 8;

/// What is said on one connection.
pub(crate) struct Exchange<'a> {
    key_server: &'a KeyServer,
    client: Client,
    endpoint: Arc<Endpoint>,
    /// How long the client has for a response.
    patience: Duration,
    server_role: Option<Box<ServerRole>>,
}

/// The server's part while it asks.
struct ServerRole {
    version: Version,
    subscriber: Subscriber,
    next: Step,
    /// What the client has not answered yet, and until when it may.
    open: Option<(Operation, Instant)>,
    takes_notify: bool,
    takes_put: bool,
    refusals: u32,
}

/// What the server asks next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Versions,
    Functions,
    ObjectChange,
    Return,
}

impl<'a> Exchange<'a> {
    /// A talk in which the client asks, unless the settings have it otherwise.
    pub(crate) fn new(key_server: &'a KeyServer, client: Client, patience: Duration) -> Self {
        let endpoint = Arc::new(Endpoint::default());
        endpoint.ask(key_server.state().push_targets.version_for(&client.owner));
        let client = Client { endpoint: Some(Arc::clone(&endpoint)), ..client };
        Self { key_server, client, endpoint, patience, server_role: None }
    }

    /// Is a frame with this tag one that may come now?
    pub(crate) fn takes(&self, tag: Tag) -> bool {
        tag == tags::RequestMessage || (tag == tags::ResponseMessage && self.server_role.is_some())
    }

    /// The answer to bytes that are no frame.
    pub(crate) fn refuse(&self, why: &str) -> SecretBuffer {
        self.key_server.refuse(why)
    }

    /// Completes when [`Self::say`] has something to say; may be dropped and called again.
    pub(crate) async fn ready(&self) {
        match &self.server_role {
            None if self.endpoint.asks().is_some() => {}
            None => pending().await,
            Some(server_role) => match server_role.open {
                Some((_, until)) => sleep_until(until).await,
                None if server_role.next == Step::ObjectChange => {
                    server_role.subscriber.wait().await
                }
                None => {}
            },
        }
    }

    /// Nothing was said for so long that the connection would be closed: the client has its role
    /// back, and then as long again. False if the client asks already.
    pub(crate) fn take_role_back_if_idle(&mut self) -> bool {
        match &mut self.server_role {
            Some(server_role)
                if server_role.open.is_none() && server_role.version >= Version::V2_0 =>
            {
                server_role.next = Step::Return;
                true
            }
            Some(_) | None => false,
        }
    }

    /// What the server says now, if anything.
    pub(crate) async fn say(&mut self) -> Result<Option<SecretBuffer>, CloseReason> {
        if self.server_role.is_none() {
            self.begin();
        }
        let Some(server_role) = &mut self.server_role else { return Ok(None) };
        if server_role.open.is_some() {
            return Err(CloseReason::Unanswered);
        }
        let payload = match server_role.next {
            Step::Versions => discover_versions(),
            Step::Functions => query(),
            Step::Return if server_role.version < Version::V2_0 => {
                self.end();
                return Ok(None);
            }
            Step::Return => SetEndpointRoleRequest { endpoint_role: EndpointRole::Client }.into(),
            Step::ObjectChange => match server_role.subscriber.take() {
                Next::Nothing => return Ok(None),
                Next::Superseded => {
                    tracing::info!("another connection of the client is told what changes");
                    server_role.next = Step::Return;
                    return Ok(None);
                }
                Next::ObjectChange(news) => {
                    match server_role.tell(self.key_server, &self.client, news).await {
                        Some(payload) => payload,
                        None => {
                            server_role.subscriber.heard();
                            return Ok(None);
                        }
                    }
                }
            },
        };
        server_role.open = Some((payload.operation(), deadline_after(self.patience)));
        let header = RequestHeader::new(server_role.version, 1);
        let message = RequestMessage { header, items: vec![RequestBatchItem::from(payload)] };
        let frame = SecretBuffer::new(message.encode());
        self.key_server.trace("request of the server", &self.client, &frame);
        Ok(Some(frame))
    }

    /// The client said this: a request, which is answered, or a response.
    pub(crate) async fn hear(&mut self, frame: &[u8]) -> Result<Option<HeldBuffer>, CloseReason> {
        if !frame.starts_with(&[0x42, 0x00, 0x7B]) {
            let answer = self.key_server.answer(&self.client, frame).await;
            if self.server_role.is_some() && self.endpoint.asks().is_none() {
                self.end();
            }
            return Ok(Some(answer));
        }
        self.key_server.trace("response of the client", &self.client, frame);
        let response = ResponseMessage::decode(frame).map_err(|why| {
            CloseReason::NotAnswer(format!("the client's response is wrong: {why}"))
        })?;
        let nobody = || CloseReason::NotAnswer("the client answered what nobody asked".to_owned());
        let server_role = self.server_role.as_mut().ok_or_else(nobody)?;
        let (operation, _) = server_role.open.take().ok_or_else(nobody)?;
        let item = response.items.into_iter().next().ok_or_else(nobody)?;
        if item.operation.is_some_and(|answered| answered != operation) {
            let why = format!("the client answered {:?} to {operation:?}", item.operation);
            return Err(CloseReason::NotAnswer(why));
        }
        let refused = (item.result_status != ResultStatus::Success).then_some(item.result_reason);
        if let Some(reason) = refused {
            let reason = reason.unwrap_or(ResultReason::GeneralFailure);
            tracing::warn!(?operation, ?reason, "the client refused a request of the server");
        }
        if server_role.learn(refused, item.payload) {
            self.end();
        }
        Ok(None)
    }

    /// The roles are swapped: the client is asked what it takes, and then told.
    fn begin(&mut self) {
        let Some(version) = self.endpoint.asks() else { return };
        let Some(subscriber) = self.key_server.state().notifications.follow(&self.client.owner)
        else {
            tracing::warn!("too many clients are told what changes: this one is not");
            return self.end();
        };
        // In 1.x the roles are swapped by the settings, by one who knows what the client takes.
        let next = if version < Version::V2_0 { Step::ObjectChange } else { Step::Versions };
        tracing::info!("the server asks on this connection, in KMIP {version}");
        self.server_role = Some(Box::new(ServerRole {
            version,
            subscriber,
            next,
            open: None,
            takes_notify: true,
            takes_put: version < Version::V2_0,
            refusals: 0,
        }));
    }

    /// The client asks again.
    fn end(&mut self) {
        self.endpoint.ask(None);
        if self.server_role.take().is_some() {
            tracing::info!("the client asks on this connection again");
        }
    }
}

impl ServerRole {
    /// Takes in what the client answered; true when its role is given back by that.
    fn learn(
        &mut self,
        refused: Option<Option<ResultReason>>,
        payload: Option<ResponsePayload>,
    ) -> bool {
        let step = self.next;
        match step {
            // A client that cannot say which versions it has understands at least the one it used.
            Step::Versions => {
                if let Some(ResponsePayload::DiscoverVersions(found)) = payload {
                    let common = |version: &&Version| {
                        **version >= Version::V2_0 && found.protocol_versions.contains(version)
                    };
                    self.next = match Version::SERVED.iter().find(common) {
                        Some(version) => {
                            self.version = *version;
                            Step::Functions
                        }
                        None => Step::Return,
                    };
                } else {
                    self.next = Step::Functions;
                }
            }
            // One that cannot say what it takes is told, and sent no keys.
            Step::Functions => {
                if let Some(ResponsePayload::Query(found)) = payload {
                    self.takes_notify = found.operations.contains(&Operation::Notify);
                    self.takes_put = found.operations.contains(&Operation::Put);
                }
                self.next = match self.takes_notify || self.takes_put {
                    true => Step::ObjectChange,
                    false => Step::Return,
                };
            }
            Step::ObjectChange => {
                self.subscriber.heard();
                self.refusals = match refused {
                    Some(_) => self.refusals.saturating_add(1),
                    None => 0,
                };
                if self.refusals >= REFUSALS_MAX {
                    self.next = Step::Return;
                }
            }
            // It may have been made to ask for its role while the question was on its way.
            Step::Return => return true,
        }
        false
    }

    /// The message that tells it, if the client takes one and there is still something to tell.
    async fn tell(
        &self,
        key_server: &KeyServer,
        client: &Client,
        news: ObjectChange,
    ) -> Option<RequestPayload> {
        let id = || Some(Identifier::from(news.id.as_str()));
        let replaced = match &news.kind {
            Kind::New => Some(None),
            Kind::Replaces(old) => Some(Some(old.clone())),
            Kind::Changed => None,
        };
        if let (Some(replaced), true) = (replaced, self.takes_put) {
            let get = GetRequest {
                unique_identifier: id(),
                key_format_type: None,
                key_wrap_type: None,
                key_compression_type: None,
                key_wrapping_specification: None,
            };
            let all = GetAttributesRequest { unique_identifier: id(), attributes: Vec::new() };
            let asked = vec![get.into(), all.into()];
            let mut found = key_server.ask(client, self.version, asked).await.into_iter();
            // What Get would not give to the client is not sent to it either.
            if let (
                Some(ResponsePayload::Get(object)),
                Some(ResponsePayload::GetAttributes(attributes)),
            ) = (found.next(), found.next())
            {
                let function =
                    if replaced.is_some() { PutFunction::Replace } else { PutFunction::New };
                return Some(
                    PutRequest {
                        unique_identifier: news.id,
                        put_function: function,
                        replaced_unique_identifier: replaced,
                        object: object.object,
                        attributes: AttributeList(attributes.attributes.0),
                    }
                    .into(),
                );
            }
        }
        if !self.takes_notify {
            return None;
        }
        let last_change = AttributeReference::Standard(tags::LastChangeDate);
        let mut attributes: Vec<AttributeReference> = news.changed.into_iter().collect();
        if !attributes.contains(&last_change) {
            attributes.push(last_change);
        }
        let now = GetAttributesRequest { unique_identifier: id(), attributes };
        let found = key_server.ask(client, self.version, vec![now.into()]).await;
        match found.into_iter().next() {
            Some(ResponsePayload::GetAttributes(found)) => Some(
                NotifyRequest {
                    unique_identifier: news.id,
                    attributes: AttributeList(found.attributes.0),
                    deleted: news.deleted.into_iter().collect(),
                }
                .into(),
            ),
            _ => None,
        }
    }
}

/// Which versions has the client (2.1, 6.2.1)?
fn discover_versions() -> RequestPayload {
    let since = |version: &Version| *version >= Version::V2_0;
    let protocol_versions = Version::SERVED.iter().copied().filter(since).collect();
    DiscoverVersionsRequest { protocol_versions }.into()
}

/// What does the client take (2.1, 6.2.4)?
fn query() -> RequestPayload {
    let query_functions = vec![QueryFunction::QueryOperations, QueryFunction::QueryObjects];
    QueryRequest { query_functions, object_groups: None }.into()
}
