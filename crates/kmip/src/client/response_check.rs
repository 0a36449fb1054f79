//! What an answer must be to be believed: of the version, the operations and the items asked for.

use super::error::Error;
use crate::message::{RequestMessage, ResponseBatchItem, ResponseMessage};
use crate::payload::Request;
use crate::version::Version;
use crate::vocabulary::{Operation, ResultReason, ResultStatus};

/// The longest text of a server that goes into an error: a sentence or two.
const MESSAGE_LEN_MAX: usize = 300;

/// Reads an answer and returns its version, if it has one, and its items in the order of the
/// request.
pub(super) fn read(
    server: &str,
    request: &RequestMessage,
    bytes: &[u8],
) -> (Option<Version>, Result<Vec<ResponseBatchItem>, Error>) {
    match ResponseMessage::decode(bytes) {
        Err(error) => (None, Err(malformed(server, error.to_string()))),
        Ok(response) => {
            let version = response.header.protocol_version;
            (Some(version), check_response(server, request, response))
        }
    }
}

/// The items of an answer to `request`.
fn check_response(
    server: &str,
    request: &RequestMessage,
    response: ResponseMessage,
) -> Result<Vec<ResponseBatchItem>, Error> {
    // A server that cannot read a message refuses it as a whole: in one item without an operation,
    // and maybe in another version, since it may not know ours (1.4, 7.2 and 11.1).
    if let [item] = response.items.as_slice()
        && item.operation.is_none()
        && item.result_status != ResultStatus::Success
    {
        let asked = request.items.first().map_or(Operation(0), |item| item.payload.operation());
        return Err(refused(server, asked, item));
    }
    let (asked, spoken) = (request.header.protocol_version, response.header.protocol_version);
    if asked != spoken {
        return Err(malformed(server, format!("it is in KMIP {spoken}, asked was {asked}")));
    }
    let items = in_order(request, response.items).map_err(|why| malformed(server, why))?;
    for (asked, item) in request.items.iter().zip(&items) {
        check_item(asked.payload.operation(), item).map_err(|why| malformed(server, why))?;
    }
    Ok(items)
}

/// Brings the items into the order of the request, by the names that they were given.
fn in_order(
    request: &RequestMessage,
    mut items: Vec<ResponseBatchItem>,
) -> Result<Vec<ResponseBatchItem>, String> {
    let (asked, answered) = (request.items.len(), items.len());
    let failed = items.iter().any(|item| item.result_status != ResultStatus::Success);
    if answered > asked || answered == 0 || (answered < asked && !failed) {
        return Err(format!("it has {answered} batch items, asked was for {asked}"));
    }
    if asked == 1 {
        let (wanted, given) = (
            request.items.first().and_then(|item| item.unique_batch_item_id.as_ref()),
            items.first().and_then(|item| item.unique_batch_item_id.as_ref()),
        );
        return match wanted.is_some() && wanted != given {
            true => Err("it has another Unique Batch Item ID".to_owned()),
            false => Ok(items),
        };
    }
    let mut ordered = Vec::with_capacity(answered);
    for wanted in &request.items {
        let id = wanted.unique_batch_item_id.as_ref();
        if let Some(at) = items.iter().position(|item| item.unique_batch_item_id.as_ref() == id) {
            ordered.push(items.swap_remove(at));
        }
    }
    match items.is_empty() {
        true => Ok(ordered),
        false => Err("a Unique Batch Item ID is none of the request's, or is there twice".into()),
    }
}

/// Checks that an item answers the operation that was asked for.
fn check_item(asked: Operation, item: &ResponseBatchItem) -> Result<(), String> {
    match (item.operation, item.result_status) {
        (Some(operation), _) if operation != asked => {
            Err(format!("it answers {operation:?}, asked was {asked:?}"))
        }
        (None, ResultStatus::Success) => Err(format!("an item does not say that it is {asked:?}")),
        (_, ResultStatus::OperationPending) => {
            Err(format!("{asked:?} is pending, though nothing asynchronous was asked for"))
        }
        (
            _,
            ResultStatus::Success | ResultStatus::OperationFailed | ResultStatus::OperationUndone,
        ) => Ok(()),
        (_, status) => Err(format!("there is no Result Status {status:?}")),
    }
}

/// The payload of the only item of a checked answer.
pub(super) fn payload<R: Request>(
    server: &str,
    items: Vec<ResponseBatchItem>,
) -> Result<R::Response, Error> {
    let mut items = items;
    let Some(item) = items.pop() else {
        return Err(malformed(server, "it has no batch item"));
    };
    if item.result_status != ResultStatus::Success {
        return Err(refused(server, R::OPERATION, &item));
    }
    let Some(payload) = item.payload else {
        return Err(malformed(server, format!("{:?} has no Response Payload", R::OPERATION)));
    };
    let name = payload.operation();
    R::Response::try_from(payload)
        .map_err(|_| malformed(server, format!("its payload is of {name:?}")))
}

pub(super) fn refused(server: &str, operation: Operation, item: &ResponseBatchItem) -> Error {
    let message = item.result_message.as_deref().unwrap_or_default();
    Error::Refused {
        server: server.to_owned(),
        operation,
        reason: item.result_reason.unwrap_or(ResultReason::GeneralFailure),
        message: message.chars().filter(|c| !c.is_control()).take(MESSAGE_LEN_MAX).collect(),
    }
}

pub(super) fn malformed(server: &str, why: impl Into<String>) -> Error {
    Error::Malformed { server: server.to_owned(), why: why.into() }
}
