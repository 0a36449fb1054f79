//! Valid messages, from the builders that the tests of `kmip` use: each operation with every field
//! set, in every version.

use std::sync::OnceLock;

use kmip::Version;
use kmip::message::{RequestBatchItem, RequestMessage, ResponseBatchItem, ResponseMessage};
use kmip::vocabulary::ResultStatus;

use crate::sample_messages;
use crate::tree::{self, Node};

/// Requests and responses, as bytes.
pub fn messages() -> &'static [Vec<u8>] {
    static MESSAGES: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    MESSAGES.get_or_init(|| {
        let versions = Version::SERVED.iter().copied();
        versions.flat_map(|version| requests(version).chain(responses(version))).collect()
    })
}

/// The same, as trees.
pub fn trees() -> &'static [Vec<Node>] {
    static TREES: OnceLock<Vec<Vec<Node>>> = OnceLock::new();
    TREES.get_or_init(|| messages().iter().filter_map(|bytes| tree::read(bytes)).collect())
}

fn requests(version: Version) -> impl Iterator<Item = Vec<u8>> {
    let all = sample_messages::requests().into_iter();
    all.filter(move |payload| payload.operation().exists_in(version)).map(move |payload| {
        let header = sample_messages::request_header(version);
        let mut item = RequestBatchItem::from(payload);
        item.unique_batch_item_id = Some(vec![1]);
        item.message_extension = Some(Box::new(sample_messages::message_extension()));
        RequestMessage { header, items: vec![item] }.encode()
    })
}

fn responses(version: Version) -> impl Iterator<Item = Vec<u8>> {
    let all = sample_messages::responses().into_iter();
    all.filter(move |payload| payload.operation().exists_in(version)).map(move |payload| {
        let header = sample_messages::response_header(version);
        let item = ResponseBatchItem {
            operation: Some(payload.operation()),
            unique_batch_item_id: None,
            result_status: ResultStatus::Success,
            result_reason: None,
            result_message: None,
            asynchronous_correlation_value: None,
            payload: Some(payload),
            message_extension: None,
        };
        ResponseMessage { header, items: vec![item] }.encode()
    })
}
