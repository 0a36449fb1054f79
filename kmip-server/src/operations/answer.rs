//! Outcome of a batch item that succeeded.

use kmip::message::ResponseBatchItem;
use kmip::payload::ResponsePayload;

/// What became of a batch item that was done.
pub(crate) enum Answer {
    /// It succeeded, with this payload.
    Payload(Box<ResponsePayload>),
    /// It is what became of another item, which was to be answered later.
    Item(Box<ResponseBatchItem>),
}
