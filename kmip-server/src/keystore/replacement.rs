//! One object in the place of another: what the new one takes over, and what becomes of the old
//! one (1.4, 4.4, 4.5 and 4.8; 2.1, 6.1.45 to 6.1.47).
//!
//! The Name moves to the new object, links go both ways, and the old object stays as it is: what
//! it protects must still be read.

use kmip::attributes::AttributeValue;
use kmip::objects::Object;
use kmip::structures::Link;
use kmip::vocabulary::LinkType;
use kmip::{DateTime, Identifier};

use crate::keystore::Context;
use crate::objects::attribute::attribute;
use crate::objects::error::Result;
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

/// What the new key takes over from the old one (1.4, tables 172 and 173). Without an offset the
/// dates are copied; with one the Activation Date lies that far from now, and the dates after it
/// keep their distance to it.
#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "of ninety attributes a match names those that it is about"
)]
pub(crate) fn carried(old: &Metadata, now: DateTime, offset: Option<u32>) -> Vec<AttributeValue> {
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

/// What belongs to the old key alone: its identity, its history, and its links.
fn starts_anew(value: &AttributeValue) -> bool {
    use AttributeValue as A;
    rotation::is_of_one(value)
        || matches!(
            value,
            A::UniqueIdentifier(_)
                | A::ShortUniqueIdentifier(_)
                | A::Digest(_)
                | A::Fresh(_)
                | A::InitialDate(_)
                | A::LastChangeDate(_)
                | A::OriginalCreationDate(_)
                | A::DestroyDate(_)
                | A::CompromiseDate(_)
                | A::CompromiseOccurrenceDate(_)
                | A::RevocationReason(_)
                | A::ArchiveDate(_)
                | A::KeyFormatType(_)
                | A::RandomNumberGenerator(_)
                | A::AlwaysSensitive(_)
                | A::NeverExtractable(_)
                | A::Link(_)
        )
}
