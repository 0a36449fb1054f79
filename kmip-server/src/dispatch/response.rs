//! Response messages and their batch items (1.4, 7.2; 2.1, 9).

use kmip::message::{
    RequestBatchItem, RequestHeader, RequestMessage, ResponseBatchItem, ResponseHeader,
    ResponseMessage,
};
use kmip::vocabulary::{Operation, ResultReason, ResultStatus};
use kmip::{DateTime, Version};
use uuid::Uuid;

use crate::dispatch::resources::{BATCH_ITEMS_MAX, now};
use crate::objects::error::OperationError;
use crate::operations::Answer;
use crate::secret::SecretBuffer;

/// A name for the answer that no other has, by which it is found in a log (2.1, 9.17). The client
/// keeps its own: it is in requests to a server alone (2.1, 9.7).
fn correlation(version: Version) -> Option<String> {
    (version >= Version::V2_0).then(|| Uuid::now_v7().to_string())
}

fn header(version: Version, now: DateTime, count: usize) -> ResponseHeader {
    ResponseHeader {
        protocol_version: version,
        time_stamp: now,
        nonce: None,
        server_hashed_password: None,
        attestation_types: Vec::new(),
        client_correlation_value: None,
        server_correlation_value: correlation(version),
        batch_count: i32::try_from(count).unwrap_or(i32::MAX),
    }
}

pub(crate) fn respond(
    request: &RequestHeader,
    now: DateTime,
    items: Vec<ResponseBatchItem>,
    proof: Option<Vec<u8>>,
) -> ResponseMessage {
    let mut header = header(request.protocol_version, now, items.len());
    header.server_hashed_password = proof;
    ResponseMessage { header, items }
}

/// Is it longer than the client takes? (1.4, 6.3)
pub(crate) fn is_too_large(request: &RequestMessage, response: &[u8]) -> bool {
    let Some(maximum) = request.header.maximum_response_size else { return false };
    usize::try_from(maximum).is_ok_and(|maximum| response.len() > maximum)
}

/// What a refusal of a whole message repeats of each of its items: the operation and the name that
/// the client gave it (1.4, 7.2; 2.1, 8.3).
pub(crate) struct ItemHeads(Vec<(Operation, Option<Vec<u8>>)>);

impl ItemHeads {
    /// Those of a message; none of one with more items than a message may have.
    pub(crate) fn of(request: &RequestMessage) -> Self {
        let items = match request.items.len() > BATCH_ITEMS_MAX {
            true => &[][..],
            false => request.items.as_slice(),
        };
        let head =
            |item: &RequestBatchItem| (item.payload.operation(), item.unique_batch_item_id.clone());
        Self(items.iter().map(head).collect())
    }
}

/// The answer to a message that was refused as a whole: the same for each of its items.
pub(crate) fn refused(
    version: Version,
    heads: ItemHeads,
    now: DateTime,
    error: &OperationError,
) -> ResponseMessage {
    let items: Vec<ResponseBatchItem> = match heads.0.is_empty() {
        true => vec![failed(version, None, None, error)],
        false => {
            let item = |(operation, id)| failed(version, Some(operation), id, error);
            heads.0.into_iter().map(item).collect()
        }
    };
    ResponseMessage { header: header(version, now, items.len()), items }
}

/// Nothing was done, item by item: the answer would have been longer than this limit.
pub(crate) fn too_large(request: &RequestMessage, now: DateTime, limit: &str) -> ResponseMessage {
    let error = OperationError::new(
        ResultReason::ResponseTooLarge,
        format!("the answer is longer than {limit}, and nothing was done"),
    );
    refused(request.header.protocol_version, ItemHeads::of(request), now, &error)
}

/// The answer to a message of which no item could be read.
pub(crate) fn failure(version: Version, error: &OperationError) -> ResponseMessage {
    refused(version, ItemHeads(Vec::new()), now(), error)
}

/// A batch item that failed.
pub(crate) fn failed(
    version: Version,
    operation: Option<Operation>,
    unique_batch_item_id: Option<Vec<u8>>,
    error: &OperationError,
) -> ResponseBatchItem {
    ResponseBatchItem {
        operation,
        unique_batch_item_id,
        result_status: ResultStatus::OperationFailed,
        result_reason: Some(error.reason_in(version)),
        result_message: Some(shown(&error.message)),
        asynchronous_correlation_value: None,
        payload: None,
        message_extension: None,
    }
}

/// A text that may have parts which a client chose: what a terminal or a log would obey is escaped,
/// and what XML cannot have, so that a failure can be written in every encoding.
fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match is_escaped(c) {
            true => shown.extend(c.escape_unicode()),
            false => shown.push(c),
        }
    }
    shown
}

/// Control characters, those that turn the direction of what is around them (UAX 9), and the two
/// that are no characters and that XML cannot have (XML 1.0, 2.2).
fn is_escaped(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || matches!(c, '\u{fffe}' | '\u{ffff}')
}

pub(crate) fn encode(response: &ResponseMessage) -> SecretBuffer {
    SecretBuffer::new(response.encode())
}

/// The response item of what was done: of the request's item, unless it answers for another.
pub(crate) fn answered(item: &RequestBatchItem, answer: Answer) -> ResponseBatchItem {
    let unique_batch_item_id = item.unique_batch_item_id.clone();
    match answer {
        Answer::Item(other) => ResponseBatchItem { unique_batch_item_id, ..*other },
        Answer::Payload(payload) => ResponseBatchItem {
            operation: Some(item.payload.operation()),
            unique_batch_item_id,
            result_status: ResultStatus::Success,
            result_reason: None,
            result_message: None,
            asynchronous_correlation_value: None,
            payload: Some(*payload),
            message_extension: None,
        },
    }
}

/// An item that was done is so no more (1.4, 6.13). Which object it was about is still told, so
/// that the client can see what was undone: the committee's case BL-M-2 has it so. What it gave out
/// is not: its use of a key was not counted, and the next part of a message would have the same
/// place in the stream of its cipher.
pub(crate) fn undo(item: &mut ResponseBatchItem) {
    item.result_status = ResultStatus::OperationUndone;
    if item.operation.is_none_or(|operation| !TOLD_WHEN_UNDONE.contains(&operation)) {
        item.payload = None;
    }
}

/// Operations whose answers name objects, or say what holds of them, and give out no more.
pub(crate) const TOLD_WHEN_UNDONE: &[Operation] = &[
    Operation::Activate,
    Operation::AddAttribute,
    Operation::AdjustAttribute,
    Operation::Archive,
    Operation::Certify,
    Operation::Check,
    Operation::Create,
    Operation::CreateKeyPair,
    Operation::CreateSplitKey,
    Operation::DeleteAttribute,
    Operation::DeriveKey,
    Operation::Destroy,
    Operation::Import,
    Operation::JoinSplitKey,
    Operation::Locate,
    Operation::ModifyAttribute,
    Operation::ReCertify,
    Operation::ReKey,
    Operation::ReKeyKeyPair,
    Operation::Recover,
    Operation::Register,
    Operation::Revoke,
    Operation::SetAttribute,
];

#[cfg(test)]
mod tests {
    use kmip::encoding::{Element, xml};
    use ttlv::Type;

    use super::shown;

    /// Else the failure could not be told to a client that asks in XML.
    #[test]
    fn text_of_a_failure_can_be_written_in_xml() {
        let all: String = ('\0'..=char::MAX).collect();
        let text = shown(&all);
        assert!(xml::write(&Element::leaf("ResultMessage", Type::TextString, text)).is_ok());
    }
}
