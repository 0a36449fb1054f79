//! The items of one message, one after another (1.4, 6.12 to 6.14 and 4; 2.1, 9.3 to 9.5).
//!
//! ```text
//! Stop (the default)   what failed ends the batch; what was done before it stays
//! Continue             what failed changes nothing, and the next item is done
//! Undo                 what failed ends the batch, and nothing of the batch stays
//! ```
//!
//! Nothing is written here: undo is not writing.

use std::collections::BTreeSet;

use kmip::message::{RequestBatchItem, RequestMessage, ResponseBatchItem};
use kmip::vocabulary::{
    BatchErrorContinuationOption as OnError, Operation, ResultReason, ResultStatus, tags,
};
use kmip::{DateTime, Encode as _, Version};
use ttlv::Writer;

use crate::auth::client::Client;
use crate::auth::held_bytes::{Held, hold_answer};
use crate::auth::superseded_certificates;
use crate::dispatch::resources::{BATCH_ITEMS_MAX, Resources};
use crate::dispatch::response::{answered, failed, undo};
use crate::keystore::Context;
use crate::keystore::batch_references::BatchReferences;
use crate::keystore::message_work::MessageWork;
use crate::keystore::process_state::{Effect, Effects};
use crate::objects::error::{OperationError, Result};
use crate::operations;
use crate::secret::SecretBuffer;
use crate::store::Change;
use crate::store::transaction::Transaction;

/// A batch that is done but not yet durable.
pub(crate) struct BatchOutcome {
    /// What became of each item.
    pub items: Vec<ResponseBatchItem>,
    /// What is to be written.
    pub changes: Vec<Change>,
    /// Whether the answers are right without the changes too.
    pub is_minor: bool,
    /// What is to be done once that is durable.
    pub effects: Vec<Effect>,
}

/// Does the items of a message.
pub(crate) async fn run(
    on: &Resources,
    client: &Client,
    request: &RequestMessage,
    work: &MessageWork,
    now: DateTime,
) -> Result<BatchOutcome> {
    check(request)?;
    let version = request.header.protocol_version;
    let mut cx = Context {
        transaction: Transaction::new(on.store.as_ref()),
        state: &on.state,
        effects: Effects::default(),
        work,
        index_key: &on.index_key,
        policy: &on.policy,
        client,
        operation: Operation::Query,
        version,
        now,
        id_placeholder: None,
        references: BatchReferences::default(),
        chosen: BTreeSet::new(),
    };
    superseded_certificates::reject_superseded(&mut cx.transaction, cx.index_key, client).await?;
    let on_error = request.header.batch_error_continuation_option.unwrap_or(OnError::Stop);
    let mut items = Vec::with_capacity(request.items.len());
    let mut undone = false;
    let mut lengths = AnswerLengths::of(on.policy.response_len_max, request.items.len(), client);
    let mut rest = request.items.iter();
    while let Some(item) = rest.next() {
        work.check_client()?;
        let operation = item.payload.operation();
        // What cannot be answered is not begun.
        let result = match lengths.check() {
            Ok(()) => operations::execute(&mut cx, item.payload.clone()).await,
            Err(error) => Err(error),
        }
        .and_then(|answer| lengths.take(answered(item, answer), version));
        let failed_item = result.as_ref().err().map(|error| failure_of(item, version, error));
        match result {
            Ok(answer) => {
                cx.transaction.keep_item();
                cx.effects.keep_item();
                // What the last one names, no item can mean.
                if let (Some(operation), Some(payload), true) =
                    (answer.operation, &answer.payload, rest.len() > 0)
                {
                    cx.references.keep(operation, payload);
                }
                items.push(answer);
            }
            Err(error) => {
                cx.transaction.drop_item();
                cx.effects.drop_item();
                log_refusal(operation, &error);
            }
        }
        if let Some(failed_item) = failed_item {
            if on_error == OnError::Undo {
                items.iter_mut().for_each(undo);
                undone = true;
            }
            items.push(failed_item);
            if on_error != OnError::Continue {
                break;
            }
        }
    }
    let is_minor = cx.transaction.is_minor();
    let (changes, effects) = match undone {
        true => (Vec::new(), Vec::new()),
        false => (cx.transaction.into_changes(), cx.effects.into_batch()),
    };
    Ok(BatchOutcome { items, changes, is_minor, effects })
}

/// An item that was refused; a client may have chosen parts of the text.
fn log_refusal(operation: Operation, error: &OperationError) {
    let why = error.message.escape_debug();
    tracing::info!(?operation, reason = ?error.reason, %why, "refused");
}

/// Lengths of the answers of a batch, which are held for the client while its other items are done:
/// they wait for their turns, and many batches of a client may be under way. The one item of a
/// message is measured and held with the whole response, before anything is written.
struct AnswerLengths {
    max: usize,
    taken: usize,
    held: Option<Held>,
    counts: bool,
    is_full: bool,
}

impl AnswerLengths {
    fn of(max: usize, items: usize, client: &Client) -> Self {
        let held = client.held.as_ref().and_then(|held| held.hold(0));
        Self { max, taken: 0, held, counts: items > 1, is_full: false }
    }

    fn take(&mut self, item: ResponseBatchItem, version: Version) -> Result<ResponseBatchItem> {
        if !self.counts {
            return Ok(item);
        }
        let mut w = Writer::default();
        item.encode(tags::BatchItem, &mut w, version);
        let len = SecretBuffer::new(w.into_bytes()).len();
        let taken = self.taken.saturating_add(len);
        if taken > self.max {
            self.is_full = true;
            return Err(Self::too_long());
        }
        hold_answer(&mut self.held, taken)?;
        self.taken = taken;
        Ok(item)
    }

    fn check(&self) -> Result<()> {
        if self.is_full { Err(Self::too_long()) } else { Ok(()) }
    }

    fn too_long() -> OperationError {
        OperationError::new(
            ResultReason::ResponseTooLarge,
            "the response would be longer than this server gives (response-len-max), and the item \
             was not done: send its items in several messages",
        )
    }
}

/// What must hold before the first item is done.
pub(crate) fn check(request: &RequestMessage) -> Result<()> {
    if request.items.is_empty() {
        return Err(OperationError::invalid_message("the message holds no batch item"));
    }
    if request.items.len() > BATCH_ITEMS_MAX {
        return Err(OperationError::new(
            ResultReason::ServerLimitExceeded,
            format!("a message may hold {BATCH_ITEMS_MAX} batch items and no more"),
        ));
    }
    let on_error = request.header.batch_error_continuation_option;
    if let Some(other) = on_error.filter(|on_error| on_error.row().is_none()) {
        return Err(OperationError::invalid_message(format!(
            "{other:?} is not a Batch Error Continuation Option of this server"
        )));
    }
    let reaching =
        request.items.iter().filter(|item| is_reaching(item.payload.operation())).count();
    let undo = on_error == Some(OnError::Undo);
    if reaching > 0 && (reaching < request.items.len() || undo) {
        return Err(OperationError::invalid_field(
            "what cannot be taken back stands in a message of its own: Cancel, Process and PKCS#11 \
             with no other operation, and not under Undo",
        ));
    }
    // A critical extension that is not understood spoils the whole message (1.4, 6.16).
    for extension in request.items.iter().filter_map(|item| item.message_extension.as_ref()) {
        if extension.criticality_indicator {
            return Err(OperationError::new(
                ResultReason::FeatureNotSupported,
                format!(
                    "the critical extension of {:?} is not one that this server understands",
                    extension.vendor_identification
                ),
            ));
        }
    }
    Ok(())
}

/// The operations that act while their batch runs, because their answer says what came of it. No
/// other may stand beside them: a batch that writes may be done again, and may be undone.
const REACHING: &[Operation] = &[Operation::Cancel, Operation::Process, Operation::PKCS_11];

/// Does the operation act beyond the batch while it runs?
pub(crate) fn is_reaching(operation: Operation) -> bool {
    REACHING.contains(&operation)
}

/// Longest text of a failure of an operation that acts while its batch runs, in bytes.
const REACHING_TEXT_MAX: usize = 160;

/// The answer to an item that failed.
fn failure_of(
    item: &RequestBatchItem,
    version: Version,
    error: &OperationError,
) -> ResponseBatchItem {
    let operation = item.payload.operation();
    let mut answer = failed(version, Some(operation), item.unique_batch_item_id.clone(), error);
    if let (Some(text), true) = (&mut answer.result_message, is_reaching(operation)) {
        text.truncate(text.floor_char_boundary(REACHING_TEXT_MAX));
    }
    answer
}

/// Items that are as long, in every encoding, as the answers to a message whose operations act
/// while their batch runs can be; none for any other message.
///
/// What has been done cannot be taken back once its answer is found too long, so these are measured
/// before it is begun. An answer is a response or a failure; each item here is both.
pub(crate) fn longest_answers(request: &RequestMessage) -> Option<Vec<ResponseBatchItem>> {
    if !request.items.iter().any(|item| operations::acts_at_once(&item.payload)) {
        return None;
    }
    let longest = |item: &RequestBatchItem| ResponseBatchItem {
        operation: Some(item.payload.operation()),
        unique_batch_item_id: item.unique_batch_item_id.clone(),
        result_status: ResultStatus::OperationFailed,
        // No reason has a longer name, and in XML no character is longer.
        result_reason: Some(ResultReason::InvalidAsynchronousCorrelationValue),
        result_message: Some("\"".repeat(REACHING_TEXT_MAX)),
        asynchronous_correlation_value: None,
        payload: operations::longest_response(&item.payload),
        message_extension: None,
    };
    Some(request.items.iter().map(longest).collect())
}
