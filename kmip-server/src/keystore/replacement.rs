//! One object in the place of another: what the new one takes over, and what becomes of the old
//! one (1.4, 4.4, 4.5 and 4.8; 2.1, 6.1.45 to 6.1.47).
//!
//! The Name moves to the new object, links go both ways, and the old object stays as it is: what
//! it protects must still be read.

use kmip::attributes::AttributeValue;
use kmip::objects::Object;
use kmip::structures::Link;
use kmip::vocabulary::{LinkType, ResultReason};
use kmip::{DateTime, Identifier};

use crate::keystore::Context;
use crate::keystore::request_attributes;
use crate::objects::attribute::attribute;
use crate::objects::attribute_rules;
use crate::objects::error::{OperationError, Result};
use crate::objects::record::Metadata;
use crate::objects::{rotation, usage_limits};

/// A link to an object.
pub(crate) fn link(link_type: LinkType, id: &str) -> AttributeValue {
    AttributeValue::Link(Link { link_type, linked_object_identifier: Identifier::from(id) })
}

/// The objects that an object links to so.
pub(crate) fn linked(metadata: &Metadata, link_type: LinkType) -> Vec<String> {
    let links = metadata.values().filter_map(|value| {
        let AttributeValue::Link(link) = value else { return None };
        match (&link.linked_object_identifier, link.link_type == link_type) {
            (Identifier::Text(id), true) => Some(id.clone()),
            (Identifier::Text(_) | Identifier::Enumeration(_) | Identifier::Index(_), _) => None,
        }
    });
    links.collect()
}

/// Gives an object a link, in the place of those of its type.
pub(crate) async fn set_link(
    cx: &mut Context<'_>,
    id: &str,
    link_type: LinkType,
    to: &str,
) -> Result<()> {
    let old = cx.object(id).await?;
    let mut new = old.clone();
    new.attributes
        .retain(|a| !matches!(&a.value, AttributeValue::Link(link) if link.link_type == link_type));
    new.add(link(link_type, to));
    cx.update(id, &old, new).await
}

/// Makes an object in the place of another one, and gives its identifier.
pub(crate) async fn replace(
    cx: &mut Context<'_>,
    old_id: &str,
    old: &Metadata,
    mut values: Vec<AttributeValue>,
    object: Object,
) -> Result<String> {
    values.push(link(LinkType::ReplacedObjectLink, old_id));
    // The name must be free before the new object can have it.
    let mut nameless = old.clone();
    rotation::turn(&mut nameless, &mut values, cx.now);
    nameless.attributes.retain(|a| !matches!(a.value, AttributeValue::Name(_)));
    cx.update(old_id, old, nameless).await?;
    let id = cx.insert(values, object).await?;
    set_link(cx, old_id, LinkType::ReplacementObjectLink, &id).await?;
    Ok(id)
}

/// The attributes of the new object: those of the old one, and what the request gives beside them
/// or, of an attribute that an object has once, in their place (1.4, 4.4, 4.5 and 4.8; 2.1, 6.1.45
/// to 6.1.47).
///
/// The names are always those of the old object (1.4, tables 173, 177 and 187; 2.1, tables 299, 304
/// and 309). A Name in the request is one more: it never drops one of them.
pub(crate) fn inherit(
    old: &Metadata,
    given: Vec<AttributeValue>,
    now: DateTime,
    offset: Option<u32>,
) -> Result<Vec<AttributeValue>> {
    let is_set_by_server = |value: &AttributeValue| {
        let replaced = LinkType::ReplacedObjectLink;
        matches!(value, AttributeValue::Link(link) if link.link_type == replaced)
    };
    if given.iter().any(is_set_by_server) {
        return Err(OperationError::invalid_field(
            "the server sets the Replaced Object Link: leave it out of the request",
        ));
    }
    if attribute!(old.values(), KeyValuePresent) == Some(false) {
        return Err(OperationError::new(
            ResultReason::KeyValueNotPresent,
            "the key is kept elsewhere: its Key Value Location says where",
        ));
    }
    let mut values = carried(old, now, offset);
    values.retain(|value| {
        attribute_rules::is_multiple(&value.reference())
            || !given.iter().any(|g| g.is_same_attribute(value))
    });
    request_attributes::merge(&mut values, given);
    attribute_rules::check_dates(&values)?;
    Ok(values)
}

/// What the new object takes over from the old one (1.4, tables 172 and 173). Without an offset the
/// dates are copied; with one the Activation Date lies that far from now, and the dates after it
/// keep their distance to it.
#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "of ninety attributes a match names those that it is about"
)]
fn carried(old: &Metadata, now: DateTime, offset: Option<u32>) -> Vec<AttributeValue> {
    use AttributeValue as A;
    let activation = attribute!(old.values(), ActivationDate).map(|date| date.0);
    let new_activation = offset.map(|offset| now.0.saturating_add(i64::from(offset)));
    let shift = match (activation, new_activation) {
        (Some(old), Some(new)) => new.saturating_sub(old),
        _ => 0,
    };
    let shifted = |date: DateTime| DateTime(date.0.saturating_add(shift));
    let mut values: Vec<A> = old
        .values()
        .filter_map(|value| match value {
            A::ActivationDate(date) => Some(A::ActivationDate(shifted(*date))),
            A::ProcessStartDate(date) => Some(A::ProcessStartDate(shifted(*date))),
            A::ProtectStopDate(date) => Some(A::ProtectStopDate(shifted(*date))),
            A::UsageLimits(limits) => Some(A::UsageLimits(usage_limits::whole(limits.clone()))),
            A::DeactivationDate(date) => Some(A::DeactivationDate(shifted(*date))),
            value => (!starts_anew(value)).then(|| value.clone()),
        })
        .collect();
    if let (None, Some(new)) = (activation, new_activation) {
        values.push(A::ActivationDate(DateTime(new)));
    }
    values
}

/// What belongs to the old object alone: its history, its links, and whatever the server sets. The
/// server sets that for the new one too, and never from the old one.
///
/// The Key Format Type is taken over where the new key can have that form, which is known only once
/// there is a key.
fn starts_anew(value: &AttributeValue) -> bool {
    use AttributeValue as A;
    !attribute_rules::is_clients(&value.reference())
        || matches!(
            value,
            A::Fresh(_)
                | A::OriginalCreationDate(_)
                | A::KeyFormatType(_)
                | A::RandomNumberGenerator(_)
                | A::Link(_)
        )
}
