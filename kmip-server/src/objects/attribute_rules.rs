//! What a client may do to attributes: the rules of the standard's tables (1.4, 3; 2.1, 4), which
//! are data in `kmip::attributes::ATTRIBUTES`, made into checks.

use aws_lc_rs::digest;
use kmip::attributes::{
    Attribute, AttributeList, AttributeReference, AttributeRow, AttributeSet, AttributeValue,
    Modifiable, Settable,
};
use kmip::vocabulary::{ObjectType, ResultReason, State, tags};
use kmip::{DateTime, Version};
use ttlv::Tag;

use crate::objects::attribute::attribute;
use crate::objects::error::{OperationError, Result};
use crate::objects::record::Metadata;
use crate::objects::usage_limits;

/// Vendor of the custom attributes that a server gives: a client may not touch them (1.4, 3.39).
pub(crate) const SERVERS_OWN: &str = "y";

/// The attributes that follow from what else is known of an object, and need not be kept.
const FOLLOWING: [Tag; 3] = [tags::UniqueIdentifier, tags::ShortUniqueIdentifier, tags::State];

/// What an object shows: what is kept of it, and what follows from that. Of an attribute that an
/// object has once, one instance is shown, whatever an older program has kept.
pub(crate) fn shown(id: &str, metadata: &Metadata, now: DateTime) -> Vec<Attribute> {
    let mut seen = AttributeSet::default();
    let kept = metadata.attributes.iter().filter_map(move |attribute| {
        let is_first = seen.insert(&attribute.value);
        match (is_multiple(&attribute.value.reference()), is_first) {
            (true, _) => Some(attribute.clone()),
            (false, true) => Some(Attribute { index: None, ..attribute.clone() }),
            (false, false) => None,
        }
    });
    let following = FOLLOWING.iter().filter_map(|tag| following(*tag, id, metadata, now));
    following.map(Attribute::from).chain(kept).collect()
}

/// The value of an attribute that follows from what is known of the object; nothing where it does
/// not, or where one is kept: of an object that came from another server, or is older than this
/// rule.
pub(crate) fn following(
    attribute: Tag,
    id: &str,
    metadata: &Metadata,
    now: DateTime,
) -> Option<AttributeValue> {
    if metadata.values().any(|value| value.tag() == Some(attribute)) {
        return None;
    }
    match attribute {
        tags::UniqueIdentifier => Some(AttributeValue::UniqueIdentifier(id.to_owned())),
        tags::ShortUniqueIdentifier => Some(short_identifier(id)),
        // A template has none (1.4, 3.22).
        tags::State if metadata.object_type() != Some(ObjectType::Template) => {
            Some(AttributeValue::State(metadata.state(now)))
        }
        _ => None,
    }
}

/// A shorter name for an object: the digest of its identifier (2.1, 4.56).
pub(crate) fn short_identifier(id: &str) -> AttributeValue {
    let digest = digest::digest(&digest::SHA256, id.as_bytes());
    AttributeValue::ShortUniqueIdentifier(digest.as_ref().to_vec())
}

/// What makes a template: the attributes that a client may give (1.4, 2.2.6). They are kept once,
/// as those of the template itself.
pub(crate) fn of_template(metadata: &Metadata) -> AttributeList {
    let given = metadata.attributes.iter().filter(|a| is_clients(&a.value.reference()));
    AttributeList(given.map(|a| Attribute::from(a.value.clone())).collect())
}

/// May an object have several of these?
pub(crate) fn is_multiple(reference: &AttributeReference) -> bool {
    row(reference).is_none_or(|row| row.multiple)
}

fn row(reference: &AttributeReference) -> Option<&'static AttributeRow> {
    match reference {
        AttributeReference::Standard(tag) => AttributeValue::row(*tag),
        AttributeReference::Vendor { .. } | AttributeReference::Unknown(_) => None,
    }
}

/// Refuses a reference to what cannot be an attribute: a name that is neither the standard's nor
/// begins with `x-` or `y-`, the tag of something else, a vendor that no name can be one of (1.4,
/// 3.39; 2.1, 4.60). Kept under a wrong name, what was meant would have no effect.
pub(crate) fn check_exists(reference: &AttributeReference) -> Result<()> {
    let why = match reference {
        AttributeReference::Standard(_) if row(reference).is_some() => return Ok(()),
        AttributeReference::Vendor { vendor, .. } if is_vendor(vendor) => return Ok(()),
        AttributeReference::Vendor { .. } => {
            "a Vendor Identification has letters, digits, _ and . only"
        }
        AttributeReference::Standard(_) => "its tag is not that of an attribute",
        AttributeReference::Unknown(_) => {
            "it is not a name of the standard, and those of custom attributes begin with x-"
        }
    };
    let name = reference.name();
    Err(OperationError::invalid_field(format!("{name:?} cannot be an attribute: {why}")))
}

/// Is it the server's own, so that no client may give, change or delete it?
fn is_servers(reference: &AttributeReference) -> bool {
    match reference {
        AttributeReference::Standard(_) => {
            row(reference).is_none_or(|row| row.settable == Settable::Server)
        }
        AttributeReference::Vendor { vendor, .. } => vendor == SERVERS_OWN,
        AttributeReference::Unknown(_) => false,
    }
}

/// May a client give it at all?
pub(crate) fn is_clients(reference: &AttributeReference) -> bool {
    !is_servers(reference)
}

fn read_only(reference: &AttributeReference) -> OperationError {
    OperationError::new(
        ResultReason::AttributeReadOnly,
        format!("a client cannot set {}", reference.name()),
    )
}

/// The answer to a second instance of an attribute that there is one of.
pub(crate) fn single(reference: &AttributeReference) -> OperationError {
    OperationError::new(
        ResultReason::AttributeSingleValued,
        format!("an object has one {} and no more", reference.name()),
    )
}

/// When and for whom something is asked of an object that stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// The State of the object.
    pub state: State,
    /// The time of the message.
    pub now: DateTime,
    /// The version of the message: 1.x gives fewer attributes to some kinds of objects.
    pub version: Version,
}

/// The most attributes of one object, every instance counted: storage products give some twenty.
/// Each is compared with the others, and has rows of the index.
pub(crate) const ATTRIBUTES_MAX: usize = 256;

/// Refuses more attributes than an object may have.
pub(crate) fn check_count(count: usize) -> Result<()> {
    match count > ATTRIBUTES_MAX {
        false => Ok(()),
        true => Err(OperationError::new(
            ResultReason::ServerLimitExceeded,
            format!("an object may have {ATTRIBUTES_MAX} attributes, and not {count}"),
        )),
    }
}

/// The attributes that a request gives a new object, checked: none of the server's, no second
/// instance of a single one, no unknown one that this server could not honour.
pub(crate) fn given(attributes: Vec<Attribute>) -> Result<Vec<AttributeValue>> {
    check_count(attributes.len())?;
    let mut values: Vec<AttributeValue> = Vec::new();
    for attribute in attributes {
        let value = readable(attribute.value)?;
        let reference = value.reference();
        if is_servers(&reference) {
            return Err(read_only(&reference));
        }
        let stands = values.iter().any(|value| value.is_instance_of(&reference));
        if stands && !is_multiple(&reference) {
            return Err(single(&reference));
        }
        if !values.contains(&value) {
            values.push(value);
        }
    }
    check_dates(&values)?;
    Ok(values)
}

/// May an object of this kind have this attribute?
pub(crate) fn may_have(reference: &AttributeReference, kind: ObjectType, version: Version) -> bool {
    row(reference).is_none_or(|row| {
        let kinds = row.object_types.in_version(version);
        kinds.is_empty() || kinds.contains(&kind)
    })
}

/// A value as a client may give it, with what the server makes of it.
#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "of ninety attributes a match names those that it is about"
)]
pub(crate) fn readable(value: AttributeValue) -> Result<AttributeValue> {
    check_exists(&value.reference())?;
    match value {
        // What is left is all there is, whatever the client says (1.4, 3.21; 2.1, 4.59).
        AttributeValue::UsageLimits(limits) => {
            if limits.total < 0 {
                return Err(OperationError::new(
                    ResultReason::InvalidAttributeValue,
                    "Usage Limits Total is negative",
                ));
            }
            Ok(AttributeValue::UsageLimits(usage_limits::whole(limits)))
        }
        AttributeValue::ApplicationSpecificInformation(information)
            if information.data.is_none() =>
        {
            Err(OperationError::new(
                ResultReason::ApplicationNamespaceNotSupported,
                format!(
                    "this server makes up no data for {:?}: give Application Data",
                    information.namespace
                ),
            ))
        }
        other => Ok(other),
    }
}

/// 2.1, table 150.
fn is_vendor(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.'))
}

/// May a client add this attribute to an object that stands?
pub(crate) fn may_add(metadata: &Metadata, value: &AttributeValue, moment: Moment) -> Result<()> {
    let reference = value.reference();
    let at_any_time = row(&reference).is_none_or(|row| row.settable == Settable::Client);
    if is_servers(&reference) || !at_any_time {
        return Err(read_only(&reference));
    }
    let stranger =
        metadata.object_type().filter(|kind| !may_have(&reference, *kind, moment.version));
    if let Some(kind) = stranger {
        return Err(OperationError::new(
            ResultReason::InvalidAttribute,
            format!("a {kind:?} has no {}", reference.name()),
        ));
    }
    let mut instances = metadata.instances(&reference);
    match instances.next() {
        Some(_) if !is_multiple(&reference) => return Err(single(&reference)),
        Some(first) if first.value == *value || instances.any(|a| a.value == *value) => {
            let reason = match matches!(value, AttributeValue::Name(_)) {
                true => ResultReason::NonUniqueNameAttribute,
                false => ResultReason::InvalidField,
            };
            let why = format!("the object has this {} already", reference.name());
            return Err(OperationError::new(reason, why));
        }
        _ => {}
    }
    in_time(metadata, &reference, moment)
}

/// May a client change this attribute of an object that stands?
pub(crate) fn may_modify(
    metadata: &Metadata,
    reference: &AttributeReference,
    moment: Moment,
) -> Result<()> {
    let modifiable = row(reference).map_or(Modifiable::Always, |row| row.modifiable);
    if is_servers(reference) || modifiable == Modifiable::Never {
        return Err(read_only(reference));
    }
    unused(metadata, reference)?;
    in_time(metadata, reference, moment)
}

/// May a client delete this attribute?
pub(crate) fn may_delete(metadata: &Metadata, reference: &AttributeReference) -> Result<()> {
    let deletable = row(reference).is_none_or(|row| row.deletable);
    if !deletable || is_servers(reference) {
        return Err(OperationError::new(
            ResultReason::AttributeReadOnly,
            format!("a client cannot delete {}", reference.name()),
        ));
    }
    unused(metadata, reference)
}

/// Usage Limits stay as they are once something was taken from them (1.4, 3.21; 2.1, 4.59).
fn unused(metadata: &Metadata, reference: &AttributeReference) -> Result<()> {
    let limits = attribute!(metadata.values(), UsageLimits)
        .filter(|_| *reference == AttributeReference::Standard(tags::UsageLimits));
    match limits.is_some_and(|limits| limits.count.is_some_and(|left| left != limits.total)) {
        true => Err(OperationError::new(
            ResultReason::PermissionDenied,
            "the object's Usage Limits have been drawn on, and stay as they are",
        )),
        false => Ok(()),
    }
}

/// Some attributes may be given or changed in some states alone.
fn in_time(metadata: &Metadata, reference: &AttributeReference, moment: Moment) -> Result<()> {
    // A template lives no life: its dates are those of the objects to be made from it.
    if metadata.object_type() == Some(ObjectType::Template) {
        return Ok(());
    }
    let modifiable = row(reference).map_or(Modifiable::Always, |row| row.modifiable);
    let state = moment.state;
    let is_alive = matches!(state, State::PreActive | State::Active);
    let allowed = match modifiable {
        Modifiable::Always | Modifiable::Never => true,
        Modifiable::PreActive => state == State::PreActive,
        Modifiable::UntilDeactivated => is_alive,
        Modifiable::UntilReached => is_alive && !is_reached(metadata, reference, moment.now),
    };
    match allowed {
        true => Ok(()),
        false => Err(OperationError::state(&format!("set the {} of", reference.name()), state)),
    }
}

/// Has the date come that the attribute says?
fn is_reached(metadata: &Metadata, reference: &AttributeReference, now: DateTime) -> bool {
    let dates = [
        (tags::ProcessStartDate, attribute!(metadata.values(), ProcessStartDate)),
        (tags::ProtectStopDate, attribute!(metadata.values(), ProtectStopDate)),
    ];
    dates.iter().any(|(tag, date)| {
        *reference == AttributeReference::Standard(*tag) && date.is_some_and(|date| date <= now)
    })
}

/// What follows from other attributes: whether the object has always been sensitive, and never
/// extractable (1.4, 3.49 and 3.51; 2.1, 4.3 and 4.33).
pub(crate) fn follow(metadata: &mut Metadata) {
    if attribute!(metadata.values(), Sensitive) == Some(false) {
        metadata.set(AttributeValue::AlwaysSensitive(false));
    }
    if attribute!(metadata.values(), Extractable) == Some(true) {
        metadata.set(AttributeValue::NeverExtractable(false));
    }
}

/// The dates of an object must come in the order of its life (1.4, 3.24 to 3.27).
pub(crate) fn check_dates<'a>(values: impl IntoIterator<Item = &'a AttributeValue>) -> Result<()> {
    let values: Vec<&AttributeValue> = values.into_iter().collect();
    let activation = attribute!(values.iter().copied(), ActivationDate);
    let start = attribute!(values.iter().copied(), ProcessStartDate);
    let stop = attribute!(values.iter().copied(), ProtectStopDate);
    let deactivation = attribute!(values.iter().copied(), DeactivationDate);
    let rows = [
        ("Process Start Date", start, "Activation Date", activation, true),
        ("Process Start Date", start, "Deactivation Date", deactivation, false),
        ("Protect Stop Date", stop, "Activation Date", activation, true),
        ("Protect Stop Date", stop, "Deactivation Date", deactivation, false),
        ("Deactivation Date", deactivation, "Activation Date", activation, true),
    ];
    for (name, date, other_name, other, after) in rows {
        let (Some(date), Some(other)) = (date, other) else { continue };
        if date != other && (date > other) != after {
            let order = if after { "before" } else { "after" };
            return Err(OperationError::invalid_field(format!(
                "the {name} lies {order} the {other_name}"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of before keep the identifiers too.
    #[test]
    fn what_is_kept_is_not_shown_twice() {
        let (id, now) = ("an-id", DateTime(7));
        let kind = AttributeValue::ObjectType(ObjectType::SymmetricKey);
        let new = Metadata::of_new("subject:CN=a".to_owned(), [kind]);
        let mut old = new.clone();
        old.set(AttributeValue::UniqueIdentifier(id.to_owned()));
        old.set(short_identifier(id));
        let sorted = |metadata| {
            let mut all: Vec<String> =
                shown(id, metadata, now).iter().map(|attribute| format!("{attribute:?}")).collect();
            all.sort();
            all
        };
        assert_eq!(sorted(&new), sorted(&old));
        assert_eq!(sorted(&new).len(), 4);
    }
}
