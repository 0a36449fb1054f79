//! Requests that are answered later (1.4, 6.7 and 7.1; 2.1, 8 and 9.2): which, and by what way.
//!
//! ```text
//! request -> pending: one place an item -> "pending", with a correlation value for each
//!                |
//!                +-> its client's turn -> attempt (batch, commit) -> pending: the results
//!                                                                         ^
//! Poll . Cancel . Process . Query Asynchronous Requests ------------------+
//! ```
//!
//! **A message is answered later as a whole or not at all.** Its items are one batch in either
//! case, so that order, undo and the ID Placeholder mean the same.

use std::sync::Arc;

use kmip::Version;
use kmip::message::{RequestBatchItem, RequestMessage, ResponseBatchItem};
use kmip::payload::RequestPayload;
use kmip::vocabulary::{AsynchronousIndicator as Indicator, Operation, ResultReason, ResultStatus};
use kmip::{Encode as _, vocabulary::tags};
use ttlv::Writer;

use crate::auth::client::Client;
use crate::dispatch::batch;
use crate::dispatch::commit::{self, BatchResponse};
use crate::dispatch::resources::Resources;
use crate::dispatch::response::failed;
use crate::keystore::async_requests::{self, RequestSlot};
use crate::keystore::message_work::MessageWork;
use crate::objects::error::{OperationError, Result};
use crate::secret::SecretBuffer;

/// What is never answered later. The standard forbids it to Poll and Cancel (2.1, 6.1.5 and
/// 6.1.38); Process and Query Asynchronous Requests are about what is answered later themselves,
/// and Set Endpoint Role is about the connection that it came on.
const AT_ONCE: &[Operation] = &[
    Operation::Cancel,
    Operation::Poll,
    Operation::Process,
    Operation::QueryAsynchronousRequests,
    Operation::SetEndpointRole,
];

/// What takes long enough that a client that would take a later answer is given one.
const SLOW: &[Operation] =
    &[Operation::CreateKeyPair, Operation::ReKeyKeyPair, Operation::Certify, Operation::ReCertify];

/// Room for what a response to Poll has beside the result.
const POLL_LEN: usize = 1024;

/// From how many rounds on Derive Key is slow: PBKDF2 then takes some hundredths of a second.
const SLOW_ITERATIONS: i32 = 100_000;

/// Is the message to be answered later?
///
/// Never that of a client that acts for another: the results would be the other's to poll.
pub(crate) fn is_wanted(client: &Client, request: &RequestMessage) -> Result<bool> {
    let indicator = request.header.asynchronous_indicator.map(|indicator| indicator.0);
    if client.rights.is_some() {
        return match indicator {
            Some(Indicator::Mandatory) => Err(OperationError::new(
                ResultReason::PermissionDenied,
                "with a ticket of another client a request is answered at once or not at all",
            )),
            Some(_) | None => Ok(false),
        };
    }
    let at_once = |payload: &RequestPayload| AT_ONCE.contains(&payload.operation());
    let (quick, all) =
        (request.items.iter().filter(|item| at_once(&item.payload)).count(), request.items.len());
    match indicator {
        None | Some(Indicator::Prohibited) => Ok(false),
        Some(Indicator::Optional) => {
            Ok(quick == 0 && request.items.iter().any(|item| is_slow(&item.payload)))
        }
        Some(Indicator::Mandatory) if quick == all => Ok(false),
        Some(Indicator::Mandatory) if quick == 0 => Ok(true),
        Some(Indicator::Mandatory) => Err(OperationError::invalid_field(
            "Asynchronous Indicator is Mandatory, and the message mixes operations that may be \
             answered later with such that never are: send them apart",
        )),
        Some(_) => Err(OperationError::invalid_field(
            "Asynchronous Indicator is neither Mandatory, Optional nor Prohibited",
        )),
    }
}

#[allow(clippy::wildcard_enum_match_arm, reason = "one operation alone is slow by its numbers")]
fn is_slow(payload: &RequestPayload) -> bool {
    match payload {
        RequestPayload::DeriveKey(request) => request
            .derivation_parameters
            .iteration_count
            .is_some_and(|rounds| rounds >= SLOW_ITERATIONS),
        other => SLOW.contains(&other.operation()),
    }
}

/// Answers that are as long as those to a message that is done later, to be measured before it is
/// taken.
pub(crate) fn longest_answers(request: &RequestMessage) -> Vec<ResponseBatchItem> {
    request.items.iter().map(|item| pending(item, &async_requests::Value::default())).collect()
}

fn pending(item: &RequestBatchItem, value: &async_requests::Value) -> ResponseBatchItem {
    ResponseBatchItem {
        operation: Some(item.payload.operation()),
        unique_batch_item_id: item.unique_batch_item_id.clone(),
        result_status: ResultStatus::OperationPending,
        result_reason: None,
        result_message: None,
        asynchronous_correlation_value: Some(value.to_vec()),
        payload: None,
        message_extension: None,
    }
}

/// Takes a message of `len` bytes to be done later; the answer to give now.
pub(crate) fn submit(
    resources: &Resources,
    client: &Client,
    request: RequestMessage,
    len: usize,
) -> Result<Vec<ResponseBatchItem>> {
    let operations: Vec<Operation> =
        request.items.iter().map(|item| item.payload.operation()).collect();
    let places = resources.state.async_requests.submit(&client.owner, &operations, len)?;
    let answers = request.items.iter().zip(&places.all);
    let answers = answers.map(|(item, place)| pending(item, &place.value)).collect();
    tokio::spawn(work(resources.clone(), client.clone(), request, len, places));
    Ok(answers)
}

/// Does the message when its turn has come, keeps the results, and forgets them in time.
async fn work(
    resources: Resources,
    client: Client,
    request: RequestMessage,
    len: usize,
    places: async_requests::RequestSlots,
) {
    let live = Arc::clone(&resources.state);
    let owner = client.owner.clone();
    let async_requests::RequestSlots { job, all } = places;
    let Some(turn) = live.async_requests.turn(&owner, &job).await else {
        // What was asked for is let go of now, and its place in time.
        drop((request, client, resources));
        return live.async_requests.forget_in_time(&owner, &all).await;
    };
    let (version, mine) = (request.header.protocol_version, all.clone());
    // A task of its own, so that a panic is its own.
    let worked =
        tokio::spawn(async move { results(&resources, &client, &request, len, &mine).await });
    let results = worked.await.unwrap_or_else(|_| {
        tracing::error!("a request that is answered later panicked, a fault of this program");
        failures(version, &all, &OperationError::internal("do what was asked"))
    });
    drop(turn);
    live.async_requests.keep(&owner, &job, version, &all, results);
    live.async_requests.forget_in_time(&owner, &all).await;
}

/// The results of the batch, one for each place, durable when this returns.
async fn results(
    resources: &Resources,
    client: &Client,
    request: &RequestMessage,
    len: usize,
    places: &[RequestSlot],
) -> Vec<SecretBuffer> {
    let version = request.header.protocol_version;
    let pending = &resources.state.async_requests;
    let work = MessageWork::new(resources.policy.message_work, None, len);
    let may_keep = |results: &[SecretBuffer]| {
        let lens: Vec<usize> = results.iter().map(|result| result.len()).collect();
        let len_max = resources.policy.response_len_max.saturating_sub(POLL_LEN);
        lens.iter().all(|len| *len <= len_max) && pending.reserve(&client.owner, places, &lens)
    };
    // What acts while its batch runs cannot be taken back once its result is found too long.
    if let Some(longest) = batch::longest_answers(request)
        && !may_keep(&encoded(version, places, &longest))
    {
        return failures(version, places, &too_long());
    }
    let done = commit::run(resources, client, request, &work, |_, items| async move {
        let results = encoded(version, places, &items);
        Ok(match may_keep(&results) {
            true => BatchResponse::Complete(results),
            false => BatchResponse::TooLarge(failures(version, places, &too_long())),
        })
    })
    .await;
    done.unwrap_or_else(|error| failures(version, places, &error))
}

fn too_long() -> OperationError {
    OperationError::new(
        ResultReason::ResponseTooLarge,
        "a result would be longer than this server gives (response-len-max), or the results that \
         wait to be polled longer than it keeps for a client, and nothing was done: poll the \
         others, or ask for less",
    )
}

/// The answers as they are kept. Where the batch stopped before an item, there is none of its own.
fn encoded(
    version: Version,
    places: &[RequestSlot],
    items: &[ResponseBatchItem],
) -> Vec<SecretBuffer> {
    let skipped = OperationError::new(
        ResultReason::GeneralFailure,
        "it was not done, because an item before it in its batch failed",
    );
    let one = |(place, item): (&RequestSlot, Option<&ResponseBatchItem>)| match item {
        Some(item) => encode(version, item),
        None => encode(version, &failed(version, Some(place.operation), None, &skipped)),
    };
    let items = items.iter().map(Some).chain(std::iter::repeat(None));
    places.iter().zip(items).map(one).collect()
}

fn failures(version: Version, places: &[RequestSlot], error: &OperationError) -> Vec<SecretBuffer> {
    let one =
        |place: &RequestSlot| encode(version, &failed(version, Some(place.operation), None, error));
    places.iter().map(one).collect()
}

fn encode(version: Version, item: &ResponseBatchItem) -> SecretBuffer {
    let mut w = Writer::default();
    item.encode(tags::BatchItem, &mut w, version);
    SecretBuffer::new(w.into_bytes())
}
