//! Changes of a response item. Each returns whether it changed something.

use kmip::tags;
use kmip::vocabulary::State;
use ttlv::Type;

use crate::message::{BatchItem, Content, Item, is_identifier};
use crate::rules::{KeyChange, Random};

/// Puts another State in the place of each.
pub(crate) fn state(item: &mut BatchItem, new: State) -> bool {
    let mut changed = false;
    let Some(payload) = item.response_payload_mut() else { return false };
    payload.for_each_mut(&mut |item| {
        let name = item.child(tags::AttributeName).and_then(Item::as_text);
        let value = match (item.tag, name) {
            (tags::State, _) => Some(&mut *item),
            (tags::Attribute, Some("State")) => item.child_mut(tags::AttributeValue),
            _ => None,
        };
        if let Some(value) = value
            && value.as_enumeration().is_some_and(|old| old != new.0)
        {
            *value = Item::enumeration(value.tag, new.0);
            changed = true;
        }
    });
    changed
}

/// Puts another identifier in the place of each that names an object.
pub(crate) fn identifiers(item: &mut BatchItem, with: Option<&str>) -> bool {
    let mut changed = false;
    let items = item.response_payload_mut().and_then(Item::items_mut);
    for named in items.into_iter().flatten().filter(|item| is_identifier(item.tag)) {
        let Some(old) = named.as_text() else { continue };
        let new = with.map_or_else(|| other(old), str::to_owned);
        if new != old {
            *named = Item::text(named.tag, &new);
            changed = true;
        }
    }
    changed
}

/// The same text with another last character.
fn other(text: &str) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    match characters.pop() {
        Some('0') => characters.push('1'),
        Some(_) | None => characters.push('0'),
    }
    characters.into_iter().collect()
}

/// Changes the bytes of a key, a secret or an opaque object (1.4, 2.1.3; 2.1, 3.1).
pub(crate) fn key_bytes(item: &mut BatchItem, how: KeyChange, random: &mut Random) -> bool {
    item.response_payload_mut().is_some_and(|payload| change_keys(payload, false, how, random))
}

/// Changes the values under Key Material, which may be a structure of numbers. Key Value is bytes
/// where it is wrapped with its attributes.
fn change_keys(item: &mut Item, is_inside: bool, how: KeyChange, random: &mut Random) -> bool {
    let begins = matches!(item.tag, tags::KeyMaterial | tags::OpaqueDataValue);
    let is_key = is_inside || begins;
    let is_bytes = is_key || item.tag == tags::KeyValue;
    match &mut item.content {
        Content::Items(items) => items
            .iter_mut()
            .fold(false, |changed, item| change_keys(item, is_key, how, random) | changed),
        Content::Value(Type::ByteString | Type::BigInteger, value) if is_bytes => {
            let old = value.clone();
            change(value, how, random);
            *value != old
        }
        Content::Value(..) => false,
    }
}

fn change(value: &mut zeroize::Zeroizing<Vec<u8>>, how: KeyChange, random: &mut Random) {
    match how {
        KeyChange::FlipBit => {
            if let Some(last) = value.last_mut() {
                *last ^= 1;
            }
        }
        KeyChange::Zero => value.fill(0),
        KeyChange::Random => random.fill(value),
        KeyChange::Shorter => drop(value.pop()),
        KeyChange::Longer => {
            // A vector that grows leaves behind what it held.
            let mut longer =
                zeroize::Zeroizing::new(Vec::with_capacity(value.len().saturating_add(1)));
            longer.extend_from_slice(value);
            longer.push(0);
            *value = longer;
        }
    }
}

/// Leaves objects out of the answer to Locate; returns how many.
pub(crate) fn leave_out(item: &mut BatchItem, mut is_out: impl FnMut(&str) -> bool) -> usize {
    let Some(payload) = item.response_payload_mut() else { return 0 };
    let Some(items) = payload.items_mut() else { return 0 };
    let before = items.len();
    items.retain(|item| {
        item.tag != tags::UniqueIdentifier || !item.as_text().is_some_and(&mut is_out)
    });
    let removed = before.saturating_sub(items.len());
    if let Some(located) = payload.child_mut(tags::LocatedItems)
        && let Some(old) = located.as_integer()
    {
        let removed = i32::try_from(removed).unwrap_or(i32::MAX);
        *located = Item::integer(tags::LocatedItems, old.saturating_sub(removed));
    }
    removed
}

/// Adds an object to the answer to Locate, unless it is there.
pub(crate) fn add_located(item: &mut BatchItem, object: &str) -> bool {
    if item.identifiers().iter().any(|named| named == object) {
        return false;
    }
    let Some(payload) = item.response_payload_mut() else { return false };
    if let Some(located) = payload.child_mut(tags::LocatedItems)
        && let Some(old) = located.as_integer()
    {
        *located = Item::integer(tags::LocatedItems, old.saturating_add(1));
    }
    let Some(items) = payload.items_mut() else { return false };
    items.push(Item::text(tags::UniqueIdentifier, object));
    true
}

/// Makes a response at least `bytes` long by a Result Message of spaces, which is valid in every
/// version. `len` is what the message has already.
pub(crate) fn too_large(item: &mut BatchItem, bytes: usize, len: usize) -> bool {
    let missing = bytes.saturating_sub(len);
    if missing == 0 {
        return false;
    }
    item.insert_before_payload(Item::text(tags::ResultMessage, &" ".repeat(missing)));
    true
}

#[cfg(test)]
mod tests;
