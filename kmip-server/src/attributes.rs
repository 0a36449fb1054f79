//! What a client may do to attributes: the rules of the standard's tables (1.4, 3; 2.1, 4), which
//! are data in `kmip::attributes::ATTRIBUTES`, made into checks.

use kmip::DateTime;
use kmip::attributes::{
    Attribute, AttributeReference, AttributeRow, AttributeValue, Modifiable, Settable,
};
use kmip::vocabulary::{ResultReason, State};

use crate::error::{OperationError, Result};
use crate::find::find;
use crate::record::Metadata;

/// Vendor of the custom attributes that a server gives: a client may not touch them (1.4, 3.39).
const SERVERS_OWN: &str = "y";

/// What an object shows: what is kept of it, and its State.
pub fn shown(metadata: &Metadata, now: DateTime) -> Vec<Attribute> {
    let state = Attribute::from(AttributeValue::State(metadata.state(now)));
    metadata
        .attributes
        .iter()
        .cloned()
        .map(|attribute| match is_multiple(&attribute.value.reference()) {
            true => attribute,
            false => Attribute { index: None, ..attribute },
        })
        .chain([state])
        .collect()
}

/// May an object have several of these?
pub fn is_multiple(reference: &AttributeReference) -> bool {
    row(reference).is_none_or(|row| row.multiple)
}

fn row(reference: &AttributeReference) -> Option<&'static AttributeRow> {
    match reference {
        AttributeReference::Standard(tag) => AttributeValue::row(*tag),
        AttributeReference::Vendor { .. } | AttributeReference::Unknown(_) => None,
    }
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

fn read_only(reference: &AttributeReference) -> OperationError {
    OperationError::new(
        ResultReason::AttributeReadOnly,
        format!("a client cannot set {}", reference.name()),
    )
}

fn single(reference: &AttributeReference) -> OperationError {
    OperationError::new(
        ResultReason::AttributeSingleValued,
        format!("an object has one {} and no more", reference.name()),
    )
}

/// The attributes that a request gives a new object, checked: none of the server's, no second
/// instance of a single one, no unknown one that this server could not honour.
pub fn given(attributes: Vec<Attribute>) -> Result<Vec<AttributeValue>> {
    let mut values: Vec<AttributeValue> = Vec::new();
    for attribute in attributes {
        let reference = attribute.value.reference();
        if is_servers(&reference) {
            return Err(read_only(&reference));
        }
        let stands = values.iter().any(|value| value.reference() == reference);
        if stands && !is_multiple(&reference) {
            return Err(single(&reference));
        }
        if !values.contains(&attribute.value) {
            values.push(attribute.value);
        }
    }
    check_dates(&values)?;
    Ok(values)
}

/// May a client add this attribute to an object that stands?
pub fn may_add(metadata: &Metadata, value: &AttributeValue, state: State) -> Result<()> {
    let reference = value.reference();
    let at_any_time = row(&reference).is_none_or(|row| row.settable == Settable::Client);
    if is_servers(&reference) || !at_any_time {
        return Err(read_only(&reference));
    }
    let mut instances = metadata.instances(&reference);
    match instances.next() {
        Some(_) if !is_multiple(&reference) => return Err(single(&reference)),
        Some(first) if first.value == *value || instances.any(|a| a.value == *value) => {
            return Err(OperationError::invalid_field(format!(
                "the object has this {} already",
                reference.name()
            )));
        }
        _ => {}
    }
    in_time(&reference, state)
}

/// May a client change this attribute of an object that stands?
pub fn may_modify(reference: &AttributeReference, state: State) -> Result<()> {
    let modifiable = row(reference).map_or(Modifiable::Always, |row| row.modifiable);
    if is_servers(reference) || modifiable == Modifiable::Never {
        return Err(read_only(reference));
    }
    in_time(reference, state)
}

/// May a client delete this attribute?
pub fn may_delete(reference: &AttributeReference) -> Result<()> {
    let deletable = row(reference).is_none_or(|row| row.deletable);
    match deletable && !is_servers(reference) {
        true => Ok(()),
        false => Err(OperationError::new(
            ResultReason::AttributeReadOnly,
            format!("a client cannot delete {}", reference.name()),
        )),
    }
}

/// Some attributes may be given or changed in some states alone.
fn in_time(reference: &AttributeReference, state: State) -> Result<()> {
    let modifiable = row(reference).map_or(Modifiable::Always, |row| row.modifiable);
    let allowed = match modifiable {
        Modifiable::Always | Modifiable::Never => true,
        Modifiable::PreActive => state == State::PreActive,
        Modifiable::UntilDeactivated => matches!(state, State::PreActive | State::Active),
    };
    match allowed {
        true => Ok(()),
        false => Err(OperationError::state(&format!("set the {} of", reference.name()), state)),
    }
}

/// The dates of an object must come in the order of its life (1.4, 3.24 to 3.27).
pub fn check_dates<'a>(values: impl IntoIterator<Item = &'a AttributeValue>) -> Result<()> {
    let values: Vec<&AttributeValue> = values.into_iter().collect();
    let activation = find!(values.iter().copied(), ActivationDate);
    let start = find!(values.iter().copied(), ProcessStartDate);
    let stop = find!(values.iter().copied(), ProtectStopDate);
    let deactivation = find!(values.iter().copied(), DeactivationDate);
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
