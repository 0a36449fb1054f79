//! Answers of operations that are not done.

use std::collections::{HashMap, VecDeque};

use kmip::vocabulary::{CryptographicAlgorithm, KeyFormatType, ObjectType, Operation};
use kmip::{Version, tags};

use crate::message::{BatchItem, Item};
use crate::rules::{Random, Template, creates};

/// How many answers to Get are kept, for the objects that were asked for last.
const GETS_MAX: usize = 64;

/// Text of an identifier in a template, in whose place that of the request is put.
const PLACE: &str = "$object";

/// The last real answers, kept only while a rule may need one. They may hold keys.
#[derive(Default)]
pub(crate) struct Recent {
    payloads: HashMap<(Operation, bool), Item>,
    gets: VecDeque<(String, bool, Item)>,
}

impl Recent {
    /// Keeps the payload of a response item.
    pub(crate) fn keep(&mut self, item: &BatchItem, objects: &[String], version: Version) {
        let (Some(operation), Some(payload)) = (item.operation(), item.payload()) else { return };
        let is_2 = version >= Version::V2_0;
        if operation == Operation::Get
            && let Some(object) = objects.first()
        {
            self.gets.retain(|(kept, form, _)| kept != object || *form != is_2);
            self.gets.push_back((object.clone(), is_2, payload.clone()));
            if self.gets.len() > GETS_MAX {
                self.gets.pop_front();
            }
        }
        self.payloads.insert((operation, is_2), payload.clone());
    }

    /// Wipes all.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    fn find(&self, operation: Operation, object: Option<&str>, version: Version) -> Option<Item> {
        let is_2 = version >= Version::V2_0;
        let of_object = self.gets.iter().rev().find(|(kept, form, _)| {
            operation == Operation::Get && Some(kept.as_str()) == object && *form == is_2
        });
        let found = of_object.map(|(_, _, payload)| payload);
        found.or_else(|| self.payloads.get(&(operation, is_2))).cloned()
    }
}

/// Returns a success that nobody has performed: from the template; else made up; else the last real
/// answer to this operation. `None` if there is none of them.
pub(crate) fn success(
    request: &BatchItem,
    version: Version,
    template: Option<&Template>,
    recent: &Recent,
    random: &mut Random,
) -> Option<BatchItem> {
    let operation = request.operation()?;
    let identifiers = request.identifiers();
    let object = identifiers.first().map(String::as_str);
    let payload = match template {
        Some(template) => Some(filled(&template.item, object)),
        None => made_up(request, operation, object, random)
            .or_else(|| recent.find(operation, object, version).map(|kept| renamed(kept, object)))
            .or_else(|| last_resort(operation, object, random)),
    };
    Some(BatchItem::success(operation, request.batch_id(), payload?))
}

/// Returns the answer to Locate that names no object; `None` for another operation.
pub(crate) fn located_nothing(request: &BatchItem) -> Option<BatchItem> {
    let operation = request.operation().filter(|operation| *operation == Operation::Locate)?;
    let payload = Item::structure(tags::ResponsePayload, Vec::new());
    Some(BatchItem::success(operation, request.batch_id(), payload))
}

/// The template with the object of the request.
fn filled(template: &Item, object: Option<&str>) -> Item {
    let mut filled = template.clone();
    filled.for_each_mut(&mut |item| {
        if item.as_text() == Some(PLACE) {
            *item = Item::text(item.tag, object.unwrap_or_default());
        }
    });
    filled
}

/// A kept answer under the identifier of the request.
fn renamed(mut payload: Item, object: Option<&str>) -> Item {
    if let (Some(object), Some(item)) = (object, payload.child_mut(tags::UniqueIdentifier)) {
        *item = Item::text(tags::UniqueIdentifier, object);
    }
    payload
}

/// Payloads that follow from the request alone.
fn made_up(
    request: &BatchItem,
    operation: Operation,
    object: Option<&str>,
    random: &mut Random,
) -> Option<Item> {
    let asked = request.payload();
    let named = |identifier: &str| Item::text(tags::UniqueIdentifier, identifier);
    let mut items = Vec::new();
    match operation {
        Operation::CreateKeyPair | Operation::ReKeyKeyPair => {
            items.push(Item::text(tags::PrivateKeyUniqueIdentifier, &random.identifier()));
            items.push(Item::text(tags::PublicKeyUniqueIdentifier, &random.identifier()));
        }
        Operation::Create => {
            items.push(asked?.child(tags::ObjectType)?.clone());
            items.push(named(&random.identifier()));
        }
        _ if creates(operation) => items.push(named(&random.identifier())),
        Operation::Activate
        | Operation::Revoke
        | Operation::Destroy
        | Operation::Archive
        | Operation::Recover
        | Operation::SetAttribute
        | Operation::AdjustAttribute => items.push(named(object?)),
        Operation::AddAttribute | Operation::ModifyAttribute => {
            items.push(named(object?));
            // In 1.x the attribute is in the answer (1.4, 4.14 and 4.15).
            items.extend(asked?.child(tags::Attribute).cloned());
        }
        _ => return None,
    }
    Some(Item::structure(tags::ResponsePayload, items))
}

/// Payloads where no real answer is known: Locate finds nothing, and Get gives a key of AES.
fn last_resort(operation: Operation, object: Option<&str>, random: &mut Random) -> Option<Item> {
    let items = match operation {
        Operation::Locate => Vec::new(),
        Operation::Get => {
            let mut key = zeroize::Zeroizing::new([0; 32]);
            random.fill(key.as_mut());
            let value = vec![Item::bytes(tags::KeyMaterial, key.as_ref())];
            let block = vec![
                Item::enumeration(tags::KeyFormatType, KeyFormatType::Raw.0),
                Item::structure(tags::KeyValue, value),
                Item::enumeration(tags::CryptographicAlgorithm, CryptographicAlgorithm::AES.0),
                Item::integer(tags::CryptographicLength, 256),
            ];
            vec![
                Item::enumeration(tags::ObjectType, ObjectType::SymmetricKey.0),
                Item::text(tags::UniqueIdentifier, object?),
                Item::structure(tags::SymmetricKey, vec![Item::structure(tags::KeyBlock, block)]),
            ]
        }
        _ => return None,
    };
    Some(Item::structure(tags::ResponsePayload, items))
}
