//! Does an object match? (1.4, 4.9; 2.1, 6.1.28)
//!
//! ```text
//! a date twice          the object's lies between the two
//! a usage mask          the object has all its bits
//! usage limits          the object's total and what is left of it are as great, or greater
//! a structure           the object's has every field that is given
//! anything else         the object has an instance that is the same
//! ```

use kmip::attributes::{AttributeReference, AttributeValue};
use kmip::payload::Condition;
use kmip::vocabulary::{UsageLimitsUnit, tags};
use kmip::{DateTime, Decode};
use ttlv::{Reader, Type};

use crate::objects::attribute_rules::{check_exists, following};
use crate::objects::error::{OperationError, Result};
use crate::objects::index::value_bytes;
use crate::objects::record::{KEPT_VERSION, Metadata};

/// The operation policy of every object that was given no other (1.4, 3.18.2).
const DEFAULT_POLICY: &str = "default";

/// Conditions by attribute, so that a date that is given twice is one range.
pub(super) struct Conditions(Vec<(AttributeReference, Vec<Condition>)>);

impl Conditions {
    /// The conditions of a request. One that no object can meet is refused: its attribute does not
    /// exist, or has no such value (1.4, 11.10; 2.1, table 249).
    pub(super) fn new(conditions: Vec<Condition>) -> Result<Self> {
        let mut groups: Vec<(AttributeReference, Vec<Condition>)> = Vec::new();
        for condition in conditions {
            check_exists(&condition.attribute)?;
            if !is_of_its_type(&condition) {
                return Err(OperationError::invalid_field(format!(
                    "{} has values of another type",
                    condition.attribute.name()
                )));
            }
            match groups.iter_mut().find(|(attribute, _)| *attribute == condition.attribute) {
                Some((_, group)) => group.push(condition),
                None => groups.push((condition.attribute.clone(), vec![condition])),
            }
        }
        Ok(Self(groups))
    }

    /// Is there one condition and no more?
    pub(super) fn is_one(&self) -> bool {
        matches!(self.0.as_slice(), [(_, group)] if group.len() == 1)
    }

    /// The conditions whose value is whole, so that an index can be asked for it: a structure that
    /// lacks fields is not.
    pub(super) fn complete(&self) -> impl Iterator<Item = &Condition> {
        self.0.iter().flat_map(|(_, group)| group).filter(|condition| is_complete(condition))
    }

    /// Does the object meet every condition?
    pub(super) fn match_all(&self, id: &str, metadata: &Metadata, now: DateTime) -> bool {
        self.0.iter().all(|(attribute, group)| {
            let following = match attribute {
                AttributeReference::Standard(tag) => following(*tag, id, metadata, now),
                AttributeReference::Vendor { .. } | AttributeReference::Unknown(_) => None,
            };
            let has_policy =
                metadata.values().any(|v| matches!(v, AttributeValue::OperationPolicyName(_)));
            let policy = AttributeValue::OperationPolicyName(DEFAULT_POLICY.to_owned());
            let held: Vec<Vec<u8>> = metadata
                .values()
                .chain(&following)
                .chain((!has_policy).then_some(&policy))
                .filter(|value| value.is_instance_of(attribute))
                .map(value_bytes)
                .collect();
            match group.as_slice() {
                [first, second] => match (date(first), date(second)) {
                    (Some(a), Some(b)) => {
                        let range = a.min(b)..=a.max(b);
                        held.iter().filter_map(|h| date_of(h)).any(|date| range.contains(&date))
                    }
                    _ => meets(first, &held) && meets(second, &held),
                },
                all => all.iter().all(|condition| meets(condition, &held)),
            }
        })
    }
}

fn is_complete(condition: &Condition) -> bool {
    let AttributeReference::Standard(tag) = condition.attribute else { return true };
    let mut r = condition.value.reader();
    let value = AttributeValue::decode_value(tag, tags::AttributeValue, &mut r, KEPT_VERSION);
    let Ok(Some(value)) = value else { return false };
    // The one indexed structure that can be read with a field left out.
    let is_partial = matches!(&value, AttributeValue::ApplicationSpecificInformation(information)
        if information.data.is_none());
    !is_partial && value_bytes(&value) == condition.value.as_bytes()
}

/// Whether the value is of a type that its attribute has. Of a structure each field counts alone.
fn is_of_its_type(condition: &Condition) -> bool {
    let AttributeReference::Standard(tag) = condition.attribute else { return true };
    let mut r = condition.value.reader();
    r.peek_type() == Some(Type::Structure)
        || AttributeValue::decode_value(tag, tags::AttributeValue, &mut r, KEPT_VERSION).is_ok()
}

fn date(condition: &Condition) -> Option<i64> {
    date_of(condition.value.as_bytes())
}

fn date_of(item: &[u8]) -> Option<i64> {
    Reader::new(item).date_time(tags::AttributeValue).ok()
}

/// Does any instance that the object holds meet the condition?
fn meets(condition: &Condition, held: &[Vec<u8>]) -> bool {
    let wanted = condition.value.as_bytes();
    // The greatest date there is stands for none (2.1, 6.1.28).
    if date_of(wanted) == Some(i64::MAX) {
        return held.is_empty();
    }
    let judge = match condition.attribute {
        AttributeReference::Standard(tags::CryptographicUsageMask) => has_bits,
        AttributeReference::Standard(tags::UsageLimits) => has_as_many,
        AttributeReference::Standard(_)
        | AttributeReference::Vendor { .. }
        | AttributeReference::Unknown(_) => has,
    };
    held.iter().any(|held| judge(wanted, held))
}

fn has_bits(wanted: &[u8], held: &[u8]) -> bool {
    let bits = |item| Reader::new(item).integer(tags::AttributeValue);
    matches!((bits(wanted), bits(held)), (Ok(wanted), Ok(held)) if held & wanted == wanted)
}

/// Usage Limits match when total and count are at least those wanted, in the same unit; a field
/// that is left out is not looked at.
fn has_as_many(wanted: &[u8], held: &[u8]) -> bool {
    let (Some(wanted), Some(held)) = (limits(wanted), limits(held)) else { return false };
    wanted.total.is_none_or(|total| held.total >= Some(total))
        && wanted.count.is_none_or(|count| held.count >= Some(count))
        && wanted.unit.is_none_or(|unit| held.unit == Some(unit))
}

/// Usage Limits of which fields may be left out.
struct Limits {
    total: Option<i64>,
    count: Option<i64>,
    unit: Option<UsageLimitsUnit>,
}

fn limits(item: &[u8]) -> Option<Limits> {
    let version = KEPT_VERSION;
    let mut r = Reader::new(item).enter(tags::AttributeValue).ok()?;
    Some(Limits {
        total: Decode::decode(tags::UsageLimitsTotal, &mut r, version).ok()?,
        count: Decode::decode(tags::UsageLimitsCount, &mut r, version).ok()?,
        unit: Decode::decode(tags::UsageLimitsUnit, &mut r, version).ok()?,
    })
}

/// Is the item held the one wanted, or a structure that has each of its fields?
fn has(wanted: &[u8], held: &[u8]) -> bool {
    if wanted == held {
        return true;
    }
    let (mut wanted, mut held) = (Reader::new(wanted), Reader::new(held));
    if wanted.peek_type() != Some(Type::Structure) {
        return false;
    }
    let (Ok(mut wanted), Ok(held)) =
        (wanted.enter(tags::AttributeValue), held.enter(tags::AttributeValue))
    else {
        return false;
    };
    while !wanted.is_empty() {
        let Ok(field) = wanted.raw() else { return false };
        let mut fields = held.clone();
        let mut is_there = false;
        while let (false, Ok(other)) = (is_there || fields.is_empty(), fields.raw()) {
            is_there = other == field;
        }
        if !is_there {
            return false;
        }
    }
    true
}
