//! 1.4, 4.4; 2.1, 6.1.46: a new symmetric key in the place of an old one.
//!
//! The Name moves to the new key, links go both ways, and the old key stays as it is: what it
//! protects must still be read.

use kmip::attributes::AttributeValue;
use kmip::payload::{ReKeyRequest, ReKeyResponse};
use kmip::structures::Link;
use kmip::vocabulary::{LinkType, ObjectType, ResultReason};
use kmip::{DateTime, Identifier};

use super::Context;
use super::create::symmetric_key;
use crate::error::{OperationError, Result};
use crate::find::find;
use crate::record::Metadata;
use crate::{asked, attributes, making, promises, rotation, usage};

pub(super) async fn re_key(cx: &mut Context<'_>, request: ReKeyRequest) -> Result<ReKeyResponse> {
    let old_id = cx.identify(request.unique_identifier.as_ref())?;
    let old = cx.live_object(&old_id).await?;
    if old.object_type() != Some(ObjectType::SymmetricKey) {
        return Err(OperationError::new(
            ResultReason::InvalidObjectType,
            format!("Re-key replaces a SymmetricKey and no {:?}", old.object_type()),
        ));
    }
    let asked = request.attributes.unwrap_or_default();
    making::may_be_kept(request.protection_storage_masks.as_ref())?;
    let given = asked::given(cx, [asked], ObjectType::SymmetricKey).await?;
    promises::random_number_generator(&given)?;
    let mut values = carried(&old, cx.now, request.offset.map(|offset| offset.0));
    values.retain(|value| !given.iter().any(|g| g.reference() == value.reference()));
    values.extend(given);
    attributes::check_dates(&values)?;
    let (algorithm, length) = making::cryptographic(&values);
    let algorithm = algorithm
        .ok_or_else(|| OperationError::missing("the old key has no Cryptographic Algorithm"))?;
    let key = symmetric_key(algorithm, length)?;
    making::complete(&mut values, &key, cx.now, true);
    values.push(link(LinkType::ReplacedObjectLink, &old_id));

    // The name must be free before the new key can have it.
    let mut replaced = old.clone();
    rotation::turn(&mut replaced, &mut values, cx.now);
    replaced.attributes.retain(|a| !matches!(a.value, AttributeValue::Name(_)));
    cx.update(&old_id, &old, replaced.clone()).await?;
    let unique_identifier = cx.insert(values, key).await?;
    let unlinked = replaced.clone();
    let is_replacement = |link: &Link| link.link_type == LinkType::ReplacementObjectLink;
    replaced
        .attributes
        .retain(|a| !matches!(&a.value, AttributeValue::Link(link) if is_replacement(link)));
    replaced.add(link(LinkType::ReplacementObjectLink, &unique_identifier));
    cx.update(&old_id, &unlinked, replaced).await?;
    Ok(ReKeyResponse { unique_identifier, template_attribute: None })
}

fn link(link_type: LinkType, id: &str) -> AttributeValue {
    AttributeValue::Link(Link { link_type, linked_object_identifier: Identifier::from(id) })
}

/// What the new key takes over from the old one (1.4, tables 172 and 173). Without an offset the
/// dates are copied; with one the Activation Date lies that far from now, and the dates after it
/// keep their distance to it.
#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "of ninety attributes a match names those that it is about"
)]
fn carried(old: &Metadata, now: DateTime, offset: Option<u32>) -> Vec<AttributeValue> {
    use AttributeValue as A;
    let activation = find!(old.values(), ActivationDate).map(|date| date.0);
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
            A::UsageLimits(limits) => Some(A::UsageLimits(usage::whole(limits.clone()))),
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
