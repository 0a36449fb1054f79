//! What a request asks of a new object: its attributes, the templates that it names, and what the
//! client's defaults say of what it leaves out (1.4, 2.1.8, 2.2.6 and 4; 2.1, 4, 6.1.9 and 6.1.53).
//!
//! ```text
//! for one object      attributes > the last template > ... > the first one > defaults
//! for one of a pair   its attributes > its templates > common ones > common templates > defaults
//! ```
//!
//! Of an attribute that an object has once, the first of these that names it counts; of others,
//! all that they name. Every operation that makes an object begins here.

use kmip::attributes::{AttributeValue, Attributes};
use kmip::structures::Name;
use kmip::vocabulary::{ObjectType, ResultReason};

use crate::keystore::Context;
use crate::keystore::defaults;
use crate::objects::attribute_consistency;
use crate::objects::attribute_rules;
use crate::objects::default_attributes::Origin;
use crate::objects::error::{OperationError, Result};
use crate::objects::index::{Holder, id_of, value_bytes};
use crate::objects::lifecycle;
use crate::objects::record::{ATTRIBUTES, Metadata};

/// The most objects that are asked whether they are the template of a name, where objects may
/// share names.
const SHARERS_MAX: usize = 100;

/// The attributes of a new object that the server makes. The layer that goes before comes first.
pub(crate) async fn resolve_for_create(
    cx: &mut Context<'_>,
    layers: impl IntoIterator<Item = Attributes>,
    kind: ObjectType,
) -> Result<Vec<AttributeValue>> {
    let values = of_new(cx, layers, kind, Origin::Made).await?;
    attribute_consistency::random_number_generator(&values)?;
    Ok(values)
}

/// The attributes of a new object that the client brings.
pub(crate) async fn resolve_for_register(
    cx: &mut Context<'_>,
    layers: impl IntoIterator<Item = Attributes>,
    kind: ObjectType,
) -> Result<Vec<AttributeValue>> {
    of_new(cx, layers, kind, Origin::Brought).await
}

async fn of_new(
    cx: &mut Context<'_>,
    layers: impl IntoIterator<Item = Attributes>,
    kind: ObjectType,
    origin: Origin,
) -> Result<Vec<AttributeValue>> {
    let mut values = resolve_explicit(cx, layers, kind).await?;
    defaults::supply(cx, &mut values, kind, origin).await?;
    attribute_rules::check_dates(&values)?;
    Ok(values)
}

/// The attributes and those of the templates, without defaults: for an object that takes the rest
/// over from another one.
pub(crate) async fn resolve_explicit(
    cx: &mut Context<'_>,
    layers: impl IntoIterator<Item = Attributes>,
    kind: ObjectType,
) -> Result<Vec<AttributeValue>> {
    let mut values = Vec::with_capacity(ATTRIBUTES);
    for layer in layers {
        let explicit = attribute_rules::given(layer.attributes)?;
        for value in &explicit {
            let reference = value.reference();
            if !attribute_rules::may_have(&reference, kind, cx.version) {
                return Err(OperationError::invalid_field(format!(
                    "a {kind:?} has no {}",
                    reference.name()
                )));
            }
        }
        merge(&mut values, explicit);
        for name in layer.names.iter().rev() {
            let template = template(cx, name).await?;
            let fits = |value: &&AttributeValue| {
                attribute_rules::may_have(&value.reference(), kind, cx.version)
            };
            merge(&mut values, content(&template).filter(fits).cloned());
        }
    }
    Ok(values)
}

/// What a template gives to the objects that are made from it: all that a client may give, but its
/// Name.
fn content(template: &Metadata) -> impl Iterator<Item = &AttributeValue> {
    template.values().filter(|value| {
        let reference = value.reference();
        // An older program may have kept what cannot be an attribute.
        attribute_rules::is_clients(&reference)
            && attribute_rules::check_exists(&reference).is_ok()
            && !matches!(value, AttributeValue::Name(_))
    })
}

/// Adds what the values leave out: of an attribute that an object has once, nothing that they have;
/// of others, every further value.
pub(crate) fn merge(
    values: &mut Vec<AttributeValue>,
    more: impl IntoIterator<Item = AttributeValue>,
) {
    for value in more {
        let reference = value.reference();
        let stands = match attribute_rules::is_multiple(&reference) {
            true => values.contains(&value),
            false => values.iter().any(|other| other.is_instance_of(&reference)),
        };
        if !stands {
            values.push(value);
        }
    }
}

/// The client's template of this name.
async fn template(cx: &mut Context<'_>, name: &Name) -> Result<Metadata> {
    let row = cx.index().name(&value_bytes(&AttributeValue::Name(name.clone())));
    let holder = cx.transaction.get_guarded(&row).await?.map(|holder| Holder::read(&holder).id);
    let sharers = cx.transaction.page(&row, Some(&row), SHARERS_MAX).await?;
    let sharers = sharers.iter().filter_map(|key| id_of(&row, key));
    for id in holder.into_iter().chain(sharers) {
        if cx.glance(&id).await?.object_type() == Some(ObjectType::Template) {
            let found = cx.object(&id).await?;
            return match lifecycle::is_archived(found.values()) {
                true => Err(OperationError::archived(&name.value)),
                false => Ok(found),
            };
        }
    }
    Err(OperationError::new(
        ResultReason::ObjectNotFound,
        format!("there is no template {:?}", name.value),
    ))
}
