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

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use kmip::Version;
use kmip::item_error;
use kmip::message::{RequestBatchItem, RequestHeader, RequestMessage, ResponseMessage};
use kmip::payload::{RequestPayload, ResponsePayload};
use kmip::vocabulary::ResultReason;

use crate::auth::client::Client;
use crate::auth::credentials::{self, Users};
use crate::auth::held_bytes::{HeldBuffer, HeldBytes, too_much_held};
use crate::auth::superseded_certificates;
use crate::config::policy::Policy;
use crate::config::push_targets::PushTargets;
use crate::dispatch::asynchronous;
use crate::dispatch::batch;
use crate::dispatch::commit::{self, BatchResponse};
use crate::dispatch::resources::{Resources, now};
use crate::dispatch::response::{
    ItemHeads, encode, failure, is_too_large, refused, respond, too_large,
};
use crate::keystore::message_work::{MessageWork, SlowWork};
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

/// From how many bytes on an answer is slow to write as text, and how long so many take.
const SLOW_TEXT: usize = 16 * 1024;
const TEXT_TIME: Duration = Duration::from_micros(500);

/// Writes a message in another form than TTLV; a sentence if it has none.
pub(crate) type Form<'a> = &'a (dyn Fn(SecretBuffer) -> Result<SecretBuffer, String> + Send + Sync);

/// The key server behind every door.
pub struct KeyServer {
    resources: Resources,
    users: Users,
    held: HeldBytes,
}

impl KeyServer {
    /// Serves the objects in `store`, whose index rows are keyed with `index_key`.
    pub fn new(store: Arc<dyn Store>, index_key: IndexKey) -> Self {
        let (policy, state) = (Arc::<Policy>::default(), Arc::default());
        let held = held_bytes(&policy);
        let resources = Resources { store, index_key, policy, state };
        Self { resources, users: Users::default(), held }
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
        let held = held_bytes(&policy);
        let resources = Resources { policy: Arc::new(policy), ..self.resources };
        Self { resources, held, ..self }
    }

    /// The client with what this server would otherwise work out anew for each of its messages.
    #[must_use]
    pub(crate) fn prepare_client(&self, client: Client) -> Client {
        let key = &self.resources.index_key;
        let own_rows = Some(Arc::new(OwnRows::of(key, &client.owner)));
        let replaced_row =
            client.certificate.as_ref().map(|shown| superseded_certificates::row(key, shown));
        let held = Some(self.held.of(&client.owner));
        Client { replaced_row, own_rows, held, ..client }
    }

    /// Answers one whole request message with one whole response message.
    pub async fn answer(&self, client: &Client, frame: &[u8]) -> HeldBuffer {
        self.answer_as(client, frame, None).await
    }

    /// The same, in another form than TTLV. What has no such form is not done, and refused.
    pub(crate) async fn answer_as(
        &self,
        client: &Client,
        frame: &[u8],
        form: Option<Form<'_>>,
    ) -> HeldBuffer {
        trace("request", client, frame);
        let Written { answer, shown } = match self.respond(client, frame, form).await {
            Ok(written) => written,
            Err(failure) => {
                log_refusal(client, &failure);
                written(&failure, form)
            }
        };
        trace("response", client, shown.as_ref().unwrap_or(&answer));
        answer
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
        let work = self.work(client, 0);
        let answered = commit::run(&self.resources, client, &request, &work, |_, items| async {
            Ok(BatchResponse::Complete(items))
        })
        .await;
        let items = answered.unwrap_or_default().into_iter();
        items.map_while(|item| item.payload).collect()
    }

    /// The answer, or the failure to be answered.
    async fn respond(
        &self,
        client: &Client,
        frame: &[u8],
        form: Option<Form<'_>>,
    ) -> Result<Written, ResponseMessage> {
        let asked = kmip::message::request_version(frame);
        let version = nearest(asked);
        if asked.is_some_and(|asked| asked != version) {
            return Err(failure(version, &unsupported(asked)));
        }
        let request = RequestMessage::decode(frame).map_err(|error| {
            let why = format!("the message cannot be read: {}", item_error(&error, version));
            failure(version, &OperationError::invalid_message(why))
        })?;
        let heads = ItemHeads::of(&request);
        let done = self.attempt(client, request, frame.len(), form).await;
        done.map_err(|error| refused(version, heads, now(), &error))
    }

    /// The answer to bytes that are no message, or too long a one: a failed batch item with
    /// Invalid Message and `why`.
    pub fn refuse(&self, why: &str) -> SecretBuffer {
        encode(&failure(Version::V1_0, &OperationError::invalid_message(why)))
    }

    /// The same in another form, of a message that names the version that it is in: one that is not
    /// served is why it could not be read.
    pub(crate) fn refuse_as(
        &self,
        client: &Client,
        asked: Option<Version>,
        why: &str,
        form: Option<Form<'_>>,
    ) -> HeldBuffer {
        let version = nearest(asked);
        let error = match asked.is_some_and(|asked| asked != version) {
            true => unsupported(asked),
            false => OperationError::invalid_message(why),
        };
        let failure = failure(version, &error);
        log_refusal(client, &failure);
        written(&failure, form).answer
    }

    /// Reads or writes a text of `len` bytes for a client; a long one in the client's turn, away
    /// from the threads that serve all clients.
    pub(crate) async fn slow_text<T>(
        &self,
        client: &Client,
        len: usize,
        text: impl Future<Output = T>,
    ) -> T {
        if len < SLOW_TEXT {
            return text.await;
        }
        let permit = self.state().processor.acquire(&client.owner, text_time(len)).await;
        permit.run(text).await
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

    /// Work of a message that the client waits for.
    fn work(&self, client: &Client, len: usize) -> MessageWork {
        let budget = self.resources.policy.message_work;
        MessageWork::new(budget, client.departed.clone(), len)
    }

    /// Does what a message of `len` bytes asks for, or promises an answer.
    async fn attempt(
        &self,
        client: &Client,
        request: RequestMessage,
        len: usize,
        form: Option<Form<'_>>,
    ) -> Result<Written, OperationError> {
        let now_micros = now().0.saturating_mul(1_000_000);
        let proof = self.users.check(request.header.authentication.as_ref(), now_micros)?;
        batch::check(&request)?;
        let acting = self.acting(client, &request)?;
        let client = acting.as_ref().unwrap_or(client);
        let is_later = asynchronous::is_wanted(client, &request)?;
        let work = self.work(client, len);
        let longest = match is_later {
            true => Some(asynchronous::longest_answers(&request)),
            false => batch::longest_answers(&request),
        };
        // What cannot be taken back is not begun unless its answer can be written.
        if let Some(items) = longest {
            let longest = encode(&respond(&request.header, now(), items, proof.clone()));
            let measured = self.finish(client, &request, &work, longest, form).await?;
            if let BatchResponse::TooLarge(answer) = measured {
                return Ok(answer);
            }
        }
        if is_later {
            let header = request.header.clone();
            let items = asynchronous::submit(&self.resources, client, request, len)?;
            return Ok(written(&respond(&header, now(), items, proof), form));
        }
        let (request, work, proof) = (&request, &work, &proof);
        let make = |now, items| async move {
            let response = encode(&respond(&request.header, now, items, proof.clone()));
            self.finish(client, request, work, response, form).await
        };
        commit::run(&self.resources, client, request, work, make).await
    }

    /// An answer in its form, within its limits, before anything of its batch is written.
    async fn finish(
        &self,
        client: &Client,
        request: &RequestMessage,
        work: &MessageWork,
        response: SecretBuffer,
        form: Option<Form<'_>>,
    ) -> Result<BatchResponse<Written>, OperationError> {
        let Resources { policy, state, .. } = &self.resources;
        let too_large = |limit: &str| {
            let answer = written(&too_large(request, now(), limit), form);
            Ok(BatchResponse::TooLarge(answer))
        };
        if is_too_large(request, &response) {
            return too_large("Maximum Response Size");
        }
        if response.len() > policy.response_len_max {
            return too_large("this server gives (response-len-max)");
        }
        let is_shown =
            form.is_some() && tracing::enabled!(target: MESSAGE_TRACE, tracing::Level::TRACE);
        let shown = is_shown.then(|| response.clone());
        let bytes = match form {
            None => response,
            Some(form) if response.len() < SLOW_TEXT => form(response).map_err(no_form)?,
            Some(form) => {
                let slow = SlowWork { of: work, pool: &state.processor, owner: &client.owner };
                let estimate = text_time(response.len());
                Box::pin(slow.run(estimate, async { form(response) })).await?.map_err(no_form)?
            }
        };
        if bytes.len() > policy.response_len_max {
            return too_large("this server gives (response-len-max)");
        }
        let held = client.held.as_ref().map(|held| held.hold(bytes.len()));
        let held = held.map(|held| held.ok_or_else(too_much_held)).transpose()?;
        let answer = HeldBuffer::new(bytes, held);
        Ok(BatchResponse::Complete(Written { answer, shown }))
    }
}

/// A message that was refused as a whole; a client may have chosen parts of the text.
fn log_refusal(client: &Client, failure: &ResponseMessage) {
    let Some(item) = failure.items.first() else { return };
    let why = item.result_message.as_deref().unwrap_or_default();
    let reason = item.result_reason.unwrap_or(ResultReason::GeneralFailure);
    tracing::info!(owner = %client.owner, ?reason, why, "message refused");
}

fn held_bytes(policy: &Policy) -> HeldBytes {
    HeldBytes::new(policy.held_bytes_max, policy.held_bytes_per_client_max)
}

/// An answer as it is sent, and in TTLV if that is another form and somebody looks.
struct Written {
    answer: HeldBuffer,
    shown: Option<SecretBuffer>,
}

/// A message of the server's own words in its form.
fn written(message: &ResponseMessage, form: Option<Form<'_>>) -> Written {
    let message = encode(message);
    let Some(form) = form else { return Written { answer: message.into(), shown: None } };
    let shown = Some(message.clone());
    let answer = form(message).unwrap_or_else(|why| {
        tracing::error!(%why, "a failure cannot be written");
        SecretBuffer::default()
    });
    Written { answer: answer.into(), shown }
}

fn text_time(len: usize) -> Duration {
    let pieces = len.div_ceil(SLOW_TEXT);
    TEXT_TIME.saturating_mul(u32::try_from(pieces).unwrap_or(u32::MAX))
}

fn no_form(why: String) -> OperationError {
    OperationError::new(
        ResultReason::FeatureNotSupported,
        format!("the answer has no form in this encoding, and nothing was done: {why}"),
    )
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
