//! 1.4, 4.41; 2.1, 6.1.25: an object as another server had it, under the identifier that it had
//! there and with all its attributes, those too that only a server sets.
//!
//! ```text
//! the client has no such object             it is kept
//! the client has one, Replace Existing      it takes its place
//! the client has one                        Object Already Exists
//! another client has one                    it is kept beside it: nobody learns of the other's
//! ```
//!
//! The State is not taken as it is said: it follows from the dates, and what is said must agree.

use kmip::attributes::{Attribute, AttributeReference, AttributeSet, AttributeValue};
use kmip::objects::{Object, Template};
use kmip::payload::{ImportRequest, ImportResponse};
use kmip::vocabulary::{KeyWrapType, ObjectType, ResultReason, State, tags};
use kmip::{DateTime, Version};

use crate::keystore::key_release;
use crate::keystore::wrapping;
use crate::keystore::{Context, ID_LEN_MAX};
use crate::objects::attribute::attribute;
use crate::objects::error::{OperationError, Result};
use crate::objects::record::Metadata;
use crate::objects::{
    attribute_rules, key_block, key_value, lifecycle, server_attributes, usage_limits,
};

pub(super) async fn import(cx: &mut Context<'_>, request: ImportRequest) -> Result<ImportResponse> {
    let ImportRequest { unique_identifier, object_type, replace_existing, .. } = request;
    // No request can name an object whose identifier has a zero byte: it would be kept unread.
    if !(1..=ID_LEN_MAX).contains(&unique_identifier.len()) || unique_identifier.contains('\0') {
        return Err(OperationError::invalid_field(format!(
            "a Unique Identifier is text of 1 to {ID_LEN_MAX} bytes, none of them zero"
        )));
    }
    let kind = request.object.object_type();
    if let Some(said) = object_type.filter(|said| *said != kind) {
        return Err(OperationError::invalid_field(format!(
            "Object Type says {said:?} and the object is a {kind:?}"
        )));
    }
    if !kind.exists_in(cx.version) {
        return Err(OperationError::invalid_field(format!(
            "KMIP {} has no objects of the type {kind:?}",
            cx.version
        )));
    }
    let old = match cx.object(&unique_identifier).await {
        Ok(old) => Some(old),
        Err(error) if error.reason == ResultReason::ObjectNotFound => None,
        Err(error) => return Err(error),
    };
    if old.is_some() && replace_existing != Some(true) {
        return Err(OperationError::new(
            ResultReason::ObjectAlreadyExists,
            format!(
                "object {unique_identifier} stands; Replace Existing puts another in its place"
            ),
        ));
    }
    let object = as_kept(cx, request.object, request.key_wrap_type).await?;
    let accessible = wrapping::accessible(cx, &object).await;
    let described = accessible.as_ref().unwrap_or(&object);
    let metadata = metadata(cx, &unique_identifier, request.attributes.0, described)?;
    let is_gone = lifecycle::is_destroyed(metadata.state(cx.now));
    let object = Some(object).filter(|_| !is_gone).map(without_attributes);
    cx.import(&unique_identifier, old.as_ref(), &metadata, object).await?;
    Ok(ImportResponse { unique_identifier })
}

/// A wrapped key that shall be kept bare is opened first.
async fn as_kept(
    cx: &mut Context<'_>,
    mut object: Object,
    key_wrap_type: Option<KeyWrapType>,
) -> Result<Object> {
    let version = cx.version;
    if key_release::is_opened(key_wrap_type)?
        && let Some(block) = object.key_block_mut()
    {
        wrapping::unwrap(cx, block, version).await?;
    }
    Ok(object)
}

/// A template is kept as its attributes alone, and a key without those of its Key Value.
fn without_attributes(mut object: Object) -> Object {
    match object {
        Object::Template(_) => Object::Template(Template { attributes: Default::default() }),
        Object::Certificate(_)
        | Object::CertificateRequest(_)
        | Object::OpaqueObject(_)
        | Object::PGPKey(_)
        | Object::PrivateKey(_)
        | Object::PublicKey(_)
        | Object::SecretData(_)
        | Object::SplitKey(_)
        | Object::SymmetricKey(_) => {
            key_value::clear(&mut object);
            object
        }
    }
}

/// All that is known of the object: what the request says, and what it must have beyond that.
fn metadata(
    cx: &Context<'_>,
    id: &str,
    given: Vec<Attribute>,
    object: &Object,
) -> Result<Metadata> {
    let mut metadata = Metadata { owner: cx.client.owner.clone(), attributes: Vec::new() };
    let mut said = None;
    let mut given = given;
    if let Object::Template(template) = object {
        given.extend(template.attributes.0.iter().cloned());
    }
    key_value::join(&mut given, key_value::attributes(object))?;
    check_given(&given, object.object_type())?;
    let hint = server_attributes::key_hint(given.iter().map(|attribute| &attribute.value));
    for attribute in given {
        #[allow(
            clippy::wildcard_enum_match_arm,
            reason = "of ninety attributes a match names those that it is about"
        )]
        match &attribute.value {
            AttributeValue::UniqueIdentifier(other) if other == id => {}
            AttributeValue::UniqueIdentifier(_) => {
                return Err(wrong("Unique Identifier is another than the request's own"));
            }
            own @ AttributeValue::ShortUniqueIdentifier(_)
                if *own == attribute_rules::short_identifier(id) => {}
            AttributeValue::ObjectType(other) if *other != object.object_type() => {
                return Err(wrong("Object Type says another kind than the object is"));
            }
            AttributeValue::State(state) => said = Some(*state),
            AttributeValue::Digest(digest)
                if !server_attributes::is_digest_of(digest, object, hint) =>
            {
                return Err(wrong("a Digest is not that of the object"));
            }
            _ => take(&mut metadata, attribute)?,
        }
    }
    if let Some(said) = said {
        date(&mut metadata, said, cx.now)?;
    }
    let mut values: Vec<AttributeValue> = metadata.values().cloned().collect();
    key_block::describe(&mut values, object).map_err(|why| wrong(&why))?;
    server_attributes::set_server_attributes(&mut values, object, cx.now, false);
    values.extend(cx.lease_time(object));
    for value in values {
        let reference = value.reference();
        let stands = metadata
            .instances(&reference)
            .any(|a| !attribute_rules::is_multiple(&reference) || a.value == value);
        if !stands {
            metadata.add(value);
        }
    }
    attribute_rules::check_dates(metadata.values())?;
    check_own(&metadata, object)?;
    check_history(&metadata)?;
    Ok(metadata)
}

/// Each attribute is one that such an object can have, in whichever version it was made, and of one
/// that it has once there is one.
fn check_given(given: &[Attribute], kind: ObjectType) -> Result<()> {
    attribute_rules::check_count(given.len())?;
    let mut seen = AttributeSet::default();
    for Attribute { value, .. } in given {
        let reference = value.reference();
        let can_have = |version: &Version| {
            kind.exists_in(*version) && attribute_rules::may_have(&reference, kind, *version)
        };
        if !Version::SERVED.iter().any(can_have) {
            return Err(OperationError::invalid_field(format!(
                "a {kind:?} has no {}",
                reference.name()
            )));
        }
        if !seen.insert(value) && !attribute_rules::is_multiple(&reference) {
            return Err(attribute_rules::single(&reference));
        }
    }
    Ok(())
}

/// What the object says of itself, as a certificate does, is not said otherwise beside it.
fn check_own(metadata: &Metadata, object: &Object) -> Result<()> {
    let own = server_attributes::of_the_object(object, Default::default());
    let is_checked = |value: &&AttributeValue| {
        // Digests are checked one by one; that a key is on a curve has several names.
        !matches!(value, AttributeValue::Digest(_) | AttributeValue::CryptographicAlgorithm(_))
    };
    for value in own.iter().filter(is_checked) {
        let reference = value.reference();
        let mut said = metadata.instances(&reference).map(|attribute| &attribute.value);
        if said.any(|said| !own.contains(said)) {
            let name = reference.name();
            return Err(wrong(&format!("{name} is not what the object says of itself")));
        }
    }
    let is_here = object.key_block().map(|block| block.key_value.is_some());
    match (attribute!(metadata.values(), KeyValuePresent), is_here) {
        (Some(said), Some(is_here)) if said != is_here => {
            Err(wrong("Key Value Present is not true of the key"))
        }
        _ => Ok(()),
    }
}

/// What was always or never so is so now (1.4, 3.49 and 3.51; 2.1, 4.3 and 4.33), and no object was
/// here before it was made (1.4, 3.43; 2.1, 4.38).
fn check_history(metadata: &Metadata) -> Result<()> {
    let values = metadata.values();
    let (sensitive, always) =
        (attribute!(values.clone(), Sensitive), attribute!(values.clone(), AlwaysSensitive));
    if always == Some(true) && sensitive == Some(false) {
        return Err(wrong("Always Sensitive is true and Sensitive is false"));
    }
    let (extractable, never) =
        (attribute!(values.clone(), Extractable), attribute!(values.clone(), NeverExtractable));
    if never == Some(true) && extractable == Some(true) {
        return Err(wrong("Never Extractable is true and Extractable is true"));
    }
    let made = attribute!(values.clone(), OriginalCreationDate);
    match (made, attribute!(values, InitialDate)) {
        (Some(made), Some(here)) if made > here => {
            Err(wrong("the Original Creation Date lies after the Initial Date"))
        }
        _ => Ok(()),
    }
}

fn wrong(message: &str) -> OperationError {
    OperationError::new(ResultReason::InvalidAttributeValue, message)
}

/// Takes an attribute under the index that it had, if it had one.
fn take(metadata: &mut Metadata, attribute: Attribute) -> Result<()> {
    let reference = attribute.value.reference();
    // What is left of Usage Limits is what the other server left; the rest as a client gives it.
    let value = if let AttributeValue::UsageLimits(limits) = &attribute.value {
        usage_limits::check(limits)?;
        attribute.value
    } else {
        attribute_rules::readable(attribute.value)?
    };
    if metadata.instances(&reference).any(|other| other.value == value) {
        return Ok(());
    }
    let index = attribute
        .index
        .filter(|index| !metadata.instances(&reference).any(|other| other.index == Some(*index)));
    match index {
        Some(_) => metadata.attributes.push(Attribute { index, value }),
        None => {
            metadata.add(value);
        }
    }
    Ok(())
}

/// Gives the dates that the State needs and that the request leaves out.
fn date(metadata: &mut Metadata, said: State, now: DateTime) -> Result<()> {
    use AttributeValue as A;
    let since =
        attribute!(metadata.values(), InitialDate).filter(|date| *date <= now).unwrap_or(now);
    let lacks = |metadata: &Metadata, tag| {
        metadata.instances(&AttributeReference::Standard(tag)).next().is_none()
    };
    let needs: &[(ttlv::Tag, AttributeValue)] = match said {
        State::Active => &[(tags::ActivationDate, A::ActivationDate(since))],
        State::Deactivated => &[
            (tags::ActivationDate, A::ActivationDate(since)),
            (tags::DeactivationDate, A::DeactivationDate(now)),
        ],
        State::Compromised => &[(tags::CompromiseDate, A::CompromiseDate(now))],
        State::Destroyed => &[(tags::DestroyDate, A::DestroyDate(now))],
        State::DestroyedCompromised => &[
            (tags::CompromiseDate, A::CompromiseDate(now)),
            (tags::DestroyDate, A::DestroyDate(now)),
        ],
        _ => &[],
    };
    for (tag, value) in needs {
        if lacks(metadata, *tag) {
            metadata.set(value.clone());
        }
    }
    // A date may have come since the object was exported; it cannot have gone.
    let follows = metadata.state(now);
    match follows >= said {
        true => Ok(()),
        false => Err(wrong("State says more than the dates do")),
    }
}
