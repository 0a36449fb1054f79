//! A batch item of a request or a response (1.4, 7.2; 2.1, 8.2 and 8.3).

use kmip::tags;
use kmip::vocabulary::{Operation, ResultStatus};
use ttlv::{Tag, Type};

use super::item::{Content, Item};

/// One item of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BatchItem(pub(crate) Item);

/// The items of payloads that name an object.
const IDENTIFIERS: [Tag; 3] =
    [tags::UniqueIdentifier, tags::PrivateKeyUniqueIdentifier, tags::PublicKeyUniqueIdentifier];

/// The items in attributes that name another object.
const REFERENCES: [Tag; 2] = [tags::LinkedObjectIdentifier, tags::ReplacedUniqueIdentifier];

impl BatchItem {
    /// A response item of an operation that failed. A message of a server that could not read
    /// the request names no operation.
    pub(crate) fn failure(
        operation: Option<Operation>,
        batch_id: Option<&[u8]>,
        reason: u32,
        message: &str,
    ) -> Self {
        let mut item = Self::result(operation, batch_id, ResultStatus::OperationFailed);
        item.push(Item::enumeration(tags::ResultReason, reason));
        item.push(Item::text(tags::ResultMessage, message));
        item
    }

    /// A response item of an operation that was done.
    pub(crate) fn success(operation: Operation, batch_id: Option<&[u8]>, payload: Item) -> Self {
        let mut item = Self::result(Some(operation), batch_id, ResultStatus::Success);
        item.push(payload);
        item
    }

    /// A response item of an operation that a later one has undone.
    pub(crate) fn undone(operation: Option<Operation>, batch_id: Option<&[u8]>) -> Self {
        Self::result(operation, batch_id, ResultStatus::OperationUndone)
    }

    fn result(operation: Option<Operation>, batch_id: Option<&[u8]>, status: ResultStatus) -> Self {
        let operation = operation.map(|operation| Item::enumeration(tags::Operation, operation.0));
        let batch_id = batch_id.map(|id| Item::bytes(tags::UniqueBatchItemID, id));
        let status = Item::enumeration(tags::ResultStatus, status.0);
        let items = operation.into_iter().chain(batch_id).chain([status]);
        Self(Item::structure(tags::BatchItem, items.collect()))
    }

    fn push(&mut self, item: Item) {
        if let Some(items) = self.0.items_mut() {
            items.push(item);
        }
    }

    pub(crate) fn operation(&self) -> Option<Operation> {
        self.0.child(tags::Operation)?.as_enumeration().map(Operation)
    }

    /// The Unique Batch Item ID.
    pub(crate) fn batch_id(&self) -> Option<&[u8]> {
        match &self.0.child(tags::UniqueBatchItemID)?.content {
            Content::Value(Type::ByteString, value) => Some(value),
            Content::Value(..) | Content::Items(_) => None,
        }
    }

    pub(crate) fn status(&self) -> Option<ResultStatus> {
        self.0.child(tags::ResultStatus)?.as_enumeration().map(ResultStatus)
    }

    pub(crate) fn is_success(&self) -> bool {
        self.status() == Some(ResultStatus::Success)
    }

    pub(crate) fn reason(&self) -> Option<u32> {
        self.0.child(tags::ResultReason)?.as_enumeration()
    }

    /// The payload of a request or of a response.
    pub(crate) fn payload(&self) -> Option<&Item> {
        self.0.child(tags::RequestPayload).or_else(|| self.0.child(tags::ResponsePayload))
    }

    pub(crate) fn response_payload_mut(&mut self) -> Option<&mut Item> {
        self.0.child_mut(tags::ResponsePayload)
    }

    /// Puts an item before the payload of a response, after its status and reason.
    pub(crate) fn insert_before_payload(&mut self, item: Item) {
        if let Some(items) = self.0.items_mut() {
            items.retain(|old| old.tag != item.tag);
            let payload = items.iter().position(|item| item.tag == tags::ResponsePayload);
            items.insert(payload.unwrap_or(items.len()), item);
        }
    }

    /// The identifiers of objects at the top of the payload.
    pub(crate) fn identifiers(&self) -> Vec<String> {
        let items = self.payload().map(Item::items).unwrap_or_default();
        let named = items.iter().filter(|item| IDENTIFIERS.contains(&item.tag));
        named.filter_map(Item::as_text).map(str::to_owned).collect()
    }

    /// The identifiers of objects anywhere in the payload.
    pub(crate) fn all_identifiers(&self) -> Vec<String> {
        let mut found = Vec::new();
        if let Some(payload) = self.payload() {
            collect_identifiers(payload, &mut found);
        }
        found
    }
}

/// Appends the identifiers of objects inside an item, at any depth: also those of links and of
/// wrapping keys.
fn collect_identifiers(item: &Item, found: &mut Vec<String>) {
    let attribute = item.child(tags::AttributeName).and_then(Item::as_text);
    if attribute == Some("Unique Identifier") {
        let value = item.child(tags::AttributeValue).and_then(Item::as_text);
        found.extend(value.map(str::to_owned));
    }
    for inside in item.items() {
        if is_identifier(inside.tag) || REFERENCES.contains(&inside.tag) {
            found.extend(inside.as_text().map(str::to_owned));
        }
        collect_identifiers(inside, found);
    }
}

/// Returns whether an item of a payload names an object.
pub(crate) fn is_identifier(tag: Tag) -> bool {
    IDENTIFIERS.contains(&tag)
}
