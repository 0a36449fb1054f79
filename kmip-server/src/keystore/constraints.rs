//! What a client wants every new object of its own to be (2.1, 6.1.22, 6.1.52, 7.6 and 7.7).
//!
//! ```text
//! CONSTRAINT { kinds?, groups?, ATTRIBUTES { a = 1, a = 2, b = 3 } }
//!
//! an object of these kinds and groups has an a that is 1 or 2, and a b that is 3
//! ```
//!
//! The standard does not say how a constraint is read; this is how it is read here. A usage mask
//! may have the bits of the constraint's, and no others. A constraint without attributes
//! constrains nothing. They are asked in one place, before any object is kept for the first time.
//!
//! **A client's constraints are its own**: it can forbid itself things, and nobody else.

use kmip::attributes::{AttributeValue, Attributes};
use kmip::payload::{Constraint, Constraints};
use kmip::vocabulary::{ObjectType, ResultReason, tags};
use kmip::{Decode, Encode};
use ttlv::{Reader, Writer};

use crate::keystore::Context;
use crate::keystore::defaults::is_of_group;
use crate::objects::attribute_rules;
use crate::objects::error::{OperationError, Result};
use crate::objects::index::Setting;
use crate::objects::record::KEPT_VERSION;
use crate::secret::SecretBuffer;
use crate::store::StoreError;

/// The client's constraints. They must be the same when the batch is committed.
pub(crate) async fn kept(cx: &mut Context<'_>) -> Result<Constraints> {
    let key = cx.index().setting(Setting::Constraints);
    let Some(bytes) = cx.transaction.get_guarded(&key).await? else {
        return Ok(Constraints::default());
    };
    let kept = Constraints::decode(tags::Constraints, &mut Reader::new(&bytes), KEPT_VERSION);
    let damaged = |error| StoreError::Damaged(format!("the constraints of a client: {error}"));
    Ok(kept.map_err(damaged)?)
}

/// Keeps the client's constraints from now on, in the place of those before.
pub(crate) async fn keep(cx: &mut Context<'_>, constraints: &Constraints) -> Result<()> {
    let kinds = constraints.constraints.iter().flat_map(|constraint| &constraint.object_types);
    let unknown =
        kinds.flat_map(|types| &types.object_types).find(|kind| !kind.exists_in(KEPT_VERSION));
    if let Some(unknown) = unknown {
        return Err(OperationError::new(
            ResultReason::InvalidObjectType,
            format!("{unknown:?} is no kind of object"),
        ));
    }
    let attributes = constraints.constraints.iter().filter_map(|c| c.attributes.as_ref());
    for value in attributes.flat_map(Attributes::values) {
        attribute_rules::check_exists(&value.reference())?;
    }
    let key = cx.index().setting(Setting::Constraints);
    cx.transaction.get(&key).await?;
    let mut w = Writer::default();
    constraints.encode(tags::Constraints, &mut w, KEPT_VERSION);
    cx.transaction.put(key, SecretBuffer::new(w.into_bytes()));
    Ok(())
}

/// Is a new object what the client wants of it?
pub(crate) async fn check(
    cx: &mut Context<'_>,
    values: &[AttributeValue],
    kind: ObjectType,
) -> Result<()> {
    let kept = kept(cx).await?;
    match kept.constraints.iter().find_map(|constraint| breach(constraint, values, kind)) {
        None => Ok(()),
        Some(attribute) => Err(OperationError::new(
            ResultReason::ConstraintViolation,
            format!("a constraint says what the {attribute} of such an object must be"),
        )),
    }
}

/// The first attribute that breaks the constraint.
fn breach(constraint: &Constraint, values: &[AttributeValue], kind: ObjectType) -> Option<String> {
    let is_of_kind =
        constraint.object_types.as_ref().is_none_or(|types| types.object_types.contains(&kind));
    if !is_of_kind || !is_of_group(constraint.object_groups.as_ref(), values) {
        return None;
    }
    let attributes = constraint.attributes.as_ref()?;
    let broken = attributes.values().find(|wanted| {
        let reference = wanted.reference();
        let mut held = values.iter().filter(|value| value.is_instance_of(&reference)).peekable();
        let is_allowed =
            |held: &AttributeValue| attributes.values().any(|allowed| fits(held, allowed));
        held.peek().is_none() || !held.all(is_allowed)
    })?;
    Some(broken.reference().name())
}

fn fits(held: &AttributeValue, allowed: &AttributeValue) -> bool {
    match (held, allowed) {
        (
            AttributeValue::CryptographicUsageMask(held),
            AttributeValue::CryptographicUsageMask(allowed),
        ) => allowed.contains(*held),
        _ => held == allowed,
    }
}
