//! 1.4, 4.15; 2.1, 6.1.34: a new value for an attribute that the object has.
//!
//! In 1.x the index says which instance, the first when it is absent; in 2.x the current value
//! says which, and may be left out where there is but one.

use kmip::attributes::{Attribute, AttributeReference};
use kmip::payload::{ModifyAttributeRequest, ModifyAttributeResponse};
use kmip::vocabulary::ResultReason;

use crate::keystore::Context;
use crate::objects::attribute_consistency;
use crate::objects::attribute_rules;
use crate::objects::error::{OperationError, Result};
use crate::objects::record::Metadata;

pub(super) async fn modify_attribute(
    cx: &mut Context<'_>,
    request: ModifyAttributeRequest,
) -> Result<ModifyAttributeResponse> {
    let unique_identifier = cx.identify(request.unique_identifier.as_ref())?;
    let old = cx.live_object(&unique_identifier).await?;
    let reference = request.attribute.value.reference();
    attribute_rules::may_modify(&old, &reference, cx.moment(&old))?;
    let at = position(&old, &reference, &request)?;
    let mut new = old.clone();
    let index = new.attributes.get(at).and_then(|attribute| attribute.index);
    let attribute = Attribute { index, value: attribute_rules::readable(request.attribute.value)? };
    if let Some(slot) = new.attributes.get_mut(at) {
        *slot = attribute.clone();
    }
    attribute_rules::check_dates(new.values())?;
    attribute_consistency::quantum_safe(new.values())?;
    cx.update(&unique_identifier, &old, new).await?;
    Ok(ModifyAttributeResponse { unique_identifier, attribute: Some(attribute) })
}

/// Where the instance stands that is meant.
fn position(
    metadata: &Metadata,
    reference: &AttributeReference,
    request: &ModifyAttributeRequest,
) -> Result<usize> {
    let index = request.attribute.index.unwrap_or(0);
    let mut instances =
        metadata.attributes.iter().enumerate().filter(|(_, a)| a.value.is_instance_of(reference));
    let found = match &request.current_attribute {
        Some(current) => instances.find(|(_, a)| a.value == current.value),
        None if request.attribute.index.is_some() => {
            instances.find(|(_, a)| a.index == Some(index))
        }
        None => instances.next(),
    };
    found.map(|(at, _)| at).ok_or_else(|| {
        OperationError::new(
            ResultReason::AttributeInstanceNotFound,
            format!("the object has no such {}; Add Attribute gives it one", reference.name()),
        )
    })
}
