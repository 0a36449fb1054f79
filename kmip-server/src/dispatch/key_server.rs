//! A whole message in, a whole message out.
//!
//! ```text
//! frame -> message -> who asks -> attempt -------------------> response -> frame
//!                                |  `- asynchronous: "pending" -^
//! ```
//!
//! Knows no socket and no TLS. **What it answers is durable before it returns**: all changes of a
//! batch are one commit, and when another batch was quicker the whole batch is done again on what
//! that one left.

use std::sync::Arc;

use kmip::Version;
use kmip::message::{RequestBatchItem, RequestHeader, RequestMessage};
use kmip::payload::{RequestPayload, ResponsePayload};
use kmip::vocabulary::ResultReason;

use crate::auth::client::Client;
use crate::auth::credentials::{self, Users};
use crate::auth::superseded_certificates;
use crate::config::policy::Policy;
use crate::config::push_targets::PushTargets;
use crate::dispatch::asynchronous;
use crate::dispatch::batch;
use crate::dispatch::commit::{self, BatchResponse};
use crate::dispatch::resources::{Resources, now};
use crate::dispatch::response::{encode, failure, is_too_large, respond, too_large};
use crate::keystore::process_state::ProcessState;
use crate::objects::error::OperationError;
use crate::objects::index::{self, OwnRows};
use crate::secret::SecretBuffer;
use crate::store::Store;
use crate::store::root_key::IndexKey;

/// The log target of the messages themselves: `kmip_server::messages=trace` shows them.
pub const MESSAGE_TRACE: &str = "kmip_server::messages";

/// What the keys of records begin with that nearly every message asks for, and that hardly ever
/// change: a store may remember them, where no other process writes to it.
pub(crate) const SELDOM_WRITTEN: &[&[u8]] = &[index::SETTINGS, superseded_certificates::ROWS];

/// The key server behind every door.
pub struct KeyServer {
    resources: Resources,
    users: Users,
}

impl KeyServer {
    /// Serves the objects in `store`, whose index rows are keyed with `index_key`.
    pub fn new(store: Arc<dyn Store>, index_key: IndexKey) -> Self {
        let (policy, state) = (Arc::default(), Arc::default());
        Self { resources: Resources { store, index_key, policy, state }, users: Users::default() }
    }

    /// The same, with users whose credentials a request may carry.
    #[must_use]
    pub(crate) fn with_users(self, users: Users) -> Self {
        Self { users, ..self }
    }

    /// The same, with other in-memory state.
    #[must_use]
    pub(crate) fn with_state(self, state: ProcessState) -> Self {
        Self { resources: Resources { state: Arc::new(state), ..self.resources }, ..self }
    }

    /// The same, with clients of KMIP 1.x that are notified without having asked (1.4, 5.1).
    #[must_use]
    pub fn with_push_targets(self, push_targets: PushTargets) -> Self {
        self.with_state(ProcessState { push_targets, ..ProcessState::default() })
    }

    /// The same, with what the settings let operations do.
    #[must_use]
    pub fn with_policy(self, policy: Policy) -> Self {
        Self { resources: Resources { policy: Arc::new(policy), ..self.resources }, ..self }
    }

    /// The client with what this server would otherwise work out anew for each of its messages.
    #[must_use]
    pub(crate) fn prepare_client(&self, client: Client) -> Client {
        let key = &self.resources.index_key;
        let own_rows = Some(Arc::new(OwnRows::of(key, &client.owner)));
        let replaced_row =
            client.certificate.as_ref().map(|shown| superseded_certificates::row(key, shown));
        Client { replaced_row, own_rows, ..client }
    }

    /// Answers one whole request message with one whole response message.
    pub async fn answer(&self, client: &Client, frame: &[u8]) -> SecretBuffer {
        trace("request", client, frame);
        let response = self.respond(client, frame).await;
        trace("response", client, &response);
        response
    }

    /// Where its records live.
    pub(crate) fn store(&self) -> &dyn Store {
        self.resources.store.as_ref()
    }

    /// What lives beside the store.
    pub(crate) fn state(&self) -> &ProcessState {
        &self.resources.state
    }

    /// Shows a message to whoever listens to the log of messages.
    pub(crate) fn trace(&self, what: &str, client: &Client, message: &[u8]) {
        trace(what, client, message);
    }

    /// What the client would be answered to these requests: the payloads of those that succeed,
    /// up to the first that fails.
    pub(crate) async fn ask(
        &self,
        client: &Client,
        version: Version,
        payloads: Vec<RequestPayload>,
    ) -> Vec<ResponsePayload> {
        let count = i32::try_from(payloads.len()).unwrap_or(i32::MAX);
        let header = RequestHeader::new(version, count);
        let items = payloads.into_iter().map(RequestBatchItem::from).collect();
        let request = RequestMessage { header, items };
        let answered = commit::run(&self.resources, client, &request, |_, items| {
            BatchResponse::Complete(items)
        })
        .await;
        let items = answered.unwrap_or_default().into_iter();
        items.map_while(|item| item.payload).collect()
    }

    async fn respond(&self, client: &Client, frame: &[u8]) -> SecretBuffer {
        let asked = kmip::message::request_version(frame);
        let version = nearest(asked);
        if asked.is_some_and(|asked| asked != version) {
            return encode(&failure(version, unsupported(asked)));
        }
        let request = match RequestMessage::decode(frame) {
            Ok(request) => request,
            Err(error) => {
                let why = format!("the message cannot be read: {error}");
                return encode(&failure(version, OperationError::invalid_message(why)));
            }
        };
        match self.attempt(client, request, frame.len()).await {
            Ok(response) => response,
            Err(error) => encode(&failure(version, error)),
        }
    }

    /// The answer to bytes that are no message, or too long a one: a failed batch item with
    /// Invalid Message and `why`.
    pub fn refuse(&self, why: &str) -> SecretBuffer {
        encode(&failure(Version::V1_0, OperationError::invalid_message(why)))
    }

    /// The client as the owner of the ticket that the request shows, if it shows one.
    fn acting(
        &self,
        client: &Client,
        request: &RequestMessage,
    ) -> Result<Option<Client>, OperationError> {
        let Some(ticket) = credentials::ticket(request.header.authentication.as_ref())? else {
            return Ok(None);
        };
        let tickets = &self.resources.state.tickets;
        let value = ticket.ticket_value.as_bytes();
        match tickets.show(value, client, request.items.len(), now()) {
            Some((owner, rights)) => Ok(Some(client.acting_for(owner, rights))),
            None => Err(OperationError::new(
                ResultReason::InvalidTicket,
                "the ticket is not this client's, or it was good no more: log in anew",
            )),
        }
    }

    /// Does what a message of `len` bytes asks for, or promises an answer.
    async fn attempt(
        &self,
        client: &Client,
        request: RequestMessage,
        len: usize,
    ) -> Result<SecretBuffer, OperationError> {
        let now_micros = now().0.saturating_mul(1_000_000);
        let proof = self.users.check(request.header.authentication.as_ref(), now_micros)?;
        batch::check(&request)?;
        let acting = self.acting(client, &request)?;
        let client = acting.as_ref().unwrap_or(client);
        if asynchronous::is_wanted(client, &request)? {
            let header = request.header.clone();
            let items = asynchronous::submit(&self.resources, client, request, len)?;
            return Ok(respond(&header, now(), items, proof));
        }
        let make = |now, items| {
            let response = respond(&request.header, now, items, proof.clone());
            match is_too_large(&request, &response) {
                false => BatchResponse::Complete(response),
                true => BatchResponse::TooLarge(encode(&too_large(&request, now))),
            }
        };
        commit::run(&self.resources, client, &request, make).await
    }
}

/// Shows a message to whoever listens to the log at this target, with its secrets hidden.
fn trace(what: &str, client: &Client, message: &[u8]) {
    let text = kmip::redacted_text(message);
    tracing::trace!(target: MESSAGE_TRACE, owner = %client.owner, "{what}\n{text}");
}

/// The version to answer in: the one asked for if it is served, else the nearest below it, else
/// the oldest.
fn nearest(asked: Option<Version>) -> Version {
    let Some(asked) = asked else { return Version::V1_0 };
    Version::SERVED.iter().copied().find(|served| *served <= asked).unwrap_or(Version::V1_0)
}

fn unsupported(asked: Option<Version>) -> OperationError {
    let served: Vec<String> = Version::SERVED.iter().map(ToString::to_string).collect();
    let asked = asked.map(|asked| asked.to_string()).unwrap_or_default();
    OperationError::new(
        ResultReason::UnsupportedProtocolVersion,
        format!("KMIP {asked} is not served here; served are {}", served.join(", ")),
    )
}
