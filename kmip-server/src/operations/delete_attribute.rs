//! 1.4, 4.16; 2.1, 6.1.13: an attribute, or one instance of it, is gone.

use kmip::payload::{DeleteAttributeRequest, DeleteAttributeResponse};
use kmip::vocabulary::ResultReason;

use crate::keystore::Context;
use crate::objects::attribute_rules;
use crate::objects::error::{OperationError, Result};

pub(super) async fn delete_attribute(
    cx: &mut Context<'_>,
    request: DeleteAttributeRequest,
) -> Result<DeleteAttributeResponse> {
    let unique_identifier = cx.identify(request.unique_identifier.as_ref())?;
    let old = cx.live_object(&unique_identifier).await?;
    let current = request.current_attribute.map(|attribute| attribute.value);
    let reference = current
        .as_ref()
        .map(kmip::attributes::AttributeValue::reference)
        .or(request.attribute)
        .ok_or_else(|| OperationError::missing("the request names no attribute to delete"))?;
    attribute_rules::may_delete(&old, &reference)?;
    // In 1.x one instance goes, the first unless the request says which; in 2.x all of them go
    // unless the request shows which (2.1, table 194).
    let all = current.is_none() && cx.version >= kmip::Version::V2_0;
    let index = request.attribute_index.unwrap_or(0);
    let mut new = old.clone();
    let mut deleted = None;
    new.attributes.retain(|attribute| {
        let is_meant = attribute.value.is_instance_of(&reference)
            && match &current {
                Some(current) => attribute.value == *current,
                None => all || attribute.index == Some(index),
            };
        if is_meant {
            deleted = Some(attribute.clone());
        }
        !is_meant
    });
    let Some(attribute) = deleted else {
        return Err(OperationError::new(
            ResultReason::AttributeNotFound,
            format!("the object has no such {}", reference.name()),
        ));
    };
    cx.update(&unique_identifier, &old, new).await?;
    Ok(DeleteAttributeResponse { unique_identifier, attribute: Some(attribute) })
}
