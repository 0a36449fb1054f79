//! 1.4, 4.14; 2.1, 6.1.2: a new attribute, or a further instance of one.

use kmip::payload::{AddAttributeRequest, AddAttributeResponse};

use super::Context;
use crate::attributes;
use crate::error::{OperationError, Result};
use crate::promises;

pub(super) async fn add_attribute(
    cx: &mut Context<'_>,
    request: AddAttributeRequest,
) -> Result<AddAttributeResponse> {
    let unique_identifier = cx.identify(request.unique_identifier.as_ref())?;
    if request.attribute.index.is_some_and(|index| index != 0) {
        return Err(OperationError::invalid_field(
            "the server gives an attribute its index: leave Attribute Index out",
        ));
    }
    let old = cx.live_object(&unique_identifier).await?;
    let value = attributes::readable(request.attribute.value)?;
    attributes::may_add(&old, &value, cx.moment(&old))?;
    let mut new = old.clone();
    let attribute = new.add(value).clone();
    attributes::check_dates(new.values())?;
    promises::quantum_safe(new.values())?;
    cx.update(&unique_identifier, &old, new).await?;
    Ok(AddAttributeResponse { unique_identifier, attribute: Some(attribute) })
}
